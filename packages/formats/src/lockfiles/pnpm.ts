import { genericPackageUrl, gitPackageUrl, npmPackageUrl } from "../package-url-ecosystems.ts";
import { checkArchiveAddress, gitAddress, localPath, webAddress } from "./addresses.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { integrityDigests } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import { setScopes } from "./graph.ts";
import type { LockedPackage, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { type PnpmKeys, pnpmKeys5, pnpmKeys6, pnpmKeys9 } from "./pnpm-keys.ts";
import { type Members, members, optionalMembers, optionalText, shown, text, texts } from "./shape.ts";
import { describeLoosely, orElse, refuse } from "./tolerance.ts";
import { readYamlText } from "./yaml-reader.ts";

const kinds = ["dependencies", "optionalDependencies", "devDependencies"] as const;
type Kind = (typeof kinds)[number];

/** Reads pnpm-lock.yaml, versions 6 and 9; version 5 where losses are tolerated. */
export function readPnpmLock(file: LockfileText): Lockfile {
  const document = members(readYamlText(lastDocument(file), file), file.name);
  const version = optionalText(document["lockfileVersion"], "lockfileVersion") ?? "nothing";
  const major = (file.tolerate === undefined ? /^(6|9)\.\d+$/ : /^(5|6|9)\.\d+$/).exec(version)?.[1];
  if (major === undefined) {
    throw lockfileErrors.make("LOCKFILE_VERSION", `lockfileVersion: expected 6 or 9, found ${shown(version)}`, {
      hint: "Run `pnpm install --lockfile-only` with pnpm 8 or newer.",
    });
  }
  const keys = major === "9" ? pnpmKeys9 : major === "6" ? pnpmKeys6 : pnpmKeys5;
  const packages = optionalMembers(document["packages"], "packages");
  const snapshots = major === "9" ? optionalMembers(document["snapshots"], "snapshots") : packages;
  const drafts = new Map<string, Draft>();
  const optionalEdges = new Map<string, ReadonlySet<string>>();
  const context: PnpmContext = { keys, snapshots, file };
  const read = (key: string, value: unknown): void => {
    const snapshot = optionalMembers(value, key);
    const stated = packages[keys.withoutPeers(key)] ?? packages[key];
    const needed = edgesOf(snapshot["dependencies"], key, context);
    const optional = edgesOf(snapshot["optionalDependencies"], key, context);
    const found = orElse(
      file,
      () => describeEntry(key, members(major === "9" ? stated : value, keys.withoutPeers(key)), keys),
      () => loosely(key, optionalMembers(major === "9" ? stated : value, key), keys),
    );
    if (found === undefined) return;
    optionalEdges.set(key, new Set(optional));
    drafts.set(key, {
      ...found,
      key,
      ecosystem: "npm",
      scope: "runtime",
      dependencies: [...needed, ...optional],
      direct: false,
    });
  };
  for (const [key, value] of Object.entries(snapshots)) {
    checkCount(drafts.size);
    orElse(
      file,
      () => read(key, value),
      () => undefined,
    );
  }
  const { wants, asked } = addImporters(document, context, drafts);
  noteAliases(drafts, document, snapshots, keys);
  const all = [...drafts.values()];
  setScopes(all, { ...wants, optionalEdges });
  return assemble(
    {
      format: `pnpm-lock-${major}`,
      ecosystem: "npm",
      path: file.path,
      root: { dependencies: asked },
      packages: all,
      limits: limitsOf(document, all, major),
    },
    file,
  );
}

/** From release 11 on, what pnpm itself is stands in a document of its own before the project's. */
function lastDocument(file: LockfileText): string {
  const documents =
    file.tolerate === undefined ? [] : file.text.split(/^---[ \t]*$/m).filter((one) => one.trim() !== "");
  if (documents.length < 2) return file.text;
  const message = "expected one document, found another before it, with the packages of pnpm itself";
  refuse(file, lockfileErrors.make("LOCKFILE_MALFORMED", message));
  return documents.at(-1) ?? "";
}

interface PnpmContext {
  readonly keys: PnpmKeys;
  readonly snapshots: Members;
  readonly file: LockfileText;
}

function limitsOf(document: Members, drafts: readonly Draft[], major: string): string[] {
  const limits = ["names and versions of the project's own directories are not in pnpm-lock.yaml"];
  if (major === "9") limits.push("pnpm-lock.yaml 9 does not say which packages have install scripts");
  if (document["patchedDependencies"] !== undefined) limits.push("patches of the project are applied to some packages");
  const bare = drafts.filter(({ from, digests }) => from.kind === "url" && digests.length === 0).length;
  if (bare > 0) limits.push(`${bare} archives that a git host makes are locked by commit, without a digest`);
  return limits;
}

function edgesOf(value: unknown, where: string, { keys, snapshots, file }: PnpmContext): string[] {
  const find = (name: string, reference: unknown): string[] => {
    checkName("npm", name, where);
    const key = keys.keyOf(name, text(reference, `${where} > ${name}`));
    if (key === undefined) return [];
    if (!Object.hasOwn(snapshots, key)) {
      throw lockfileErrors.make("LOCKFILE_EDGE", `${where} depends on ${shown(key)}, which is not locked`);
    }
    return [key];
  };
  return Object.entries(optionalMembers(value, where)).flatMap(([name, reference]) =>
    orElse(
      file,
      () => find(name, reference),
      () => [],
    ),
  );
}

type Origin = Pick<LockedPackage, "name" | "version" | "purl" | "from" | "digests">;
type Description = Origin & Pick<LockedPackage, "platform" | "installScripts">;

function describeEntry(key: string, entry: Members, keys: PnpmKeys): Description {
  const scripts = entry["requiresBuild"] === "true" ? { installScripts: true } : {};
  return { ...describe(key, entry, keys), ...platformOf(entry, key), ...scripts };
}

/** Of an entry with something wrong in it, what is not. */
function loosely(key: string, entry: Members, keys: PnpmKeys): Description | undefined {
  const { name, version } = keys.split(keys.withoutPeers(key));
  const resolution = optionalMembers(entry["resolution"], key);
  return describeLoosely({
    ecosystem: "npm",
    name: typeof entry["name"] === "string" ? entry["name"] : name,
    version: entry["version"] ?? (/^[0-9]/.test(version) ? version : ""),
    address: resolution["tarball"],
    integrity: resolution["integrity"],
  });
}

function describe(key: string, entry: Members, keys: PnpmKeys): Origin {
  const bare = keys.withoutPeers(key);
  const parts = keys.split(bare);
  const name = checkName("npm", optionalText(entry["name"], bare) ?? parts.name, bare);
  const resolution = members(entry["resolution"], `${bare}.resolution`);
  const integrity = optionalText(resolution["integrity"], bare);
  const digests = integrity === undefined ? [] : integrityDigests(integrity, bare);
  const isRegistry = /^[0-9]/.test(parts.version) && resolution["type"] === undefined;
  const stated = optionalText(entry["version"], bare);
  const version = isRegistry || stated !== undefined ? checkVersion("npm", stated ?? parts.version, bare) : "";
  const named = { name, version, digests };
  const tarball = optionalText(resolution["tarball"], bare);
  if (resolution["type"] === "git") {
    const from = gitAddress(text(resolution["repo"], bare), text(resolution["commit"], bare), bare);
    return { ...named, purl: gitPackageUrl(from.url, from.commit, name), from };
  }
  if (resolution["type"] === "directory") {
    return {
      ...named,
      from: { kind: "local", path: localPath(text(resolution["directory"], bare), bare) },
      digests: [],
    };
  }
  if (resolution["type"] !== undefined) {
    const { type } = resolution;
    throw lockfileErrors.make(
      "LOCKFILE_MALFORMED",
      `${bare}: expected a resolution of a known type, found ${shown(type)}`,
    );
  }
  if (tarball?.startsWith("file:"))
    return { ...named, from: { kind: "local", path: localPath(tarball.slice(5), bare) } };
  if (isRegistry) {
    if (digests.length === 0) throw noDigest(bare);
    const address: { url?: string } = tarball === undefined ? {} : { url: webAddress(tarball, bare).url };
    if (address.url !== undefined) checkArchiveAddress(address.url, name, version, bare);
    return { ...named, purl: npmPackageUrl(name, version), from: { kind: "registry", ...address } };
  }
  const { url } = webAddress(tarball ?? parts.version, bare);
  // GitHub and others make these archives anew from a commit; older pnpm writes no digest for them.
  if (digests.length === 0 && !/\/[0-9a-f]{40}(?:$|[/?.])/.test(url)) throw noDigest(bare);
  const purl = genericPackageUrl(name.replace(/^.*\//, ""), { ...(version !== "" && { version }), url });
  return { ...named, purl, from: { kind: "url", url } };
}

function noDigest(where: string) {
  return lockfileErrors.make("LOCKFILE_DIGEST_MISSING", `${where}: expected resolution.integrity, found none`);
}

interface Roots {
  readonly runtime: string[];
  readonly optional: string[];
  readonly development: string[];
}

/** The projects of the workspace: the first is the project itself, the others are packages of their own directories. */
function addImporters(
  document: Members,
  context: PnpmContext,
  drafts: Map<string, Draft>,
): { readonly wants: Roots; readonly asked: readonly string[] } {
  const importers =
    document["importers"] === undefined ? { ".": document } : members(document["importers"], "importers");
  const roots: Roots = { runtime: [], optional: [], development: [] };
  const list: Readonly<Record<Kind, string[]>> = {
    dependencies: roots.runtime,
    optionalDependencies: roots.optional,
    devDependencies: roots.development,
  };
  const names = new Map<string, string>();
  const directory = (path: string): string => `importer:${path}`;
  const edges = new Map<string, string[]>();
  for (const [written, value] of Object.entries(importers)) {
    const path = localPath(written, "importers");
    const found: string[] = [];
    for (const kind of kinds) {
      for (const [name, wanted] of Object.entries(optionalMembers(members(value, path)[kind], path))) {
        checkName("npm", name, path);
        const reference = text(
          typeof wanted === "string" ? wanted : members(wanted, path)["version"],
          `${path} > ${name}`,
        );
        const link = /^(?:link|workspace):(.*)$/.exec(reference)?.[1];
        if (link !== undefined) {
          const target = resolve(path, link, path);
          if (target === ".") continue;
          names.set(target, name);
          found.push(directory(target));
          continue;
        }
        const [key] = edgesOf({ [name]: reference }, path, context);
        if (key === undefined) continue;
        const draft = drafts.get(key);
        if (draft !== undefined) draft.direct = true;
        found.push(key);
        list[kind].push(key);
      }
    }
    edges.set(path, found);
  }
  for (const path of new Set([...edges.keys(), ...names.keys()])) {
    if (path === ".") continue;
    drafts.set(directory(path), {
      key: directory(path),
      ecosystem: "npm",
      name: names.get(path) ?? path.replace(/^.*\//, ""),
      version: "",
      from: { kind: "local", path },
      digests: [],
      scope: "runtime",
      dependencies: edges.get(path) ?? [],
      direct: edges.get(".")?.includes(directory(path)) ?? false,
    });
  }
  return { wants: roots, asked: edges.get(".") ?? [] };
}

function resolve(base: string, link: string, where: string): string {
  const segments = base === "." ? [] : base.split("/");
  for (const step of link.split("/")) {
    if (step === "..") {
      if (segments.length === 0 || segments.at(-1) === "..") segments.push("..");
      else segments.pop();
    } else if (step !== "." && step !== "") segments.push(step);
  }
  return localPath(segments.length === 0 ? "." : segments.join("/"), where);
}

/** Names that differ from the registry's, where somebody uses one. */
function noteAliases(drafts: Map<string, Draft>, document: Members, snapshots: Members, keys: PnpmKeys): void {
  const importers =
    document["importers"] === undefined ? { ".": document } : optionalMembers(document["importers"], "");
  const note = (name: string, reference: unknown): void => {
    const draft = typeof reference === "string" ? drafts.get(keys.keyOf(name, reference) ?? "") : undefined;
    if (draft !== undefined && draft.name !== name) draft.alias ??= name;
  };
  for (const holder of [...Object.values(snapshots), ...Object.values(importers)]) {
    for (const kind of kinds) {
      for (const [name, wanted] of Object.entries(optionalMembers(optionalMembers(holder, "")[kind], ""))) {
        note(name, typeof wanted === "string" ? wanted : optionalMembers(wanted, "")["version"]);
      }
    }
  }
}

function platformOf(entry: Members, where: string): Pick<LockedPackage, "platform"> {
  // As in package.json, one word may stand where a list could.
  const words = (key: string) => (typeof entry[key] === "string" ? [entry[key]] : texts(entry[key], where));
  const [os, cpu, libc] = [words("os"), words("cpu"), words("libc")];
  if (os.length + cpu.length + libc.length === 0) return {};
  return {
    platform: { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) },
  };
}
