import { genericPackageUrl, gitPackageUrl, pypiPackageUrl } from "../package-url-ecosystems.ts";
import { pypiName } from "../package-url-types.ts";
import { gitAddress, localPath, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { prefixedDigest } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import { groupByName, markUnasked } from "./graph.ts";
import type { LockedFile, LockedPackage, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { poetryProject } from "./poetry-project.ts";
import { checkFilesOf, fileName } from "./python-files.ts";
import { fitsPython } from "./python-version.ts";
import { flag, list, type Members, members, optionalMembers, optionalText, shown, text, texts } from "./shape.ts";
import { describeLoosely, looseMembers, orElse } from "./tolerance.ts";
import { readToml } from "./toml-reader.ts";

const versions = ["2.0", "2.1"];
/** Before 1.5 Poetry kept the digests of all packages in one table, and said `category`. */
const olderVersions = ["0", "1.0", "1.1"];

/** Reads poetry.lock, versions 2.0 and 2.1, with the pyproject.toml beside it; versions 1 where losses are tolerated. */
export function readPoetryLock(file: LockfileText): Lockfile {
  const document = readToml(file.text, file.name);
  const metadata = optionalMembers(document["metadata"], "metadata");
  const stated = metadata["lock-version"];
  const version = stated === undefined ? "0" : typeof stated === "string" ? stated : "";
  const isOlder = olderVersions.includes(version) && file.tolerate !== undefined;
  if (!versions.includes(version) && !isOlder) {
    throw lockfileErrors.make(
      "LOCKFILE_VERSION",
      `metadata.lock-version: expected 2.0 or 2.1, found ${shown(stated)}`,
      {
        hint: "Run `poetry lock` with Poetry 1.5 or newer.",
      },
    );
  }
  const entries = list(document["package"], "package");
  checkCount(entries.length);
  const listed = isOlder ? optionalMembers(metadata["files"], "metadata.files") : {};
  const found = entries.flatMap((value) =>
    orElse(
      file,
      () => {
        const stated = members(value, "package");
        const entry = isOlder ? { ...stated, files: listed[String(stated["name"])] } : stated;
        return [{ entry, draft: readPackage(entry) }];
      },
      () => {
        const draft = looseDraft(value);
        return draft === undefined ? [] : [{ entry: value as Members, draft }];
      },
    ),
  );
  const byName = groupByName(
    found.map(({ draft }) => draft),
    ({ name }) => name,
  );
  for (const { entry, draft } of found) {
    for (const [name, wanted] of Object.entries(optionalMembers(entry["dependencies"], draft.key))) {
      const keys = orElse(
        file,
        () => resolve(name, wanted, byName, draft.key),
        () => [],
      );
      draft.dependencies.push(...keys);
    }
  }
  const drafts = found.map(({ draft }) => draft);
  const project = poetryProject(file);
  if (project === undefined) markUnasked(drafts);
  else for (const draft of drafts) draft.direct = project.asksFor.has(draft.name);
  const limits = ["packages that building an sdist needs are not in poetry.lock"];
  if (project === undefined) limits.push("without pyproject.toml, direct is what no locked package asks for");
  if (version === "2.0") limits.push("poetry.lock 2.0 does not say which packages are for development only");
  const asked = drafts.flatMap(({ direct, key }) => (direct ? [key] : []));
  return assemble(
    {
      format: `poetry-lock-${version}`,
      ecosystem: "pypi",
      path: file.path,
      ...(project !== undefined && { root: { name: project.name, version: project.version, dependencies: asked } }),
      packages: drafts,
      limits,
    },
    file,
  );
}

/** Of an entry with something wrong in it, what is not. */
function looseDraft(value: unknown): Draft | undefined {
  const entry = looseMembers(value);
  const { name, version } = entry;
  const found = typeof name === "string" && describeLoosely({ ecosystem: "pypi", name: pypiName(name), version });
  if (!found) return undefined;
  const scope = entry["category"] === "dev" ? "development" : "runtime";
  return { ...found, key: `${found.name} ${found.version}`, ecosystem: "pypi", scope, dependencies: [], direct: false };
}

/** Every locked version of a package that fits: with markers there may be several, for different systems. */
function resolve(
  written: string,
  wanted: unknown,
  byName: ReadonlyMap<string, readonly Draft[]>,
  where: string,
): string[] {
  const name = pypiName(checkName("pypi", written, where));
  const named = byName.get(name) ?? [];
  const ways = (Array.isArray(wanted) ? wanted : [wanted]).map((way) =>
    typeof way === "string" ? { version: way } : members(way, `${where} > ${name}`),
  );
  const isOptional = ways.every((way) => "optional" in way && way["optional"] === true);
  const keys = new Set<string>();
  for (const way of ways) {
    const constraint = optionalText(way["version" as keyof typeof way], where) ?? "*";
    const fitting = named.filter((draft) => named.length === 1 || fitsPython(draft.version, constraint));
    for (const draft of fitting) keys.add(draft.key);
  }
  // What only an extra asks for, or a Python that the project excludes, is not locked.
  const mayMiss = isOptional || ways.every((way) => "markers" in way || "python" in way);
  if (keys.size === 0 && !mayMiss) {
    throw lockfileErrors.make("LOCKFILE_EDGE", `${where} depends on ${shown(name)}, which is not locked`);
  }
  return [...keys];
}

function readPackage(entry: Members): Draft {
  const name = pypiName(checkName("pypi", text(entry["name"], "package.name"), "package"));
  const version = checkVersion("pypi", text(entry["version"], name), name);
  const source = optionalMembers(entry["source"], name);
  const resolved = optionalText(source["resolved_reference"], name) ?? optionalText(source["url"], name);
  const key =
    resolved === undefined || source["type"] === "legacy" ? `${name} ${version}` : `${name} ${version} ${resolved}`;
  const files = list(entry["files"], key).map((value): LockedFile => {
    const file = members(value, key);
    const hash = text(file["hash"], key);
    return { name: fileName(text(file["file"], key), key), digests: [prefixedDigest(hash, key)] };
  });
  const marker = markerOf(entry["markers"], key);
  return {
    ...origin(source, name, version, files, key),
    key,
    ecosystem: "pypi",
    name,
    version,
    ...(marker !== undefined && { platform: { marker } }),
    scope: scopeOf(entry, key),
    dependencies: [],
    direct: false,
  };
}

/** Text, or text for each group. */
function markerOf(value: unknown, where: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  const all = [...new Set(Object.values(members(value, where)).map((one) => text(one, where)))];
  return all.map((one) => `(${one})`).join(" or ");
}

function scopeOf(entry: Members, where: string): LockedPackage["scope"] {
  const groups = texts(entry["groups"], where);
  if ((groups.length > 0 && !groups.includes("main")) || entry["category"] === "dev") return "development";
  return flag(entry["optional"], where) ? "optional" : "runtime";
}

type Origin = Pick<LockedPackage, "purl" | "from" | "digests" | "files">;

function origin(source: Members, name: string, version: string, files: readonly LockedFile[], where: string): Origin {
  const type = optionalText(source["type"], where) ?? "legacy";
  const address = optionalText(source["url"], where);
  if (type === "git") {
    const from = gitAddress(address ?? "", optionalText(source["resolved_reference"], where) ?? "", where);
    return { from, purl: gitPackageUrl(from.url, from.commit, name), digests: [] };
  }
  if (type === "directory" || type === "file") {
    return {
      from: { kind: "local", path: localPath(address ?? "", where) },
      digests: [],
      ...(files.length > 0 && { files }),
    };
  }
  if (files.length === 0) {
    throw lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${where}: expected files with hashes, found none`);
  }
  if (type === "url") {
    const { url } = webAddress(address ?? "", where);
    const [only] = files;
    const isOne = files.length === 1 && only !== undefined;
    const purl = genericPackageUrl(name, { version, url });
    return { from: { kind: "url", url }, purl, digests: isOne ? only.digests : [], ...(!isOne && { files }) };
  }
  if (type !== "legacy") {
    throw lockfileErrors.make("LOCKFILE_ADDRESS", `${where}: expected a source of a known type, found ${shown(type)}`);
  }
  checkFilesOf(name, files, where);
  const from = { kind: "registry", ...(address !== undefined && { index: webAddress(address, where).url }) } as const;
  return { from, purl: pypiPackageUrl(name, version), digests: [], files };
}
