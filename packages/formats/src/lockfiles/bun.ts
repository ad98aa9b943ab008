import type { Draft } from "./assemble.ts";
import { assemble, checkCount } from "./assemble.ts";
import { lockfileErrors } from "./errors.ts";
import { setScopes } from "./graph.ts";
import { readJson } from "./json-reader.ts";
import type { Lockfile } from "./locked.ts";
import { danglingLimit, readPlaces } from "./npm.ts";
import type { LockfileText } from "./options.ts";
import { list, type Members, members, optionalMembers, optionalText, shown, text } from "./shape.ts";
import { looseMembers, orElse } from "./tolerance.ts";

const kinds = ["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"] as const;

/** Reads bun.lock, versions 0 and 1: names nested as in node_modules, read as npm's places. */
export function readBunLock(file: LockfileText): Lockfile {
  const document = members(readJson(withoutTrailingCommas(file.text), file), file.name);
  const version = document["lockfileVersion"];
  if (version !== 0 && version !== 1) {
    throw lockfileErrors.make("LOCKFILE_VERSION", `lockfileVersion: expected 0 or 1, found ${shown(version)}`);
  }
  const workspaces = members(document["workspaces"], "workspaces");
  const root = optionalMembers(workspaces[""], "workspaces");
  const packages: Record<string, Members> = Object.create(null);
  packages[""] = { ...root, version: root["version"] };
  const directories = new Map<string, string>();
  for (const [path, value] of Object.entries(workspaces)) {
    if (path === "") continue;
    const workspace = members(value, path);
    directories.set(optionalText(workspace["name"], path) ?? path, path);
    packages[path] = workspace;
  }
  const entries = Object.entries(optionalMembers(document["packages"], "packages"));
  checkCount(entries.length);
  for (const [key, value] of entries) {
    const place = placeOf(key, directories);
    const entry = orElse(
      file,
      () => entryOf(value, key),
      () => undefined,
    );
    if (entry !== undefined) packages[place] = entry;
  }
  const { drafts, asked, dangling } = readPlaces(packages, file);
  setWantedScopes(drafts, workspaces, asked);
  return assemble(
    {
      format: `bun-lock-${version}`,
      ecosystem: "npm",
      path: file.path,
      root: { name: optionalText(root["name"], "name"), dependencies: asked },
      packages: drafts,
      limits: danglingLimit(dangling),
    },
    file,
  );
}

/** `a/@scope/b` lies in the node_modules of a; what begins with the name of a workspace, in that one's directory. */
function placeOf(key: string, directories: ReadonlyMap<string, string>): string {
  const names = key.match(/@[^/]+\/[^/]+|[^/]+/g) ?? [];
  const directory = names.length > 1 ? directories.get(names[0] ?? "") : undefined;
  const inner = directory === undefined ? names : names.slice(1);
  return [...(directory === undefined ? [] : [directory]), ...inner.map((name) => `node_modules/${name}`)].join("/");
}

/** `[NAME@REFERENCE, registry or archive, facts, integrity]`, with fewer members for what no registry has. */
function entryOf(value: unknown, where: string): Members {
  const [first, ...rest] = list(value, where);
  const identity = text(first, where);
  const at = identity.indexOf("@", 1);
  const name = at < 1 ? identity : identity.slice(0, at);
  const reference = at < 1 ? "" : identity.slice(at + 1);
  const facts = looseMembers(rest.find((one) => typeof one === "object"));
  const entry = { ...facts, devDependencies: undefined, bin: undefined };
  const directory = /^workspace:(.*)$/.exec(reference)?.[1];
  if (directory !== undefined) return { link: true, resolved: directory };
  if (/^(?:file|link):/.test(reference)) return { ...entry, name, resolved: reference.replace(/^link:/, "file:") };
  if (/^[0-9]/.test(reference)) {
    const address = typeof rest[0] === "string" && /^https?:.*\.tgz$/.test(rest[0]) ? { resolved: rest[0] } : {};
    const integrity = rest.findLast((one) => typeof one === "string" && /^sha[0-9]+-/.test(one));
    return { ...entry, name, version: reference, ...address, ...(integrity !== undefined && { integrity }) };
  }
  return { ...entry, name, version: "", resolved: reference };
}

function setWantedScopes(drafts: readonly Draft[], workspaces: Members, asked: readonly string[]): void {
  const root = optionalMembers(workspaces[""], "workspaces");
  const named = (kind: (typeof kinds)[number]): ReadonlySet<string> =>
    new Set(Object.keys(optionalMembers(root[kind], kind)));
  const [runtime, optional, development] = [
    named("dependencies"),
    named("optionalDependencies"),
    named("devDependencies"),
  ];
  const isOf = (names: ReadonlySet<string>) => (key: string) => names.has(key.replace(/^node_modules\//, ""));
  const own = drafts.filter(({ from }) => from.kind === "local").map(({ key }) => key);
  setScopes(drafts, {
    runtime: [
      ...asked.filter((key) => isOf(runtime)(key) || !isOf(new Set([...optional, ...development]))(key)),
      ...own,
    ],
    optional: asked.filter(isOf(optional)),
    development: asked.filter(isOf(development)),
  });
}

/** bun ends every list and mapping with a comma, which JSON does not have. */
function withoutTrailingCommas(source: string): string {
  return source.replace(/"(?:[^"\\]|\\.)*"|,(?=\s*[\]}])/g, (piece) => (piece === "," ? "" : piece));
}
