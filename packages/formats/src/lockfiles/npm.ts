import { localPath } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { lockfileErrors } from "./errors.ts";
import { readJson } from "./json-reader.ts";
import type { Lockfile } from "./locked.ts";
import { readManifest } from "./manifest.ts";
import { checkName } from "./names.ts";
import { packagesOfVersion1 } from "./npm-1.ts";
import { describeNode, describeNodeLoosely, isLink, licenceOf, linkTarget } from "./npm-package.ts";
import { bundledPlaces, lookUp, type NpmNode, type NpmTree, nameAtPlace } from "./npm-tree.ts";
import type { LockfileText } from "./options.ts";
import { flag, type Members, members, optionalText, shown, textMembers, texts } from "./shape.ts";
import { orElse, refuse } from "./tolerance.ts";

const dependencyKinds = ["dependencies", "optionalDependencies", "peerDependencies"] as const;

/** Reads package-lock.json and npm-shrinkwrap.json, versions 2 and 3; version 1 where losses are tolerated. */
export function readNpmLock(file: LockfileText): Lockfile {
  const document = members(readJson(file.text, file), file.name);
  const version = versionOf(document, file);
  const packages =
    version === 1 ? packagesOfVersion1(document, readManifest(file)) : members(document["packages"], "packages");
  const { root, drafts, asked, dangling } = readPlaces(packages, file);
  const limits: string[] = [];
  if (version === 1)
    limits.push("version 1 says neither for which systems a package is nor where peer dependencies lead");
  if (version === 2) limits.push("the member `dependencies`, which npm 6 reads, is not looked at");
  limits.push(...danglingLimit(dangling));
  const reading = {
    format: `npm-package-lock-${version}`,
    ecosystem: "npm",
    path: file.path,
    root: {
      name: optionalText(document["name"], "name"),
      version: optionalText(document["version"], "version"),
      ...(root !== undefined && licenceOf(root.entry)),
      dependencies: asked,
    },
    packages: drafts,
    limits,
  } as const;
  return assemble(reading, file);
}

/** What a mapping of places to entries, as npm's member `packages` is, holds. */
export interface PlacedPackages {
  /** The project's own entry. */
  readonly root: NpmNode | undefined;
  readonly drafts: Draft[];
  /** What the project itself asks for. */
  readonly asked: readonly string[];
  /** What is needed and not there. */
  readonly dangling: readonly string[];
}

/** Reads entries by their places in the tree of node_modules. */
export function readPlaces(packages: Members, file: LockfileText): PlacedPackages {
  const tree = readTree(packages, file);
  const root = tree.get("");
  if (root === undefined) {
    const message = "packages: expected an entry for the project itself, found none";
    refuse(file, lockfileErrors.make("LOCKFILE_MALFORMED", message));
  }
  const { edges, dangling, addresses } = readEdges(tree, file);
  const bundled = bundledPlaces(tree, edges);
  const linked = linkNames(tree);
  const direct = new Set(
    [...tree.values()].flatMap(({ place, name }) => (name === undefined ? (edges.get(place) ?? []) : [])),
  );
  const drafts: Draft[] = [];
  for (const node of tree.values()) {
    if (node.place === "" || (isLink(node) && tree.has(linkTarget(node)))) continue;
    const { place } = node;
    const found = orElse(
      file,
      () => describeNode(node, bundled.get(place), linked.get(place), addresses.has(place)),
      () => describeNodeLoosely(node),
    );
    if (found === undefined) continue;
    drafts.push({
      ...found,
      key: place,
      ecosystem: "npm",
      dependencies: [...(edges.get(place) ?? [])],
      direct: direct.has(place),
    });
  }
  return { root, drafts, asked: edges.get("") ?? [], dangling };
}

export function danglingLimit(dangling: readonly string[]): readonly string[] {
  if (dangling.length === 0) return [];
  const some = dangling.slice(0, 5).join(", ");
  return [`${dangling.length} dependencies are in no node_modules of the lockfile (${some})`];
}

/** @throws LOCKFILE_VERSION */
function versionOf(document: Members, file: LockfileText): 1 | 2 | 3 {
  const version = document["lockfileVersion"];
  if (version === 2 || version === 3) return version;
  const isOld = version === 1 || (version === undefined && !Object.hasOwn(document, "packages"));
  if (isOld && file.tolerate !== undefined) return 1;
  throw unknownVersion(version, isOld);
}

function unknownVersion(version: unknown, isOld: boolean) {
  return lockfileErrors.make(
    "LOCKFILE_VERSION",
    `lockfileVersion: expected 2 or 3, found ${shown(version)}`,
    isOld ? { hint: "Version 1 names no platforms: run `npm install --package-lock-only` with npm 7 or newer." } : {},
  );
}

function readTree(packages: Members, file: LockfileText): NpmTree {
  const tree = new Map<string, NpmNode>();
  for (const [place, value] of Object.entries(packages)) {
    checkCount(tree.size);
    const node = orElse(
      file,
      () => nodeAt(place, value),
      () => undefined,
    );
    if (node !== undefined) tree.set(place, node);
  }
  return tree;
}

function nodeAt(place: string, value: unknown): NpmNode {
  const entry = members(value, place);
  const name = nameAtPlace(place);
  if (name !== undefined) checkName("npm", name, place);
  else if (/(?:^|\/)node_modules(?:\/|$)/.test(place)) checkName("npm", place.replace(/^.*node_modules\/?/, ""), place);
  if (place !== "") localPath(place, "packages");
  if (flag(entry["link"], place)) linkTarget({ place, entry });
  const bundles = entry["bundleDependencies"] ?? entry["bundledDependencies"];
  const all = bundles === true ? Object.keys(textMembers(entry["dependencies"], place)) : [];
  return { place, name, entry, bundles: Array.isArray(bundles) ? texts(bundles, place) : all };
}

interface NpmEdges {
  /** Places by the place that needs them; links are followed. */
  readonly edges: ReadonlyMap<string, readonly string[]>;
  /** What is needed and not there, but may be absent neither as optional nor as a peer. */
  readonly dangling: readonly string[];
  /** Places that somebody asks for by address instead of by version. */
  readonly addresses: ReadonlySet<string>;
}

function readEdges(tree: NpmTree, file: LockfileText): NpmEdges {
  const edges = new Map<string, string[]>();
  const dangling: string[] = [];
  const addresses = new Set<string>();
  const readNode = ({ place, name: own, entry }: NpmNode): void => {
    if (flag(entry["link"], place)) return;
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
  };
  for (const node of tree.values()) {
    orElse(
      file,
      () => readNode(node),
      () => undefined,
    );
  }
  return { edges, dangling, addresses };
}

/** Names by which directories of the project are linked. */
function linkNames(tree: NpmTree): ReadonlyMap<string, string> {
  const linked = new Map<string, string>();
  for (const node of tree.values()) {
    if (isLink(node) && node.name !== undefined) linked.set(linkTarget(node), node.name);
  }
  return linked;
}
