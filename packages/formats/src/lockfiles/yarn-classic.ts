import { genericPackageUrl, gitPackageUrl, npmPackageUrl } from "../package-url-ecosystems.ts";
import { checkArchiveAddress, gitAddress, isGitAddress, localPath, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { hexDigest, integrityDigests, sortDigests } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import { markUnasked, setScopes } from "./graph.ts";
import type { AnnouncedDigest, LockedPackage, Lockfile } from "./locked.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { shown } from "./shape.ts";
import { describeLoosely, orElse } from "./tolerance.ts";
import { readYarnEntries, type YarnEntry } from "./yarn-classic-reader.ts";

/** Reads yarn.lock of yarn 1, with the package.json beside it. */
export function readYarnClassic(file: LockfileText): Lockfile {
  const entries = readYarnEntries(file.text, file);
  checkCount(entries.length);
  const byDescriptor = new Map(entries.flatMap((entry) => entry.descriptors.map((one) => [one, entry] as const)));
  const byName = new Map<string, YarnEntry[]>();
  for (const entry of entries) {
    for (const name of new Set(entry.descriptors.map((one) => splitDescriptor(one).name))) {
      const named = byName.get(name);
      if (named === undefined) byName.set(name, [entry]);
      else named.push(entry);
    }
  }
  // With `resolutions` an entry stands under the range that was forced, and no longer under what its users ask for.
  const find = (name: string, range: string): YarnEntry | undefined => {
    const exact = byDescriptor.get(`${name}@${range}`);
    const named = byName.get(name) ?? [];
    if (exact !== undefined || named.length < 2) return exact ?? named[0];
    throw lockfileErrors.make("LOCKFILE_EDGE", `${name}@${range} is not locked, and ${named.length} other ranges are`);
  };
  const optionalEdges = new Map<string, ReadonlySet<string>>();
  const drafts = entries.flatMap((entry): Draft[] => {
    const key = keyOf(entry);
    const needed = edgesOf(entry, "dependencies", find, file);
    const optional = edgesOf(entry, "optionalDependencies", find, file);
    optionalEdges.set(key, new Set(optional));
    const dependencies = [...needed, ...optional];
    const found = orElse(
      file,
      () => describe(entry),
      () => loosely(entry),
    );
    return found === undefined
      ? []
      : [{ ...found, key, ecosystem: "npm", scope: "runtime", dependencies, direct: false }];
  });
  const manifest = readManifest(file);
  const byKey = new Map(drafts.map((draft) => [draft.key, draft]));
  const wanted = (kind: "dependencies" | "optionalDependencies" | "devDependencies"): string[] =>
    Object.entries(manifest?.[kind] ?? {}).flatMap(([name, range]) => {
      const entry = orElse(
        file,
        () => find(name, range),
        () => undefined,
      );
      if (entry === undefined) return [];
      const draft = byKey.get(keyOf(entry));
      if (draft !== undefined) draft.direct = true;
      return [keyOf(entry)];
    });
  const [runtime, optional, development] = [
    wanted("dependencies"),
    wanted("optionalDependencies"),
    wanted("devDependencies"),
  ];
  // What no package asks for, the project or one of its workspaces does.
  if (manifest === undefined || manifest.hasWorkspaces) markUnasked(drafts);
  const unasked = drafts.filter(({ key, direct }) => direct && !optional.includes(key) && !development.includes(key));
  setScopes(drafts, { runtime: [...runtime, ...unasked.map(({ key }) => key)], optional, development, optionalEdges });
  const asked = manifest === undefined ? undefined : [...runtime, ...optional, ...development];
  const root = { name: manifest?.name, version: manifest?.version, dependencies: asked };
  return assemble(
    {
      format: "yarn-classic-1",
      ecosystem: "npm",
      path: file.path,
      ...(manifest?.name !== undefined && { root }),
      packages: drafts,
      limits: limitsOf(manifest),
    },
    file,
  );
}

function limitsOf(manifest: Manifest | undefined): string[] {
  const limits = [
    "yarn 1 does not say for which systems a package is, which have install scripts, what is bundled, nor where peer dependencies lead",
    "workspaces are not in yarn.lock",
  ];
  if (manifest === undefined)
    limits.push("without package.json, direct is what no locked package asks for; all counts as runtime");
  else if (manifest.hasWorkspaces)
    limits.push("what workspaces ask for is known only where no locked package asks for it");
  return limits;
}

function keyOf(entry: YarnEntry): string {
  return entry.descriptors.join(", ");
}

function splitDescriptor(descriptor: string): { readonly name: string; readonly range: string } {
  const at = descriptor.indexOf("@", 1);
  return at < 1 ? { name: descriptor, range: "" } : { name: descriptor.slice(0, at), range: descriptor.slice(at + 1) };
}

function edgesOf(
  entry: YarnEntry,
  group: "dependencies" | "optionalDependencies",
  find: (name: string, range: string) => YarnEntry | undefined,
  file: LockfileText,
): string[] {
  const follow = (name: string, range: string): string[] => {
    checkName("npm", name, `line ${entry.line}`);
    const found = find(name, range);
    if (found === undefined && group === "dependencies") {
      throw lockfileErrors.make("LOCKFILE_EDGE", `${keyOf(entry)} depends on ${name}@${range}, which is not locked`);
    }
    return found === undefined ? [] : [keyOf(found)];
  };
  return [...(entry.groups.get(group) ?? [])].flatMap(([name, range]) =>
    orElse(
      file,
      () => follow(name, range),
      () => [],
    ),
  );
}

type Description = Pick<LockedPackage, "name" | "version" | "purl" | "alias" | "from" | "digests">;

function describe(entry: YarnEntry): Description {
  const where = `line ${entry.line}`;
  const { name: asked, range } = splitDescriptor(entry.descriptors[0] ?? "");
  checkName("npm", asked, where);
  const names = new Set(entry.descriptors.map((one) => splitDescriptor(one)).map(registryName));
  if (names.size > 1) {
    throw lockfileErrors.make(
      "LOCKFILE_MALFORMED",
      `${where}: expected descriptors of one package, found ${shown([...names])}`,
    );
  }
  const name = checkName("npm", registryName({ name: asked, range }), where);
  const version = checkVersion("npm", entry.fields.get("version") ?? "", where);
  const named = { name, version, ...(name !== asked && { alias: asked }) };
  const resolved = entry.fields.get("resolved");
  if (resolved === undefined || resolved.startsWith("file:") || range.startsWith("link:")) {
    if (!/^(?:file|link):|^\.{0,2}\//.test(range)) {
      throw lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${where}: expected a member resolved, found none`);
    }
    const path = range.replace(/^(?:file|link):/, "").replace(/#.*$/, "");
    return { ...named, from: { kind: "local", path: localPath(path, where) }, digests: [] };
  }
  const hash = resolved.indexOf("#");
  if (isGitAddress(resolved)) {
    const from = gitAddress(resolved.slice(0, hash), resolved.slice(hash + 1), where);
    return { ...named, purl: gitPackageUrl(from.url, from.commit, name), from, digests: [] };
  }
  const { url, fragment } = webAddress(resolved, where);
  const digests = digestsOf(entry, fragment, where);
  const isUrl = /^https?:/.test(range);
  const isCommit =
    !isUrl && /^(?:github:|gitlab:|bitbucket:|[^@:]+\/)/.test(range) && /\/[0-9a-f]{40}(?:$|[/?.])/.test(url);
  if (digests.length === 0 && !isCommit) {
    throw lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${where}: expected a member integrity, found none`);
  }
  if (isUrl || isCommit) {
    const purl = genericPackageUrl(name.replace(/^.*\//, ""), { version, url });
    return { ...named, purl, from: { kind: "url", url }, digests };
  }
  checkArchiveAddress(url, name, version, where);
  return { ...named, purl: npmPackageUrl(name, version), from: { kind: "registry", url }, digests };
}

/** Of an entry with something wrong in it, what is not. */
function loosely(entry: YarnEntry): Description | undefined {
  const asked = splitDescriptor(entry.descriptors[0] ?? "");
  const resolved = entry.fields.get("resolved");
  return describeLoosely({
    ecosystem: "npm",
    name: registryName(asked),
    alias: asked.name,
    version: entry.fields.get("version"),
    address: resolved,
    integrity: entry.fields.get("integrity"),
  });
}

function registryName({ name, range }: { readonly name: string; readonly range: string }): string {
  return range.startsWith("npm:") ? splitDescriptor(range.slice(4)).name : name;
}

/** `integrity`, and the SHA-1 that yarn appends to the address. */
function digestsOf(entry: YarnEntry, fragment: string, where: string): readonly AnnouncedDigest[] {
  const integrity = entry.fields.get("integrity");
  const digests = integrity === undefined ? [] : [...integrityDigests(integrity, where)];
  if (fragment === "") return digests;
  const short = hexDigest("sha1", fragment, where);
  const other = digests.find(({ algorithm }) => algorithm === "sha1");
  if (other !== undefined && other.value !== short.value) {
    throw lockfileErrors.make("LOCKFILE_DUPLICATE", `${where}: integrity and address have different SHA-1 digests`);
  }
  return sortDigests(other === undefined ? [...digests, short] : digests);
}
