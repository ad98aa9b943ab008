import { genericPackageUrl, gitPackageUrl, pypiPackageUrl } from "../package-url-ecosystems.ts";
import { pypiName } from "../package-url-types.ts";
import { gitAddress, localPath, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { hexDigest, sortDigests } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import { groupByName, markUnasked } from "./graph.ts";
import type { AnnouncedDigest, LockedFile, LockedPackage, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { checkFilesOf, distribution } from "./python-files.ts";
import { list, type Members, members, optionalText, shown, text, textMembers } from "./shape.ts";
import { describeLoosely, looseMembers, orElse } from "./tolerance.ts";
import { readToml } from "./toml-reader.ts";

/** Reads pylock.toml (PEP 751), version 1.0. */
export function readPylock(file: LockfileText): Lockfile {
  const document = readToml(file.text, file.name);
  if (!/^1\.\d+$/.test(String(document["lock-version"]))) {
    throw lockfileErrors.make(
      "LOCKFILE_VERSION",
      `lock-version: expected 1.0, found ${shown(document["lock-version"])}`,
    );
  }
  const entries = list(document["packages"], "packages");
  checkCount(entries.length);
  const found = entries.flatMap((value) =>
    orElse(
      file,
      () => {
        const entry = members(value, "packages");
        return [{ entry, draft: readPackage(entry) }];
      },
      () => {
        const draft = looseDraft(value);
        return draft === undefined ? [] : [{ entry: looseMembers(value), draft }];
      },
    ),
  );
  const byName = groupByName(found, ({ draft }) => draft.name);
  let saysEdges = false;
  for (const { entry, draft } of found) {
    for (const wanted of list(entry["dependencies"], draft.key)) {
      saysEdges = true;
      const keys = orElse(
        file,
        () => [resolve(members(wanted, draft.key), byName, draft.key)],
        () => [],
      );
      draft.dependencies.push(...keys);
    }
  }
  const drafts = found.map(({ draft }) => draft);
  if (saysEdges) markUnasked(drafts);
  else for (const draft of drafts) draft.direct = true;
  const limits = [
    saysEdges
      ? "pylock.toml does not say what the project asks for: direct is what no locked package asks for"
      : "the client wrote no dependency edges; every package counts as wanted by the project",
    "groups and extras stand in markers; all counts as runtime",
  ];
  return assemble({ format: "pylock-1", ecosystem: "pypi", path: file.path, packages: drafts, limits }, file);
}

/** Of an entry with something wrong in it, what is not. */
function looseDraft(value: unknown): Draft | undefined {
  const { name, version } = looseMembers(value);
  const found = typeof name === "string" && describeLoosely({ ecosystem: "pypi", name: pypiName(name), version });
  if (!found) return undefined;
  const key = `${found.name} ${found.version}`;
  return { ...found, key, ecosystem: "pypi", scope: "runtime", dependencies: [], direct: false };
}

/** An edge names as many members of a package as it takes to be unambiguous (PEP 751, packages.dependencies). */
function resolve(
  wanted: Members,
  byName: ReadonlyMap<string, readonly { entry: Members; draft: Draft }[]>,
  where: string,
): string {
  const name = pypiName(text(wanted["name"], where));
  const found = (byName.get(name) ?? []).filter(({ entry }) =>
    Object.entries(wanted).every(
      ([key, value]) => key === "name" || JSON.stringify(entry[key]) === JSON.stringify(value),
    ),
  );
  const [only] = found;
  if (found.length !== 1 || only === undefined) {
    const problem = found.length === 0 ? "is not locked" : `is one of ${found.length} that are locked`;
    throw lockfileErrors.make("LOCKFILE_EDGE", `${where} depends on ${shown(name)}, which ${problem}`);
  }
  return only.draft.key;
}

function readPackage(entry: Members): Draft {
  const name = pypiName(checkName("pypi", text(entry["name"], "packages.name"), "packages"));
  const written = optionalText(entry["version"], name);
  const version = written === undefined ? "" : checkVersion("pypi", written, name);
  const marker = optionalText(entry["marker"], name);
  const key = [name, version, marker].filter((part) => part !== undefined && part !== "").join(" ");
  return {
    ...origin(entry, name, version, key),
    key,
    ecosystem: "pypi",
    name,
    version,
    ...(marker !== undefined && { platform: { marker } }),
    scope: "runtime",
    dependencies: [],
    direct: false,
  };
}

type Origin = Pick<LockedPackage, "purl" | "from" | "digests" | "files">;

function origin(entry: Members, name: string, version: string, where: string): Origin {
  const stated = version === "" ? {} : { version };
  if (entry["vcs"] !== undefined) {
    const vcs = members(entry["vcs"], where);
    if (vcs["type"] !== "git") {
      throw lockfileErrors.make("LOCKFILE_ADDRESS", `${where}: expected a git repository, found ${shown(vcs["type"])}`);
    }
    if (vcs["url"] === undefined)
      return { from: { kind: "local", path: localPath(text(vcs["path"], where), where) }, digests: [] };
    const from = gitAddress(text(vcs["url"], where), text(vcs["commit-id"], where), where);
    return { from, purl: gitPackageUrl(from.url, from.commit, name), digests: [] };
  }
  if (entry["directory"] !== undefined) {
    const path = localPath(text(members(entry["directory"], where)["path"], where), where);
    return { from: { kind: "local", path }, digests: [] };
  }
  if (entry["archive"] !== undefined) {
    const archive = members(entry["archive"], where);
    const digests = hashesOf(archive, where);
    if (digests.length === 0) throw noDigest(where);
    if (archive["url"] === undefined) {
      return { from: { kind: "local", path: localPath(text(archive["path"], where), where) }, digests };
    }
    const { url } = webAddress(text(archive["url"], where), where);
    return { from: { kind: "url", url }, purl: genericPackageUrl(name, { ...stated, url }), digests };
  }
  const all = [...(entry["sdist"] === undefined ? [] : [entry["sdist"]]), ...list(entry["wheels"], where)];
  const files = all.map((value): LockedFile => {
    const file = members(value, where);
    return distribution(file, hashesOf(file, where), where);
  });
  if (files.length === 0) throw noDigest(where);
  if (version === "") throw lockfileErrors.make("LOCKFILE_UNPINNED", `${where}: expected a version, found none`);
  checkFilesOf(name, files, where);
  const index = optionalText(entry["index"], where);
  const from = { kind: "registry", ...(index !== undefined && { index: webAddress(index, where).url }) } as const;
  return { from, purl: pypiPackageUrl(name, version), digests: [], files };
}

function hashesOf(entry: Members, where: string): readonly AnnouncedDigest[] {
  return sortDigests(
    Object.entries(textMembers(entry["hashes"], where)).map(([name, value]) => hexDigest(name, value, where)),
  );
}

function noDigest(where: string) {
  return lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${where}: expected files with hashes, found none`);
}
