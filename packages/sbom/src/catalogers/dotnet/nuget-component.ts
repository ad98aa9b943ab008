import { nugetPackageUrl } from "@touchmark/formats/package-url";
import type { ComponentHash } from "@touchmark/formats/sbom";
import type { CollectedFile, FoundComponent } from "../../catalogue/cataloger.ts";
import { fileMalformed } from "../json-object.ts";

const identifier = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,255}$/;
const versionSyntax = /^[0-9][0-9A-Za-z.+-]{0,255}$/;

/** A library of one file: a package of NuGet, or a project that was built beside. */
export interface NugetLibrary {
  readonly name: string;
  /** Empty for a project without one. */
  readonly version: string;
  readonly isPackage: boolean;
  /** SHA-512 of the package, in base64. */
  readonly sha512?: string;
}

/** Key of a library within a file; identifiers are compared without case. */
export function nugetKey(file: CollectedFile, name: string, version: string): string {
  return `${file.path}#${name.toLowerCase()}/${version.toLowerCase()}`;
}

/** @throws SBOM_FILE_MALFORMED for what is no identifier or no version */
export function nugetComponent(file: CollectedFile, library: NugetLibrary, rule: string): FoundComponent {
  const { name, version, isPackage, sha512 } = library;
  if (!identifier.test(name) || (version === "" ? isPackage : !versionSyntax.test(version))) {
    throw fileMalformed(
      `expected an identifier and a version, found ${JSON.stringify(`${name}/${version}`.slice(0, 200))}`,
    );
  }
  return {
    key: nugetKey(file, name, version),
    kind: "library",
    name,
    version,
    // What is built beside is no package of a registry.
    ...(isPackage && { purl: nugetPackageUrl(name, version) }),
    type: "nuget",
    scope: "runtime",
    hashes: hashesOf(sha512),
    occurrences: [{ path: file.path, rule, ...(file.layer !== undefined && { layer: file.layer }) }],
  };
}

function hashesOf(sha512: string | undefined): ComponentHash[] {
  const bytes = Buffer.from((sha512 ?? "").replace(/^sha512-/, ""), "base64");
  return bytes.length === 64 ? [{ algorithm: "sha512", value: bytes.toString("hex") }] : [];
}
