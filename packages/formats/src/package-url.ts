export {
  apkPackageUrl,
  cargoPackageUrl,
  composerPackageUrl,
  debPackageUrl,
  gemPackageUrl,
  genericPackageUrl,
  gitPackageUrl,
  golangPackageUrl,
  mavenPackageUrl,
  npmPackageUrl,
  nugetPackageUrl,
  packageUrlWithoutVersion,
  pypiPackageUrl,
  rpmPackageUrl,
} from "./package-url-ecosystems.ts";
export { packageUrlErrors } from "./package-url-errors.ts";
export { coversPackage, coversText, namesVersion } from "./package-url-pattern.ts";
export { type PackageUrl, packageUrl, parsePackageUrl } from "./package-url-spelling.ts";
export { pypiName } from "./package-url-types.ts";
