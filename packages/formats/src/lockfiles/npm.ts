import { genericPackageUrl, gitPackageUrl, npmPackageUrl } from "../package-url-ecosystems.ts";
import { checkArchiveAddress, gitAddress, isGitAddress, localPath, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { integrityDigests } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import { readJson } from "./json-reader.ts";
import type { LockedFrom, LockedPackage, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import { bundledPlaces, lookUp, type NpmNode, type NpmTree, nameAtPlace } from "./npm-tree.ts";
import type { LockfileText } from "./options.ts";
import { flag, list, type Members, members, optionalText, shown, text, textMembers, texts } from "./shape.ts";

const dependencyKinds = ["dependencies", "optionalDependencies", "peerDependencies"] as const;

/** Reads package-lock.json and npm-shrinkwrap.json, versions 2 and 3. */
export function readNpmLock(file: LockfileText): Lockfile {
  const document = members(readJson(file.text), file.name);
  const version = document["lockfileVersion"];
  if (version !== 2 && version !== 3) throw unknownVersion(version, document);
  const packages = members(document["packages"], "packages");
  const tree = readTree(packages);
  const root = tree.get("");
  if (root === undefined) {
    throw lockfileErrors.make("LOCKFILE_MALFORMED", "packages: expected an entry for the project itself, found none");
  }
  const { edges, dangling, addresses } = readEdges(tree);
  const bundled = bundledPlaces(tree, edges);
  const linked = linkNames(tree);
  const direct = new Set(
    [...tree.values()].flatMap(({ place, name }) => (name === undefined ? (edges.get(place) ?? []) : [])),
  );
  const drafts: Draft[] = [];
  for (const node of tree.values()) {
    if (node.place === "" || (isLink(node) && tree.has(linkTarget(node)))) continue;
    drafts.push({
      ...describe(node, bundled.get(node.place), linked.get(node.place), addresses.has(node.place)),
      key: node.place,
      ecosystem: "npm",
      ...platformOf(node),
      ...(flag(node.entry["hasInstallScript"], node.place) && { installScripts: true }),
      ...licenceOf(node.entry),
      scope: scopeOf(node.entry, node.place),
      dependencies: [...(edges.get(node.place) ?? [])],
      direct: direct.has(node.place),
    });
  }
  const limits: string[] = [];
  if (version === 2) limits.push("the member `dependencies`, which npm 6 reads, is not looked at");
  if (dangling.length > 0) {
    const some = dangling.slice(0, 5).join(", ");
    limits.push(`${dangling.length} dependencies are in no node_modules of the lockfile (${some})`);
  }
  return assemble({
    format: `npm-package-lock-${version}`,
    ecosystem: "npm",
    path: file.path,
    root: {
      name: optionalText(document["name"], "name"),
      version: optionalText(document["version"], "version"),
      ...licenceOf(root.entry),
      dependencies: edges.get("") ?? [],
    },
    packages: drafts,
    limits,
  });
}

function unknownVersion(version: unknown, document: Members) {
  const isOld = version === 1 || (version === undefined && !Object.hasOwn(document, "packages"));
  return lockfileErrors.make(
    "LOCKFILE_VERSION",
    `lockfileVersion: expected 2 or 3, found ${shown(version)}`,
    isOld ? { hint: "Version 1 names no platforms: run `npm install --package-lock-only` with npm 7 or newer." } : {},
  );
}

function readTree(packages: Members): NpmTree {
  const tree = new Map<string, NpmNode>();
  for (const [place, value] of Object.entries(packages)) {
    checkCount(tree.size);
    const entry = members(value, place);
    const name = nameAtPlace(place);
    if (name !== undefined) checkName("npm", name, place);
    else if (/(?:^|\/)node_modules(?:\/|$)/.test(place))
      checkName("npm", place.replace(/^.*node_modules\/?/, ""), place);
    if (place !== "") localPath(place, "packages");
    const bundles = entry["bundleDependencies"] ?? entry["bundledDependencies"];
    const all = bundles === true ? Object.keys(textMembers(entry["dependencies"], place)) : [];
    tree.set(place, { place, name, entry, bundles: Array.isArray(bundles) ? texts(bundles, place) : all });
  }
  return tree;
}

interface NpmEdges {
  /** Places by the place that needs them; links are followed. */
  readonly edges: ReadonlyMap<string, readonly string[]>;
  /** What is needed and not there, but may be absent neither as optional nor as a peer. */
  readonly dangling: readonly string[];
  /** Places that somebody asks for by address instead of by version. */
  readonly addresses: ReadonlySet<string>;
}

function readEdges(tree: NpmTree): NpmEdges {
  const edges = new Map<string, string[]>();
  const dangling: string[] = [];
  const addresses = new Set<string>();
  for (const { place, name: own, entry } of tree.values()) {
    if (flag(entry["link"], place)) continue;
    const found: string[] = [];
    const kinds = own === undefined ? [...dependencyKinds, "devDependencies"] : dependencyKinds;
    const optional = textMembers(entry["optionalDependencies"], place);
    for (const kind of kinds) {
      for (const [name, wanted] of Object.entries(textMembers(entry[kind], `${place}.${kind}`))) {
        checkName("npm", name, `${place}.${kind}`);
        const target = lookUp(tree, place, name);
        if (target === undefined) {
          const mayMiss =
            kind === "optionalDependencies" || kind === "peerDependencies" || Object.hasOwn(optional, name);
          if (!mayMiss) dangling.push(`${place === "" ? "the project" : place} > ${name}`);
          continue;
        }
        if (/^https?:/.test(wanted)) addresses.add(target);
        const node = tree.get(target);
        const end = node !== undefined && isLink(node) && tree.has(linkTarget(node)) ? linkTarget(node) : target;
        // A workspace may depend on the project; the project is no package of its own lockfile.
        if (end !== "") found.push(end);
      }
    }
    edges.set(place, found);
  }
  return { edges, dangling, addresses };
}

function isLink({ entry, place }: NpmNode): boolean {
  return flag(entry["link"], place);
}

function linkTarget({ entry, place }: NpmNode): string {
  const target = localPath(text(entry["resolved"], `${place}.resolved`).replace(/^file:/, ""), place);
  return target === "." ? "" : target;
}

/** Names by which directories of the project are linked. */
function linkNames(tree: NpmTree): ReadonlyMap<string, string> {
  const linked = new Map<string, string>();
  for (const node of tree.values()) {
    if (isLink(node) && node.name !== undefined) linked.set(linkTarget(node), node.name);
  }
  return linked;
}

type Description = Pick<LockedPackage, "name" | "version" | "purl" | "alias" | "from" | "digests">;

function describe(
  { place, name: own, entry }: NpmNode,
  bundler: string | undefined,
  linkName: string | undefined,
  isAddress: boolean,
): Description {
  const stated = optionalText(entry["name"], `${place}.name`);
  const name = checkName("npm", stated ?? own ?? linkName ?? (place.replace(/^.*\//, "") || "project"), place);
  const alias = own !== undefined && own !== name ? { alias: own } : {};
  const written = optionalText(entry["version"], `${place}.version`) ?? "";
  const resolved = optionalText(entry["resolved"], `${place}.resolved`);
  const integrity = optionalText(entry["integrity"], `${place}.integrity`);
  const digests = integrity === undefined ? [] : integrityDigests(integrity, place);
  if (own === undefined || flag(entry["link"], place)) {
    const path = own === undefined ? localPath(place, place) : localPath((resolved ?? "").replace(/^file:/, ""), place);
    const version = written === "" ? "" : checkVersion("npm", written, place);
    return { name, version, ...alias, from: { kind: "local", path }, digests: [] };
  }
  const isGit = resolved !== undefined && isGitAddress(resolved);
  // A manifest at a commit, or in an archive of the project, may have no version.
  const mayLack = written === "" && (isGit || resolved?.startsWith("file:"));
  const version = mayLack ? "" : checkVersion("npm", written, place);
  const named = { name, version, ...alias, digests };
  if (bundler !== undefined) {
    return { ...named, purl: npmPackageUrl(name, version), from: { kind: "bundled", within: bundler } };
  }
  if (resolved?.startsWith("file:")) {
    return { ...named, from: { kind: "local", path: localPath(resolved.slice(5), place) } };
  }
  if (isGit) {
    const hash = resolved.lastIndexOf("#");
    const from = gitAddress(resolved.slice(0, hash < 0 ? undefined : hash), resolved.slice(hash + 1), place);
    // What npm notes there is the digest of an archive that it packs itself.
    return { ...named, purl: gitPackageUrl(from.url, from.commit, name), from, digests: [] };
  }
  const from = fetchedFrom(resolved, isAddress, place);
  if (from.kind === "registry" && from.url !== undefined) checkArchiveAddress(from.url, name, version, place);
  if (digests.length === 0 && !fitsNoSystem(entry)) {
    throw lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${place}: expected a member integrity, found none`);
  }
  const purl =
    from.kind === "url"
      ? genericPackageUrl(name.replace(/^.*\//, ""), { version, url: from.url })
      : npmPackageUrl(name, version);
  return { ...named, purl, from };
}

function fetchedFrom(
  resolved: string | undefined,
  isAddress: boolean,
  where: string,
): LockedFrom & { kind: "registry" | "url" } {
  if (resolved === undefined) return { kind: "registry" };
  const { url } = webAddress(resolved, where);
  return { kind: isAddress ? "url" : "registry", url };
}

const systems = new Set("aix android cygwin darwin freebsd haiku linux netbsd openbsd sunos win32".split(" "));

/** An optional package for systems that do not exist is never fetched; projects cut platforms off that way. */
function fitsNoSystem(entry: Members): boolean {
  const os = [entry["os"] ?? []].flat();
  const fits = (one: unknown): boolean => typeof one !== "string" || systems.has(one.replace(/^!/, ""));
  return entry["optional"] === true && os.length > 0 && !os.some(fits);
}

function scopeOf(entry: Members, place: string): LockedPackage["scope"] {
  if (flag(entry["dev"], place)) return "development";
  if (flag(entry["optional"], place) || flag(entry["devOptional"], place)) return "optional";
  return flag(entry["peer"], place) ? "peer" : "runtime";
}

/** Old manifests have an object there, or a list; npm repeats what it finds. */
function licenceOf(entry: Members): { readonly licence?: string } {
  const licence = entry["license"];
  return typeof licence === "string" && licence !== "" ? { licence } : {};
}

function platformOf({ place, entry }: NpmNode): Pick<LockedPackage, "platform"> {
  const words = (key: string) => {
    const value = entry[key];
    return typeof value === "string" ? [value] : list(value, place).map((item) => text(item, place));
  };
  const os = words("os");
  const cpu = words("cpu");
  const libc = words("libc");
  if (os.length + cpu.length + libc.length === 0) return {};
  return {
    platform: { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) },
  };
}
