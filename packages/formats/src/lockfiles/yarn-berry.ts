import { genericPackageUrl, gitPackageUrl, npmPackageUrl } from "../package-url-ecosystems.ts";
import { checkArchiveAddress, gitAddress, localPath, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { lockfileErrors } from "./errors.ts";
import { groupByName, markUnasked, setScopes } from "./graph.ts";
import type { LockedFrom, LockedPackage, Lockfile } from "./locked.ts";
import { readManifest } from "./manifest.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { type Members, members, optionalMembers, optionalText, shown, text, textMembers } from "./shape.ts";
import { describeLoosely, orElse, refuse } from "./tolerance.ts";
import { readYamlText } from "./yaml-reader.ts";

/** Versions of `__metadata` that yarn 2 to 4 write, with the one shape that is read here. */
const versions = new Set(["4", "5", "6", "7", "8", "9", "10"]);

interface BerryEntry {
  readonly key: string;
  readonly entry: Members;
  readonly name: string;
  /** After the name: `npm:1.0.0`, `workspace:packages/a`, `patch:…`. */
  readonly reference: string;
}

/** Reads yarn.lock of yarn 2 and later. */
export function readYarnBerry(file: LockfileText): Lockfile {
  const document = members(readYamlText(file.text, file), file.name);
  const version = optionalText(members(document["__metadata"], "__metadata")["version"], "__metadata") ?? "nothing";
  if (!versions.has(version)) {
    throw lockfileErrors.make("LOCKFILE_VERSION", `__metadata.version: expected 4 to 10, found ${shown(version)}`);
  }
  const entries: BerryEntry[] = [];
  const byDescriptor = new Map<string, BerryEntry>();
  const addEntry = (key: string, value: unknown): void => {
    const entry = members(value, key);
    const { name, range: reference } = splitAt(text(entry["resolution"], `${key}.resolution`));
    const found = { key, entry, name: checkName("npm", name, key), reference };
    entries.push(found);
    for (const descriptor of key.split(", ")) {
      if (byDescriptor.has(descriptor))
        throw lockfileErrors.make("LOCKFILE_DUPLICATE", `${shown(descriptor)} stands twice`);
      byDescriptor.set(descriptor, found);
    }
  };
  for (const [key, value] of Object.entries(document)) {
    if (key === "__metadata") continue;
    checkCount(entries.length);
    orElse(
      file,
      () => addEntry(key, value),
      () => undefined,
    );
  }
  const byName = groupByName(
    entries.filter(({ reference }) => !reference.startsWith("patch:")),
    ({ name }) => name,
  );
  const only = (name: string): BerryEntry | undefined => {
    const named = byName.get(name) ?? [];
    return named.length === 1 ? named[0] : undefined;
  };
  const optionalEdges = new Map<string, ReadonlySet<string>>();
  const edgesOf = ({ key, entry }: BerryEntry): string[] => {
    const meta = optionalMembers(entry["dependenciesMeta"], key);
    const optional = new Set<string>();
    const follow = (name: string, range: string): string => {
      checkName("npm", name, key);
      const target = byDescriptor.get(`${name}@${range}`) ?? byDescriptor.get(`${name}@npm:${range}`) ?? only(name);
      if (target === undefined) {
        throw lockfileErrors.make("LOCKFILE_EDGE", `${key} depends on ${name}@${range}, which is not locked`);
      }
      if (optionalMembers(meta[name], key)["optional"] === "true") optional.add(target.key);
      return target.key;
    };
    const found = Object.entries(textMembers(entry["dependencies"], key)).flatMap(([name, range]) =>
      orElse(
        file,
        () => [follow(name, range)],
        () => [],
      ),
    );
    optionalEdges.set(key, optional);
    return found;
  };
  const isRoot = ({ reference }: BerryEntry): boolean => reference === "workspace:.";
  const isPatch = ({ reference }: BerryEntry): boolean => reference.startsWith("patch:");
  const patched = entries.filter(isPatch);
  const drafts = entries
    .filter((one) => !isRoot(one) && !isPatch(one))
    .flatMap((one): Draft[] => {
      const found = orElse(
        file,
        () => ({ ...describe(one), ...platformOf(one) }),
        () => describeLoosely({ ecosystem: "npm", name: one.name, version: one.entry["version"] }),
      );
      if (found === undefined) return [];
      const dependencies = orElse(
        file,
        () => edgesOf(one),
        () => [],
      );
      return [{ ...found, key: one.key, ecosystem: "npm", scope: "runtime", dependencies, direct: false }];
    });
  // A patch is made here from the package that it names; that one is fetched and depended on.
  const unpatched = new Map(patched.map((one) => [one.key, byDescriptor.get(patchSource(one.reference))?.key]));
  const fetched = (keys: readonly string[]) =>
    keys.flatMap((key) => (unpatched.has(key) ? (unpatched.get(key) ?? []) : [key]));
  for (const draft of drafts) draft.dependencies = fetched(draft.dependencies);
  const root = entries.find(isRoot);
  if (root === undefined)
    refuse(file, lockfileErrors.make("LOCKFILE_MALFORMED", "expected an entry for the project, found none"));
  const wanted = root === undefined ? [] : fetched(edgesOf(root));
  const projects = new Set([
    ...wanted,
    ...drafts.filter(({ from }) => from.kind === "local").flatMap((one) => one.dependencies),
  ]);
  for (const draft of drafts) if (projects.has(draft.key)) draft.direct = true;
  markUnasked(drafts.filter((draft) => draft.from.kind === "local" && wanted.includes(draft.key)));
  const manifest = readManifest(file);
  const development = Object.keys(manifest?.devDependencies ?? {}).filter((name) => !manifest?.dependencies[name]);
  const dev = new Set(root === undefined ? [] : fetched(edgesNamed(root, development, byDescriptor)));
  const optionalOfRoot = optionalEdges.get(root?.key ?? "");
  const others = drafts.filter(({ from }) => from.kind === "local").map(({ key }) => key);
  setScopes(drafts, {
    runtime: [...wanted.filter((key) => !dev.has(key) && !optionalOfRoot?.has(key)), ...others],
    optional: wanted.filter((key) => optionalOfRoot?.has(key)),
    development: [...dev],
    optionalEdges,
  });
  const limits = [
    "yarn 2+ keeps no digest of the archive: its checksum is of a zip that yarn makes",
    "yarn.lock does not say which packages have install scripts, nor where peer dependencies lead",
  ];
  if (patched.length > 0) limits.push(`${patched.length} packages are patched by yarn after the fetch`);
  limits.push(
    manifest === undefined
      ? "without package.json, development dependencies count as runtime"
      : "development dependencies of workspaces count as runtime",
  );
  return assemble(
    {
      format: `yarn-berry-${version}`,
      ecosystem: "npm",
      path: file.path,
      ...(root !== undefined && { root: { name: root.name, version: manifest?.version, dependencies: wanted } }),
      packages: drafts,
      limits,
    },
    file,
  );
}

function edgesNamed(
  { entry, key }: BerryEntry,
  names: readonly string[],
  byDescriptor: ReadonlyMap<string, BerryEntry>,
): string[] {
  const ranges = textMembers(entry["dependencies"], key);
  return names.flatMap((name) => {
    const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined;
    return byDescriptor.get(`${name}@${range}`)?.key ?? byDescriptor.get(`${name}@npm:${range}`)?.key ?? [];
  });
}

function splitAt(written: string): { readonly name: string; readonly range: string } {
  const at = written.indexOf("@", 1);
  return at < 1 ? { name: written, range: "" } : { name: written.slice(0, at), range: written.slice(at + 1) };
}

/** `patch:fsevents@npm%3A2.3.3#…` is made from `fsevents@npm:2.3.3`. */
function patchSource(reference: string): string {
  try {
    return decodeURIComponent(reference.slice("patch:".length).replace(/#.*$/s, ""));
  } catch {
    throw lockfileErrors.make("LOCKFILE_MALFORMED", `expected a patch of a package, found ${shown(reference)}`);
  }
}

type Description = Pick<LockedPackage, "name" | "version" | "purl" | "alias" | "from" | "digests">;

function describe({ key, entry, name, reference }: BerryEntry): Description {
  const asked = splitAt(key.split(", ")[0] ?? "").name;
  const named = { name, ...(asked !== name && { alias: checkName("npm", asked, key) }), digests: [] };
  const [protocolAndPath = "", bindings = ""] = reference.split("::", 2);
  const path = /^(?:workspace|link|portal|file):([^#]*)/.exec(protocolAndPath)?.[1];
  const stated = optionalText(entry["version"], key) ?? "";
  if (path !== undefined)
    return {
      ...named,
      version: stated === "0.0.0-use.local" ? "" : stated,
      from: { kind: "local", path: localPath(path, key) },
    };
  const version = checkVersion("npm", stated, key);
  const { from, purl } = origin(protocolAndPath, bindings, name, version, key);
  return { ...named, version, purl, from };
}

function origin(
  reference: string,
  bindings: string,
  name: string,
  version: string,
  where: string,
): { from: LockedFrom; purl: string } {
  if (reference.startsWith("npm:")) {
    const archive = new URLSearchParams(bindings).get("__archiveUrl");
    const address: { url?: string } = archive === null ? {} : { url: webAddress(archive, where).url };
    if (address.url !== undefined) checkArchiveAddress(address.url, name, version, where);
    return { from: { kind: "registry", ...address }, purl: npmPackageUrl(name, version) };
  }
  const commit = /#(?:.*&)?commit=([0-9a-f]+)/.exec(reference)?.[1];
  if (commit !== undefined) {
    const from = gitAddress(reference.replace(/#.*$/, ""), commit, where);
    return { from, purl: gitPackageUrl(from.url, from.commit, name) };
  }
  const { url } = webAddress(reference, where);
  return { from: { kind: "url", url }, purl: genericPackageUrl(name.replace(/^.*\//, ""), { version, url }) };
}

/** `os=linux & cpu=x64 & libc=glibc`, alternatives in brackets: `(os=linux | os=darwin)`. */
function platformOf({ key, entry }: BerryEntry): Pick<LockedPackage, "platform"> {
  const conditions = optionalText(entry["conditions"], key);
  if (conditions === undefined) return {};
  const words = (name: string) =>
    [...conditions.matchAll(new RegExp(`\\b${name}=(!?[\\w-]+)`, "g"))].map(([, word = ""]) => word);
  const [os, cpu, libc] = [words("os"), words("cpu"), words("libc")];
  return {
    platform: { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) },
  };
}
