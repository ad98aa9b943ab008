import type { CollectedFile } from "../../catalogue/cataloger.ts";
import { npmErrors } from "./errors.ts";

/** What a package.json says, as far as it has the form that npm gives it; other forms are as if they were not there. */
export interface PackageManifest {
  readonly name?: string;
  readonly version?: string;
  readonly isPrivate: boolean;
  /** True for what somebody can run or import: a program, a main module. */
  readonly isUsable: boolean;
  /** Names, of each kind. */
  readonly dependencies: readonly string[];
  readonly optionalDependencies: readonly string[];
  readonly peerDependencies: readonly string[];
  readonly devDependencies: readonly string[];
  /** As written: `MIT`, `SEE LICENSE IN x`. */
  readonly licences: readonly string[];
  readonly supplier?: string;
  readonly description?: string;
  readonly homepage?: string;
  readonly hasInstallScripts: boolean;
  /** What npm 6 and older wrote into installed manifests. */
  readonly resolved?: string;
  readonly integrity?: string;
}

const largest = 4 * 1024 * 1024;
/** No name or version of a registry is longer; longer text is cut, as it is only shown. */
const longest = 255;
const longestText = 4096;
/** No package asks for a hundredth of this. */
const mostNames = 10_000;
const control = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

type Members = Readonly<Record<string, unknown>>;

/** Reads a package.json as Node does: the last of two equal keys counts. @throws SBOM_NPM_MANIFEST */
export function readPackageManifest(file: CollectedFile): PackageManifest {
  const document = parse(file);
  const name = identifier(document["name"]);
  const version = identifier(document["version"])?.replace(/^[v=]+(?=[0-9])/, "");
  const scripts = membersOf(document["scripts"]);
  const supplier = personOf(document["author"]) ?? personOf(first(document["maintainers"]));
  const description = textOf(document["description"]);
  const homepage = textOf(document["homepage"]);
  const resolved = textOf(document["_resolved"]);
  const integrity = textOf(document["_integrity"]);
  return {
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    isPrivate: document["private"] === true,
    isUsable: ["main", "module", "exports", "bin", "browser"].some((key) => document[key] !== undefined),
    dependencies: namesOf(document["dependencies"]),
    optionalDependencies: namesOf(document["optionalDependencies"]),
    peerDependencies: namesOf(document["peerDependencies"]),
    devDependencies: namesOf(document["devDependencies"]),
    licences: licencesOf(document),
    ...(supplier !== undefined && { supplier }),
    ...(description !== undefined && { description }),
    ...(homepage !== undefined && { homepage }),
    hasInstallScripts: ["preinstall", "install", "postinstall"].some((key) => typeof scripts[key] === "string"),
    ...(resolved !== undefined && { resolved }),
    ...(integrity !== undefined && { integrity }),
  };
}

function parse(file: CollectedFile): Members {
  if (file.size > largest) {
    throw npmErrors.make("SBOM_NPM_MANIFEST", `expected at most ${largest} bytes, found ${file.size}`);
  }
  let value: unknown;
  try {
    const bytes = file.bytes(largest);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
    value = JSON.parse(text.startsWith("\ufeff") ? text.slice(1) : text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof RangeError)) throw cause;
    throw npmErrors.make("SBOM_NPM_MANIFEST", `expected JSON: ${cause.message.slice(0, 200)}`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw npmErrors.make("SBOM_NPM_MANIFEST", "expected a JSON object");
  }
  return value as Members;
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function namesOf(value: unknown): readonly string[] {
  return Object.keys(membersOf(value))
    .slice(0, mostNames)
    .filter((name) => identifier(name) !== undefined);
}

function identifier(value: unknown): string | undefined {
  const isFine = typeof value === "string" && value !== "" && value.length <= longest && !control.test(value);
  return isFine && value.trim() === value ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== "string" || value.trim() === "") return undefined;
  return value
    .trim()
    .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, " ")
    .slice(0, longestText);
}

/** `Name <mail> (page)`, or its parts. */
function personOf(value: unknown): string | undefined {
  if (typeof value === "string") return textOf(value);
  const { name, email } = membersOf(value);
  const who = textOf(name);
  const mail = textOf(email);
  return who !== undefined && mail !== undefined ? `${who} <${mail}>` : (who ?? mail);
}

/** `license` as text; as old manifests have it, an object with `type`, and a list of such in `licenses`. */
function licencesOf(document: Members): readonly string[] {
  const all = [document["license"], document["licence"], document["licenses"]].flat(1);
  const names = all.flatMap((one) => textOf(typeof one === "string" ? one : membersOf(one)["type"]) ?? []);
  return [...new Set(names)].slice(0, 20);
}
