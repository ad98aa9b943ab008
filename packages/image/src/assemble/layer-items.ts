import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { TreeEntry } from "@touchmark/core";
import { imageErrors } from "../errors.ts";
import { checkMode, checkPath, type ItemRules, imagePath, type LayerItem, whiteoutPath } from "./layer-item.ts";
import type { DirectoryPart, LayerModes, LayerPart, TreePart } from "./layer-part.ts";

const EXECUTABLE = 0o100;

/** Everything that one part puts into a layer, in no order. */
export async function itemsOf(part: LayerPart, rules: ItemRules): Promise<LayerItem[]> {
  const items: LayerItem[] = [];
  if (part.kind === "directory") walkPart(part, rules, items);
  else if (part.kind === "tree") await treePart(part, rules, items);
  else items.push(single(part, rules));
  for (const item of items) checkXattrs(item);
  return items;
}

type SinglePart = Exclude<LayerPart, DirectoryPart | TreePart>;

function single(part: SinglePart, rules: ItemRules): LayerItem {
  const path = imagePath(part.to);
  if (path === "") throw imageErrors.make("IMAGE_LAYER_PATH", `expected a path below / for a ${part.kind}`);
  if (!("content" in part || "target" in part || part.kind === "empty-directory")) {
    const at = whiteoutPath(path, part.kind);
    return { path: at, kind: "file", mode: 0o644, ...root, mtime: rules.epoch, size: 0, isWhiteout: true };
  }
  const common = { path, mtime: rules.epoch, ...ownerOf(part), ...xattrsOf(part) };
  if (part.kind === "symlink") return { ...common, kind: "symlink", mode: 0o777, size: 0, target: part.target };
  if (part.kind === "empty-directory") {
    return { ...common, kind: "directory", size: 0, mode: checkMode(part.mode ?? 0o755, path, "directory", rules) };
  }
  const mode = checkMode(part.mode ?? 0o644, path, "file", rules);
  return { ...common, kind: "file", mode, size: part.content.length, content: { bytes: part.content } };
}

function walkPart(part: DirectoryPart, rules: ItemRules, items: LayerItem[]): void {
  const to = imagePath(part.to);
  const start = below(part.directory, part.from);
  const without = new Set(part.without ?? []);
  const stat = lstatSync(start, { throwIfNoEntry: false });
  if (stat === undefined) throw absent(part.from ?? part.directory);
  if (!stat.isDirectory()) {
    items.push(onDisk(start, to, stat, part, rules));
    return;
  }
  if (to !== "") items.push(onDisk(start, to, stat, part, rules));
  const pending: [directory: string, path: string, relative: string][] = [[start, to, ""]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [directory, path, relative] = next;
    for (const name of readdirSync(directory)) {
      const file = `${directory}/${name}`;
      const inner = relative === "" ? name : `${relative}/${name}`;
      if (without.has(inner)) continue;
      const at = checkPath(path === "" ? name : `${path}/${name}`);
      const found = lstatSync(file);
      items.push(onDisk(file, at, found, part, rules));
      if (found.isDirectory()) pending.push([file, at, inner]);
    }
  }
}

function onDisk(file: string, path: string, stat: Stats, part: DirectoryPart, rules: ItemRules): LayerItem {
  checkPath(path);
  const seconds = Math.floor(stat.mtimeMs / 1000);
  const mtime = part.times === "clamp" ? Math.max(0, Math.min(rules.epoch, seconds)) : rules.epoch;
  const owner = part.owner === "keep" ? { uid: stat.uid, gid: stat.gid } : ownerOf(part);
  const common = { path, mtime, ...owner, ...xattrsOf(part) };
  if (stat.isSymbolicLink()) {
    return { ...common, kind: "symlink", mode: 0o777, size: 0, target: linkTarget(file, path) };
  }
  if (stat.isDirectory())
    return { ...common, kind: "directory", size: 0, mode: modeOf(part, stat.mode, path, true, rules) };
  if (!stat.isFile()) {
    throw imageErrors.make("IMAGE_SPECIAL_FILE", `expected files, directories and links, found /${path}`);
  }
  const isOne = part.hardLinks === "keep" && stat.nlink > 1;
  return {
    ...{
      ...common,
      kind: "file",
      mode: modeOf(part, stat.mode, path, false, rules),
      size: stat.size,
      content: { file },
    },
    ...(isOne ? { inode: `${stat.dev}:${stat.ino}` } : {}),
  };
}

async function treePart(part: TreePart, rules: ItemRules, items: LayerItem[]): Promise<void> {
  const to = imagePath(part.to);
  const root = part.store.root(part.tree);
  const from = part.from === undefined ? "" : checkPath(part.from);
  const without = new Set((part.without ?? []).map((path) => (from === "" ? path : `${from}/${path}`)));
  const entries = await part.store.entries(part.tree);
  let isFound = from === "" || entries.length === 0;
  for (const entry of entries) {
    const isIt = entry.path === from;
    if (!isIt && from !== "" && !entry.path.startsWith(`${from}/`)) continue;
    isFound = true;
    if (without.size > 0 && isBelow(entry.path, without)) continue;
    const rest = isIt ? "" : entry.path.slice(from === "" ? 0 : from.length + 1);
    const path = rest === "" ? to : to === "" ? rest : `${to}/${rest}`;
    if (path === "" && entry.kind === "directory") continue;
    items.push(stored(root, entry, checkPath(path), part, rules));
  }
  if (!isFound) throw absent(from);
  // The directory itself, which a tree lists only when it is empty.
  if (to !== "" && !items.some((item) => item.path === to)) {
    items.push({
      path: to,
      kind: "directory",
      size: 0,
      mtime: rules.epoch,
      ...ownerOf(part),
      mode: modeOf(part, 0o755, to, true, rules),
    });
  }
}

function stored(root: string, entry: TreeEntry, path: string, part: TreePart, rules: ItemRules): LayerItem {
  const common = { path, mtime: rules.epoch, ...ownerOf(part), ...xattrsOf(part) };
  const file = join(root, entry.path);
  if (entry.kind === "symlink") {
    return { ...common, kind: "symlink", mode: 0o777, size: 0, target: linkTarget(file, path) };
  }
  if (entry.kind === "directory")
    return { ...common, kind: "directory", size: 0, mode: modeOf(part, 0o755, path, true, rules) };
  const mode = modeOf(part, entry.kind === "executable" ? 0o755 : 0o644, path, false, rules);
  return { ...common, kind: "file", mode, size: entry.size, content: { file, digest: entry.digest } };
}

function isBelow(path: string, without: ReadonlySet<string>): boolean {
  if (without.has(path)) return true;
  for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
    if (without.has(path.slice(0, cut))) return true;
  }
  return false;
}

/** A path below a directory, reached through no symbolic link. */
function below(directory: string, from: string | undefined): string {
  if (from === undefined) return directory;
  let path = directory;
  for (const part of checkPath(from).split("/")) {
    if (path !== directory && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw imageErrors.make("IMAGE_LAYER_SOURCE", `expected directories on the way to ${from}, found a symbolic link`);
    }
    path = join(path, part);
  }
  return path;
}

function linkTarget(file: string, path: string): string {
  const target = readlinkSync(file);
  if (target === "" || /[\0-\x1f\x7f\ufffd]/.test(target)) {
    throw imageErrors.make("IMAGE_LAYER_PATH", `expected a printable target of the link /${path}`);
  }
  return target;
}

const root = { uid: 0, gid: 0 } as const;

function ownerOf(part: LayerModes): { uid: number; gid: number } {
  return part.owner === undefined || part.owner === "keep" ? root : part.owner;
}

function xattrsOf(part: LayerModes): Pick<LayerItem, "xattrs"> {
  return part.xattrs === undefined ? {} : { xattrs: part.xattrs };
}

function modeOf(part: LayerModes, mode: number, path: string, isDirectory: boolean, rules: ItemRules): number {
  const kind = isDirectory ? "directory" : "file";
  if (isDirectory && part.modes !== "keep") return checkMode(part.modes?.directory ?? 0o755, path, kind, rules);
  // A file's bits are refused even where the mode is not kept: who set them wanted something.
  const kept = checkMode(mode, path, kind, rules);
  if (part.modes === "keep") return kept;
  const isExecutable = (mode & EXECUTABLE) !== 0;
  const wanted = isExecutable ? (part.modes?.executable ?? 0o755) : (part.modes?.file ?? 0o644);
  return checkMode(wanted, path, kind, rules);
}

function checkXattrs({ xattrs, path }: LayerItem): void {
  for (const name of Object.keys(xattrs ?? {})) {
    if (name === "security.capability") {
      throw imageErrors.make("IMAGE_SETUID", `expected no file capabilities in the image, found some of /${path}`);
    }
    if (!/^user\.[\w.-]{1,200}$/.test(name)) {
      throw imageErrors.make(
        "IMAGE_XATTR_REFUSED",
        `expected a user. attribute, found ${JSON.stringify(name)} of /${path}`,
      );
    }
  }
}

function absent(what: string): Error {
  return imageErrors.make(
    "IMAGE_LAYER_SOURCE",
    `expected ${JSON.stringify(what)} among the files for a layer, found none`,
  );
}
