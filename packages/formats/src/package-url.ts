export {
  cargoPackageUrl,
  debPackageUrl,
  genericPackageUrl,
  gitPackageUrl,
  golangPackageUrl,
  mavenPackageUrl,
  npmPackageUrl,
  packageUrlWithoutVersion,
  pypiPackageUrl,
} from "./package-url-ecosystems.ts";
export { packageUrlErrors } from "./package-url-errors.ts";
export { type PackageUrl, packageUrl, parsePackageUrl } from "./package-url-spelling.ts";
export { pypiName } from "./package-url-types.ts";
