import { gemPackageUrl, packageUrl } from "@touchmark/formats/package-url";
import type { ComponentScope } from "@touchmark/formats/sbom";
import type { Cataloger, CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { foundInEach } from "../each-file.ts";
import { fileMalformed } from "../json-object.ts";
import { developmentGems } from "./gemfile-groups.ts";
import { type LockedGem, parseGemfileLock } from "./gemfile-lock.ts";

const largest = 64 * 1024 * 1024;
const largestManifest = 1024 * 1024;
const mostEdges = 1_000_000;
/** A lockfile in the folder of an installed gem is part of that gem: nothing is installed by it. */
const insideGem = /(?:^|\/)gems\/[^/]+-\d[^/]*\//;
const manifests: Readonly<Record<string, string>> = { "Gemfile.lock": "Gemfile", "gems.locked": "gems.rb" };

/** Gems that Bundler locked, with their edges. */
export const bundler: Cataloger = {
  name: "bundler",
  wants: ({ name, path }) =>
    (name === "Gemfile.lock" || name === "gems.locked" || name === "Gemfile" || name === "gems.rb") &&
    !insideGem.test(path),
  catalogue: (files, context) =>
    foundInEach(
      files.filter(({ name }) => manifests[name] !== undefined),
      (file) => foundInLock(file, context),
    ),
};

function foundInLock(file: CollectedFile, context: CatalogueContext): Found {
  const lock = parseGemfileLock(Buffer.from(file.bytes(largest)).toString("utf8"));
  const manifest = context.file(file.path.slice(0, -file.name.length) + (manifests[file.name] ?? ""));
  const development = developmentGems(
    manifest === undefined ? "" : Buffer.from(manifest.read(0, largestManifest)).toString("utf8"),
  );
  const byName = new Map<string, LockedGem[]>();
  for (const gem of lock.gems) {
    const known = byName.get(gem.name);
    if (known === undefined) byName.set(gem.name, [gem]);
    else known.push(gem);
  }
  let count = 0;
  // A gem with several platforms is needed in each of them.
  const keys = (names: readonly string[]) => {
    const found = [...new Set(names)].flatMap((name) => (byName.get(name) ?? []).map((gem) => keyOf(file, gem)));
    count += found.length;
    if (count > mostEdges) throw fileMalformed(`expected at most ${mostEdges} edges`);
    return found;
  };
  const direct = new Set(lock.direct);
  const runtime = reachedFrom(
    lock.direct.filter((name) => !development.has(name)),
    byName,
  );
  const components = lock.gems.map((gem) =>
    lockedComponent(
      file,
      gem,
      direct.has(gem.name),
      development.size > 0 && !runtime.has(gem.name) ? "development" : "runtime",
    ),
  );
  return {
    components,
    edges: lock.gems.map((gem) => ({ from: keyOf(file, gem), to: keys(gem.dependencies) })),
    roots: keys(lock.direct),
    losses: [],
  };
}

function reachedFrom(names: readonly string[], byName: ReadonlyMap<string, readonly LockedGem[]>): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    for (const gem of byName.get(name) ?? []) waiting.push(...gem.dependencies.filter((next) => !reached.has(next)));
  }
  return reached;
}

function lockedComponent(file: CollectedFile, gem: LockedGem, direct: boolean, scope: ComponentScope): FoundComponent {
  const { name, version, platform, source, sha256 } = gem;
  const purl = purlOf(gem);
  return {
    key: keyOf(file, gem),
    kind: "library",
    name,
    version,
    ...(purl !== undefined && { purl }),
    type: "gem",
    scope,
    direct,
    hashes: sha256 === undefined ? [] : [{ algorithm: "sha256", value: sha256 }],
    ...(source.kind === "git" && { downloadLocation: vcsOf(gem) }),
    properties: [
      ...(platform === undefined ? [] : [{ name: "touchmark:platform", value: platform }]),
      ...(source.kind === "path" ? [{ name: "touchmark:local-path", value: source.remote }] : []),
      ...(source.kind === "registry" && source.remote !== ""
        ? [{ name: "touchmark:index", value: source.remote }]
        : []),
    ],
    occurrences: [{ path: file.path, rule: "gemfile-lock", ...(file.layer !== undefined && { layer: file.layer }) }],
  };
}

/** What lies in a folder of the project is no package of a registry; a commit says where it is from. */
function purlOf(gem: LockedGem): string | undefined {
  const { name, version, platform, source } = gem;
  if (source.kind === "path" || source.kind === "plugin" || version === "") return undefined;
  if (source.kind !== "git") return gemPackageUrl(name, version, platform);
  return packageUrl({ type: "gem", name, version, qualifiers: { vcs_url: vcsOf(gem), ...(platform && { platform }) } });
}

function vcsOf({ source: { remote, revision } }: LockedGem): string {
  return `git+${remote}${revision === undefined ? "" : `@${revision}`}`;
}

function keyOf(file: CollectedFile, { name, version, platform = "", source }: LockedGem): string {
  return `${file.path}#${name} ${version} ${platform} ${source.kind}`;
}
