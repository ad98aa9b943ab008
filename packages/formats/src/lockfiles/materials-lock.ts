import { canonicalJson } from "@touchmark/core";
import { packageUrl, parsePackageUrl } from "../package-url-spelling.ts";
import { described, list, type Of, object, oneOf, optional, text } from "../predicates/shape.ts";
import { gitAddress, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { hexDigest } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import { readJson } from "./json-reader.ts";
import type { Ecosystem, LockedFile, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { shown } from "./shape.ts";

/** Version of the document. */
export const materialsLockVersion = "materials-lock/v1";

const file = object({
  name: optional(described("Name of the file; the last part of `url` when absent.", text({ max: 255 }))),
  url: optional(
    described("Where it comes from, when not from the ecosystem's upstream.", text({ max: 4096, empty: true })),
  ),
  sha256: described("SHA-256 of the file, lower-case hexadecimal.", text({ pattern: /^[0-9a-f]{64}$/, max: 64 })),
});
const lockedPackage = object({
  purl: described("Package URL with version, canonical.", text({ max: 4096, empty: true })),
  files: described("Every file that may be fetched for it; empty for git.", list(file, { max: 10_000 })),
  git: optional(
    described(
      "For a package that is a commit of a repository.",
      object({
        url: described("Repository, without credentials.", text({ max: 4096, empty: true })),
        commit: described("Exact commit.", text({ pattern: /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, max: 64 })),
      }),
    ),
  ),
});
const document = object({
  touchmark: described("Version of this document.", oneOf(materialsLockVersion)),
  packages: described("What may be fetched, sorted by purl.", list(lockedPackage, { max: 200_000 })),
});

/** The document `touchmark-materials.lock.json`, for what has no lockfile of its own: Maven, apt, git, plain files. */
export type MaterialsLock = Of<typeof document>;

const ecosystems: Readonly<Record<string, Ecosystem>> = {
  cargo: "cargo",
  deb: "deb",
  generic: "generic",
  golang: "golang",
  maven: "maven",
  npm: "npm",
  pypi: "pypi",
};

/** The published JSON Schema (draft 2020-12) of `touchmark-materials.lock.json`, made from the reader's own. */
export function materialsLockSchema(): Record<string, unknown> {
  return {
    $id: "https://touchmark.dev/schemas/materials-lock/v1.json",
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...document.schema,
  };
}

/** Reads touchmark-materials.lock.json. */
export function readMaterialsLock(file: LockfileText): Lockfile {
  const value = readJson(file.text);
  const version = typeof value === "object" && value !== null && "touchmark" in value ? value["touchmark"] : undefined;
  if (version !== materialsLockVersion) {
    throw lockfileErrors.make(
      "LOCKFILE_VERSION",
      `touchmark: expected ${materialsLockVersion}, found ${shown(version)}`,
    );
  }
  const { packages } = checked(value);
  checkCount(packages.length);
  return assemble({
    format: "touchmark-materials-1",
    ecosystem: "generic",
    path: file.path,
    packages: packages.map(draftOf),
    limits: ["touchmark-materials.lock.json says no dependency edges"],
  });
}

/**
 * Writes the document in its one spelling: packages by purl, files by name, two spaces of indentation.
 * @throws LOCKFILE_MALFORMED | LOCKFILE_DUPLICATE and what reading throws
 */
export function writeMaterialsLock(packages: MaterialsLock["packages"]): string {
  const by =
    <T>(key: (one: T) => string) =>
    (a: T, b: T) =>
      key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
  const sorted = packages
    .map((one) => ({ ...one, files: [...one.files].sort(by(({ name, url }) => name ?? url ?? "")) }))
    .sort(by(({ purl }) => purl));
  const lock = checked({ touchmark: materialsLockVersion, packages: sorted });
  const written = `${JSON.stringify(JSON.parse(canonicalJson(lock)), null, 2)}\n`;
  readMaterialsLock({ path: "touchmark-materials.lock.json", name: "touchmark-materials.lock.json", text: written });
  return written;
}

function checked(value: unknown): MaterialsLock {
  try {
    document.check(value, "the document");
    return value as MaterialsLock;
  } catch (cause) {
    throw lockfileErrors.make("LOCKFILE_MALFORMED", (cause as Error).message, { cause });
  }
}

function draftOf(one: MaterialsLock["packages"][number]): Draft {
  const parts = parsePackageUrl(one.purl);
  if (packageUrl(parts) !== one.purl) {
    throw lockfileErrors.make(
      "LOCKFILE_NAME",
      `${shown(one.purl)}: expected the canonical spelling ${packageUrl(parts)}`,
    );
  }
  const ecosystem = one.git === undefined ? ecosystemOf(parts.type) : "git";
  const version = parts.version ?? "";
  const name = ecosystem === "git" ? parts.name : nameOf(ecosystem, parts.namespace, parts.name);
  checkName(ecosystem, name, one.purl);
  if (one.git === undefined) checkVersion(ecosystem, version, one.purl);
  const files = one.files.map((entry): LockedFile => {
    const url = entry.url === undefined ? undefined : webAddress(entry.url, one.purl).url;
    const stated = entry.name ?? url?.replace(/[?#].*$/s, "").replace(/^.*\//s, "") ?? "";
    if (stated === "" || /[/\\\u0000-\u001f\u007f]|^\.{1,2}$/.test(stated)) {
      throw lockfileErrors.make("LOCKFILE_NAME", `${one.purl}: expected the name of a file, found ${shown(stated)}`);
    }
    return { name: stated, digests: [hexDigest("sha256", entry.sha256, one.purl)], ...(url !== undefined && { url }) };
  });
  if (one.git === undefined && files.length === 0) {
    throw lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${one.purl}: expected at least one file, found none`);
  }
  const names = new Set(files.map((entry) => entry.name));
  if (names.size < files.length) {
    throw lockfileErrors.make("LOCKFILE_DUPLICATE", `${one.purl}: one name of a file stands twice`);
  }
  const url = ecosystem === "generic" && files.length === 1 ? files[0]?.url : undefined;
  const from =
    one.git === undefined
      ? url === undefined
        ? ({ kind: "registry" } as const)
        : ({ kind: "url", url } as const)
      : gitAddress(one.git.url, one.git.commit, one.purl);
  return {
    key: one.purl,
    ecosystem,
    name,
    version,
    purl: one.purl,
    from,
    digests: files.length === 1 ? (files[0]?.digests ?? []) : [],
    ...(files.length > 0 && { files }),
    scope: "runtime",
    dependencies: [],
    direct: true,
  };
}

function ecosystemOf(type: string): Ecosystem {
  const found = Object.hasOwn(ecosystems, type) ? ecosystems[type] : undefined;
  if (found !== undefined) return found;
  throw lockfileErrors.make("LOCKFILE_NAME", `expected a package URL of a known type, found ${shown(type)}`);
}

function nameOf(ecosystem: Ecosystem, namespace: string | undefined, name: string): string {
  if (ecosystem === "maven") return `${namespace}:${name}`;
  if (ecosystem === "deb" || ecosystem === "generic" || namespace === undefined) return name;
  return `${namespace}/${name}`;
}
