import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Bench } from "./fixture.ts";

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
  // Never through a link of a hostile image, which reading a directory with all below it would follow.
  spawnSync("chown", ["-R", "-h", "-P", `${ids.uid}:${ids.gid}`, root]);
}
