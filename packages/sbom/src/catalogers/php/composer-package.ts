import type { Json } from "@touchmark/core";
import { fileMalformed, isObject, type JsonObject, listIn, objectIn, textIn } from "../json-object.ts";

/** A package as composer.lock and installed.json describe it. */
export interface ComposerPackage {
  /** `vendor/name`, lower case. */
  readonly name: string;
  readonly version: string;
  /** Expression; several licences of a list are a choice. */
  readonly licence?: string;
  readonly authors: readonly string[];
  readonly homepage?: string;
  readonly description?: string;
  readonly download?: string;
  /** SHA-1 of the archive; rarely there. */
  readonly sha1?: string;
  /** `git+URL@COMMIT`. */
  readonly source?: string;
  /** Names of packages that it needs to run; what PHP itself brings is not among them. */
  readonly requires: readonly string[];
  /** Names that it stands for: its own, and those that it provides or replaces. */
  readonly names: readonly string[];
  /** Folder, relative to the file that says so. */
  readonly folder?: string;
  /** Folder of the project that it was taken from: it is no package of a registry. */
  readonly local?: string;
}

const nameSyntax = /^[a-z0-9]+(?:[_.-]{1,2}[a-z0-9]+)*\/[a-z0-9]+(?:[_.-]{1,2}[a-z0-9]+)*$/i;
const mostNames = 5000;

/** Reads one. @throws SBOM_FILE_MALFORMED */
export function composerPackage(value: Json, index: number): ComposerPackage {
  if (!isObject(value)) throw fileMalformed(`package ${index}: expected an object`);
  const [name, version] = [textIn(value, "name"), textIn(value, "version")];
  if (name === undefined || version === undefined || name.length > 256 || !nameSyntax.test(name)) {
    throw fileMalformed(`package ${index}: expected a name with its vendor, and a version`);
  }
  const [dist, source] = [objectIn(value, "dist"), objectIn(value, "source")];
  const licence = licenceOf(value);
  const isLocal = textIn(dist, "type") === "path";
  const sum = textIn(dist, "shasum")?.toLowerCase();
  const [homepage, description, folder] = [
    textIn(value, "homepage"),
    textIn(value, "description"),
    textIn(value, "install-path"),
  ];
  const [download, url, reference] = [textIn(dist, "url"), textIn(source, "url"), textIn(source, "reference")];
  return {
    name: name.toLowerCase(),
    version,
    ...(licence !== undefined && { licence }),
    authors: listIn(value, "authors").flatMap((author) => (isObject(author) ? (textIn(author, "name") ?? []) : [])),
    ...(homepage !== undefined && { homepage }),
    ...(description !== undefined && { description }),
    ...(download !== undefined && (isLocal ? { local: download } : { download })),
    ...(sum !== undefined && /^[0-9a-f]{40}$/.test(sum) && { sha1: sum }),
    ...(url !== undefined &&
      textIn(source, "type") === "git" && { source: `git+${url}${reference ? `@${reference}` : ""}` }),
    requires: packagesIn(value, "require"),
    names: [name.toLowerCase(), ...packagesIn(value, "provide"), ...packagesIn(value, "replace")],
    ...(folder !== undefined && { folder }),
  };
}

/** Names of packages among the keys of a member. */
export function packagesIn(object: JsonObject, member: string): readonly string[] {
  const names = Object.keys(objectIn(object, member)).filter((name) => name.includes("/"));
  if (names.length > mostNames) throw fileMalformed(`expected at most ${mostNames} names in ${member}`);
  return names.map((name) => name.toLowerCase());
}

/** A list means that any one of its licences may be chosen (Composer, "license"). */
function licenceOf(object: JsonObject): string | undefined {
  const single = textIn(object, "license");
  if (single !== undefined || !Array.isArray(object["license"])) return single;
  const words = listIn(object, "license", 100).flatMap((one) => (typeof one === "string" && one !== "" ? [one] : []));
  return words.length === 0 ? undefined : words.join(" OR ");
}
