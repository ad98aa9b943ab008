import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Bench, cases } from "./fixture.ts";

const applets = [
  "sh",
  "cat",
  "ls",
  "echo",
  "id",
  "touch",
  "mkdir",
  "env",
  "stat",
  "chmod",
  "mount",
  "readlink",
  "sleep",
];
const busybox = ["/bin/busybox", "/usr/bin/busybox"].find(existsSync);

/** Why there can be no image of a few files here, or null. Used by tests only. */
export const missingForImages: string | null =
  busybox !== undefined && spawnSync(busybox, ["true"]).status === 0 ? null : "busybox (static) is not installed";

/** The cases of the contract suite that need an image. */
export const casesWithImages = cases.map((row) => ({
  ...row,
  missing: row.missing ?? missingForImages,
  name: row.missing === null && missingForImages !== null ? `${row.name} (skipped: ${missingForImages})` : row.name,
}));

/** What a tiny image holds beside its programs: content by path; `-> target` makes a link. */
export type ImageFiles = Readonly<Record<string, string>>;

/** Unpacks a tiny image of one static program that the bench's caller owns; used by tests only. */
export function makeImage(bench: Bench, name: string, files: ImageFiles = {}): string {
  const root = bench.make(`image-${name}`);
  const way = (path: string): string => {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    return at;
  };
  if (busybox !== undefined) copyFileSync(busybox, way("bin/busybox"));
  chmodSync(join(root, "bin/busybox"), 0o755);
  for (const applet of applets) symlinkSync("busybox", way(`bin/${applet}`));
  writeFileSync(way("etc/os-release"), "ID=tiny\n");
  writeFileSync(way("etc/passwd"), "root:x:0:0::/root:/bin/sh\nbuilder:x:0:0::/:/bin/sh\n");
  for (const [path, text] of Object.entries(files)) {
    if (text.startsWith("-> ")) symlinkSync(text.slice(3), way(path));
    else writeFileSync(way(path), text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
  }
  own(root, bench.ids);
  return root;
}

/** Gives a tree to the caller, as an unpacker that runs as the caller would. */
export function own(root: string, ids: Bench["ids"]): void {
  if (ids.uid === undefined || ids.gid === undefined) return;
  for (const entry of readdirSync(root, { recursive: true })) lchownSync(join(root, String(entry)), ids.uid, ids.gid);
}
