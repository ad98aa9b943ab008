import type { LockedFile, LockedPackage, Lockfile } from "@touchmark/formats/lockfiles";
import { type PackageUrl, packageUrl } from "@touchmark/formats/package-url";
import type { ComponentHash, ComponentScope, Occurrence } from "@touchmark/formats/sbom";
import type { CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { attempt } from "../attempt.ts";

/**
 * What a lockfile locks, with its edges: one component for each locked package, and one for the project where the
 * lockfile names it. Keys are `PATH#KEY`, the project's is `PATH#`. `rule` stands in every occurrence.
 */
export function foundFromLockfile(lockfile: Lockfile, file: CollectedFile, rule: string): Found {
  const keyOf = (key: string): string => `${file.path}#${key}`;
  const occurrence: Occurrence = { path: file.path, ...(file.layer !== undefined && { layer: file.layer }), rule };
  const byKey = new Map(lockfile.packages.map((locked) => [locked.key, locked]));
  const components = lockfile.packages.map((locked) => componentOf(locked, keyOf(locked.key), occurrence, byKey));
  const edges = lockfile.packages.map(({ key, dependencies }) => ({ from: keyOf(key), to: dependencies.map(keyOf) }));
  const direct = lockfile.packages.filter((locked) => locked.direct).map(({ key }) => key);
  const wanted = (lockfile.root?.dependencies ?? direct).map(keyOf);
  const project = projectOf(lockfile, keyOf(""), occurrence);
  if (project === undefined) return { components, edges, roots: wanted, losses: [] };
  return {
    components: [project, ...components],
    edges: [{ from: project.key, to: wanted }, ...edges],
    roots: [project.key],
    losses: [],
  };
}

const scopes: Readonly<Record<LockedPackage["scope"], ComponentScope>> = {
  runtime: "runtime",
  development: "development",
  optional: "optional",
  // A peer that a lockfile has is installed for who runs with it.
  peer: "runtime",
};

function projectOf(lockfile: Lockfile, key: string, occurrence: Occurrence): FoundComponent | undefined {
  const { name, version = "", licence } = lockfile.root ?? {};
  if (name === undefined || name === "") return undefined;
  return {
    key,
    kind: "application",
    name,
    version,
    type: lockfile.ecosystem,
    scope: "runtime",
    declaredLicences: licence === undefined ? [] : [normaliseDeclared(licence, occurrence.path)],
    occurrences: [occurrence],
    properties: [
      { name: "touchmark:lockfile-format", value: lockfile.format },
      ...lockfile.limits.map((value) => ({ name: "touchmark:lockfile-limit", value })),
    ],
  };
}

function componentOf(
  locked: LockedPackage,
  key: string,
  occurrence: Occurrence,
  byKey: ReadonlyMap<string, LockedPackage>,
): FoundComponent {
  const purl = purlOf(locked);
  const downloadLocation = downloadOf(locked);
  const [only] = locked.files ?? [];
  const isOne = locked.files?.length === 1;
  return {
    key,
    kind: "library",
    name: locked.name,
    version: locked.version,
    ...(purl !== undefined && { purl }),
    type: /^pkg:([^/]+)\//.exec(purl ?? "")?.[1] ?? (locked.ecosystem === "git" ? "generic" : locked.ecosystem),
    scope: scopes[locked.scope],
    direct: locked.direct,
    hashes: locked.digests.length === 0 && isOne ? hashesOf(only) : hashesOf(locked),
    declaredLicences: locked.licence === undefined ? [] : [normaliseDeclared(locked.licence, occurrence.path)],
    ...(downloadLocation !== undefined && { downloadLocation }),
    occurrences: [occurrence],
    properties: propertiesOf(locked, byKey),
  };
}

function hashesOf(from: Pick<LockedPackage, "digests"> | undefined): ComponentHash[] {
  return (from?.digests ?? []).map(({ algorithm, value }) => ({ algorithm, value }));
}

/**
 * A package from an address or commit keeps the type of its ecosystem, with its origin as qualifier: it is the package
 * that advisories name, and the same as the installed one.
 */
function purlOf({ ecosystem, name, version, from, purl }: LockedPackage): string | undefined {
  const isNamed = ecosystem === "npm" || ecosystem === "pypi" || ecosystem === "cargo";
  // An archive that lies in the project is a package like any other; a directory of it is the project's own.
  const isArchive = from.kind === "local" && version !== "" && /\.(?:t(?:ar\.)?gz|zip|whl|tar\.bz2)$/.test(from.path);
  if (!isNamed || (from.kind !== "git" && from.kind !== "url" && !isArchive)) return purl;
  const slash = name.lastIndexOf("/");
  const parts: PackageUrl = {
    type: ecosystem,
    ...(slash > 0 && { namespace: name.slice(0, slash) }),
    name: name.slice(slash + 1),
    ...(version !== "" && { version }),
    ...(from.kind === "git" && { qualifiers: { vcs_url: vcsOf(from.url, from.commit) } }),
    ...(from.kind === "url" && { qualifiers: { download_url: from.url } }),
  };
  return attempt(() => packageUrl(parts));
}

function vcsOf(url: string, commit: string): string {
  return `git+${url.replace(/^git\+/, "")}@${commit}`;
}

function downloadOf({ from, files }: LockedPackage): string | undefined {
  if (from.kind === "git") return vcsOf(from.url, from.commit);
  if (from.kind === "registry" || from.kind === "url")
    return from.url ?? (files?.length === 1 ? files[0]?.url : undefined);
  return undefined;
}

function propertiesOf(
  locked: LockedPackage,
  byKey: ReadonlyMap<string, LockedPackage>,
): FoundComponent["properties"] & {} {
  const { from, platform, files = [] } = locked;
  const found: [string, string | undefined][] = [
    ["touchmark:alias", locked.alias],
    // Wheels, sdists, jars: any one of them may be what is installed.
    ...(files.length > 1 || files.some(({ name }) => name === "")
      ? files.map((file): [string, string] => ["touchmark:archive", archiveOf(file)])
      : []),
    ["touchmark:bundled-within", from.kind === "bundled" ? (byKey.get(from.within)?.name ?? from.within) : undefined],
    ["touchmark:index", from.kind === "registry" ? from.index : undefined],
    ["touchmark:install-scripts", locked.installScripts === true ? "true" : undefined],
    ["touchmark:local-path", from.kind === "local" ? from.path : undefined],
    ["touchmark:marker", platform?.marker],
    ["touchmark:platform", platformOf(platform)],
    ["touchmark:requirement", locked.wanted],
  ];
  return found.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [{ name, value }]));
}

function archiveOf({ name, digests }: LockedFile): string {
  return [name, ...digests.map(({ algorithm, value }) => `${algorithm}:${value}`)]
    .filter((word) => word !== "")
    .join(" ");
}

function platformOf(platform: LockedPackage["platform"]): string | undefined {
  const words = (["os", "cpu", "libc"] as const).flatMap((name) =>
    platform?.[name] === undefined ? [] : [`${name}=${platform[name].join(",")}`],
  );
  return words.length === 0 ? undefined : words.join(" ");
}
