import { genericPackageUrl, gitPackageUrl, pypiPackageUrl } from "../package-url-ecosystems.ts";
import { pypiName } from "../package-url-types.ts";
import { gitAddress, localPath, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { lockfileErrors } from "./errors.ts";
import { groupByName, setScopes } from "./graph.ts";
import type { LockedFile, LockedFrom, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { checkFilesOf, distribution, hashMember } from "./python-files.ts";
import { list, type Members, members, optionalMembers, optionalText, shown, text, texts } from "./shape.ts";
import { describeLoosely, looseMembers, orElse } from "./tolerance.ts";
import { readToml } from "./toml-reader.ts";

interface Locked {
  readonly entry: Members;
  readonly draft: Draft;
  /** The source as the lockfile spells it, to compare with that of a dependency. */
  readonly source: string;
}

/** Reads uv.lock, version 1. */
export function readUvLock(file: LockfileText): Lockfile {
  const document = readToml(file.text, file.name);
  if (document["version"] !== 1) {
    throw lockfileErrors.make("LOCKFILE_VERSION", `version: expected 1, found ${shown(document["version"])}`);
  }
  const entries = list(document["package"], "package");
  checkCount(entries.length);
  const found = entries.flatMap((value) =>
    orElse(
      file,
      () => [readPackage(members(value, "package"))],
      () => loosePackage(value),
    ),
  );
  const byName = groupByName(found, ({ draft }) => draft.name);
  const markers = new Map<string, (string | undefined)[]>();
  const edges = (value: unknown, where: string): string[] =>
    list(value, where).flatMap((wanted) => {
      const edge = members(wanted, where);
      const keys = orElse(
        file,
        () => resolve(edge, byName, where),
        () => [],
      );
      const marker = optionalText(edge["marker"], where);
      for (const key of keys) markers.set(key, [...(markers.get(key) ?? []), marker]);
      return keys;
    });
  const inGroups = (value: unknown, where: string): string[] =>
    Object.entries(optionalMembers(value, where)).flatMap(([group, wanted]) => edges(wanted, `${where}.${group}`));
  const wants = { runtime: [] as string[], optional: [] as string[], development: [] as string[] };
  const memberKeys: string[] = [];
  for (const { entry, draft } of found) {
    const runtime = edges(entry["dependencies"], draft.key);
    const optional = inGroups(entry["optional-dependencies"], draft.key);
    const development = inGroups(entry["dev-dependencies"], draft.key);
    draft.dependencies = [...runtime, ...optional, ...development];
    if (draft.from.kind !== "local") continue;
    memberKeys.push(draft.key);
    wants.runtime.push(...runtime);
    wants.optional.push(...optional);
    wants.development.push(...development);
  }
  const root = found.find(({ draft }) => draft.from.kind === "local" && draft.from.path === ".");
  const direct = new Set([...wants.runtime, ...wants.optional, ...wants.development]);
  const drafts = found.filter((one) => one !== root).map(({ draft }) => draft);
  for (const draft of drafts) draft.direct = direct.has(draft.key);
  // A package that every way to it puts a condition on is wanted under one of them only.
  for (const draft of drafts) {
    const conditions = markers.get(draft.key) ?? [];
    if (conditions.length === 0 || conditions.includes(undefined)) continue;
    draft.platform = { marker: [...new Set(conditions)].map((one) => `(${one})`).join(" or ") };
  }
  const rootKey = root?.draft.key;
  for (const draft of drafts) draft.dependencies = draft.dependencies.filter((key) => key !== rootKey);
  const without = (keys: readonly string[]) => keys.filter((key) => key !== rootKey);
  // The project's own packages are the roots: what they ask for is sorted already.
  const asked = new Map(found.map(({ draft }) => [draft, draft.dependencies]));
  for (const { draft } of found) if (draft.from.kind === "local") draft.dependencies = [];
  setScopes(drafts, {
    runtime: without([...wants.runtime, ...memberKeys]),
    optional: without(wants.optional),
    development: without(wants.development),
  });
  for (const [draft, dependencies] of asked) draft.dependencies = dependencies;
  const own = root?.draft;
  return assemble(
    {
      format: "uv-lock-1",
      ecosystem: "pypi",
      path: file.path,
      ...(own !== undefined && {
        root: { name: own.name, version: own.version || undefined, dependencies: without(own.dependencies) },
      }),
      packages: drafts,
      limits: ["packages that building an sdist needs are not in uv.lock"],
    },
    file,
  );
}

/** Of an entry with something wrong in it, what is not. */
function loosePackage(value: unknown): Locked[] {
  const entry = looseMembers(value);
  const { name, version } = entry;
  const found = typeof name === "string" && describeLoosely({ ecosystem: "pypi", name: pypiName(name), version });
  if (!found) return [];
  const key = `${found.name} ${found.version}`;
  const draft: Draft = { ...found, key, ecosystem: "pypi", scope: "runtime", dependencies: [], direct: false };
  return [{ entry: {}, draft, source: spell(looseMembers(entry["source"])) }];
}

function resolve(edge: Members, byName: ReadonlyMap<string, readonly Locked[]>, where: string): string[] {
  const name = text(edge["name"], where);
  const version = optionalText(edge["version"], where);
  const source = edge["source"] === undefined ? undefined : spell(members(edge["source"], where));
  const found = (byName.get(name) ?? []).filter(
    (one) =>
      (version === undefined || one.draft.version === version) && (source === undefined || one.source === source),
  );
  if (found.length !== 1) {
    const problem = found.length === 0 ? "is not locked" : `is one of ${found.length} that are locked`;
    throw lockfileErrors.make("LOCKFILE_EDGE", `${where} depends on ${shown(name)}, which ${problem}`);
  }
  return found.map(({ draft }) => draft.key);
}

function readPackage(entry: Members): Locked {
  const name = pypiName(checkName("pypi", text(entry["name"], "package.name"), "package"));
  const written = optionalText(entry["version"], name);
  const version = written === undefined ? "" : checkVersion("pypi", written, name);
  const source = members(entry["source"], `${name}.source`);
  const key = `${name} ${version} ${spell(source)}`;
  const files: LockedFile[] = [];
  if (entry["sdist"] !== undefined) files.push(fileOf(members(entry["sdist"], key), source, key));
  for (const wheel of list(entry["wheels"], key)) files.push(fileOf(members(wheel, key), source, key));
  const markers = texts(entry["resolution-markers"], key);
  const { from, purl } = origin(source, name, version, key);
  if (from.kind === "registry" && files.length === 0) {
    throw lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${key}: expected an sdist or wheels, found none`);
  }
  checkFilesOf(name, from.kind === "registry" ? files : [], key);
  const [only] = files;
  const isOne = from.kind === "url" && files.length === 1 && only !== undefined;
  if (from.kind === "url" && files.length === 0) {
    throw lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${key}: expected a hash, found none`);
  }
  return {
    entry,
    source: spell(source),
    draft: {
      key,
      ecosystem: "pypi",
      name,
      version,
      ...(purl !== undefined && { purl }),
      from,
      digests: isOne ? only.digests : [],
      ...(!isOne && files.length > 0 && { files }),
      ...(markers.length > 0 && { platform: { marker: markers.map((one) => `(${one})`).join(" or ") } }),
      scope: "runtime",
      dependencies: [],
      direct: false,
    },
  };
}

/** In an entry that comes from an address or a path, the file's address is the source's. */
function fileOf(entry: Members, source: Members, where: string): LockedFile {
  const at = entry["url"] === undefined && entry["filename"] === undefined ? { ...source, ...entry } : entry;
  return distribution(at, hashMember(entry, where), where);
}

function spell(source: Members): string {
  return Object.entries(source)
    .map(([kind, value]) => `${kind}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .sort()
    .join(" ");
}

function origin(source: Members, name: string, version: string, where: string): { from: LockedFrom; purl?: string } {
  const member = (kind: string) => optionalText(source[kind], where);
  const registry = member("registry");
  if (registry !== undefined) {
    if (version === "") throw lockfileErrors.make("LOCKFILE_UNPINNED", `${where}: expected a version, found none`);
    const isPath = !/^https?:/.test(registry);
    if (isPath) return { from: { kind: "local", path: localPath(registry, where) } };
    return { from: { kind: "registry", index: webAddress(registry, where).url }, purl: pypiPackageUrl(name, version) };
  }
  const git = member("git");
  if (git !== undefined) {
    const hash = git.lastIndexOf("#");
    const from = gitAddress(git.slice(0, Math.max(hash, 0)).replace(/\?.*$/, ""), git.slice(hash + 1), where);
    return { from, purl: gitPackageUrl(from.url, from.commit, name) };
  }
  const address = member("url");
  if (address !== undefined) {
    const { url } = webAddress(address, where);
    return { from: { kind: "url", url }, purl: genericPackageUrl(name, { ...(version !== "" && { version }), url }) };
  }
  const path = member("path") ?? member("directory") ?? member("editable") ?? member("virtual");
  if (path === undefined) {
    throw lockfileErrors.make("LOCKFILE_MALFORMED", `${where}: expected a known source, found ${shown(source)}`);
  }
  return { from: { kind: "local", path: localPath(path, where) } };
}
