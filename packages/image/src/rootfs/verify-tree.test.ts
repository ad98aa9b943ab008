import {
  appendFileSync,
  chmodSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fixedClock, sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { contentOf, freshPlace, platform, sceneImage } from "../unpack/scene.fixture.ts";
import type { ListedEntry } from "../unpack/tree-listing.ts";
import { openRootfsStore } from "./rootfs-store.ts";
import { Stamps, takeStamps } from "./stamps.ts";
import { verifyTree } from "./verify-tree.ts";

const original = { uid: 0, gid: 0, mode: 0 };
const clock = fixedClock("2026-01-01T00:00:00Z");
const layers = [
  [
    { name: "bin/", type: "5", mode: 0o755, mtime: 1000 },
    { name: "bin/sh", content: "shell", mode: 0o755, mtime: 1000 },
    { name: "etc/passwd", content: "root:x:0:0", mtime: 1000 },
    { name: "l", type: "2", target: "bin/sh", mtime: 1000 },
    { name: "empty/", type: "5", mtime: 1000 },
  ],
];

async function scene() {
  const { reader, digest } = await sceneImage(layers);
  const directory = freshPlace();
  const store = openRootfsStore({ directory, clock });
  const { directory: root, release } = await store.ensure(reader, digest, platform);
  release();
  return { reader, digest, directory, root, store };
}

/** Changes a file and sets its time back, as someone would who does not want to be seen. */
function quietly(path: string, change: () => void): void {
  const { atime, mtime } = statSync(path);
  change();
  utimesSync(path, atime, mtime);
}

const changes: readonly (readonly [string, string, (root: string) => void])[] = [
  [
    "a flipped bit",
    "bin/sh",
    (root) => quietly(join(root, "bin/sh"), () => writeFileSync(join(root, "bin/sh"), "shelm")),
  ],
  [
    "bytes behind the end",
    "bin/sh",
    (root) => quietly(join(root, "bin/sh"), () => appendFileSync(join(root, "bin/sh"), "!")),
  ],
  [
    "another file in its place",
    "etc/passwd",
    (root) => {
      writeFileSync(join(root, "etc/new"), "root:y:0:0");
      quietly(join(root, "etc"), () => renameSync(join(root, "etc/new"), join(root, "etc/passwd")));
      utimesSync(join(root, "etc/passwd"), 1000, 1000);
    },
  ],
  ["a setuid bit", "bin/sh", (root) => chmodSync(join(root, "bin/sh"), 0o4755)],
  ["a mode", "etc/passwd", (root) => chmodSync(join(root, "etc/passwd"), 0o666)],
  ["a time", "etc/passwd", (root) => utimesSync(join(root, "etc/passwd"), 1, 1)],
  [
    "a file that is gone",
    "etc/passwd",
    (root) => quietly(join(root, "etc"), () => unlinkSync(join(root, "etc/passwd"))),
  ],
  ["a file more", "etc/evil", (root) => quietly(join(root, "etc"), () => writeFileSync(join(root, "etc/evil"), ""))],
  ["a file more at the root", "evil", (root) => quietly(root, () => writeFileSync(join(root, "evil"), ""))],
  [
    "a file in place of another",
    "bin/sh",
    (root) => quietly(join(root, "bin"), () => renameSync(join(root, "bin/sh"), join(root, "bin/bash"))),
  ],
  [
    "a link that leads elsewhere",
    "l",
    (root) => {
      quietly(root, () => {
        unlinkSync(join(root, "l"));
        symlinkSync("/bin/evil", join(root, "l"));
      });
      lutimesSync(join(root, "l"), 1000, 1000);
    },
  ],
  [
    "a link in place of a file",
    "bin/sh",
    (root) =>
      quietly(join(root, "bin"), () => {
        unlinkSync(join(root, "bin/sh"));
        symlinkSync("/bin/sh", join(root, "bin/sh"));
      }),
  ],
  [
    "a link in place of a directory",
    "empty",
    (root) =>
      quietly(root, () => {
        rmSync(join(root, "empty"), { recursive: true });
        symlinkSync("/tmp", join(root, "empty"));
      }),
  ],
  [
    "a directory in place of a file",
    "etc/passwd",
    (root) => {
      unlinkSync(join(root, "etc/passwd"));
      mkdirSync(join(root, "etc/passwd"));
    },
  ],
];

test.each(changes)(
  "X9: %s is refused with its path, whichever way it is verified, and set aside",
  async (_name, path, change) => {
    for (const how of ["listing", "rehash"] as const) {
      const { digest, reader, root, store } = await scene();
      await store.verify(digest, how);
      change(root);
      await expect(store.verify(digest, how)).rejects.toMatchObject({
        code: "ROOTFS_CHANGED",
        message: expect.stringContaining(JSON.stringify(path)),
      });
      await expect(store.verify(digest, how)).rejects.toMatchObject({ code: "ROOTFS_MISSING" });
      await store.ensure(reader, digest, platform);
      await store.verify(digest, how);
    }
  },
);

test("X9: what stamps hold for is not read again; a file whose change time differs is", async () => {
  const { root } = await scene();
  const entries: ListedEntry[] = ["", "bin", "bin/sh", "empty", "etc", "etc/passwd", "l"].map((path) => {
    const stat = lstatSync(join(root, path));
    const kind = stat.isFile() ? "file" : stat.isDirectory() ? "directory" : "symlink";
    const facts = { path, kind, mode: stat.mode & 0o777, mtime: Math.floor(stat.mtimeMs / 1000), original } as const;
    if (kind === "file") return { ...facts, size: stat.size, sha256: sha256(readFileSync(join(root, path))).slice(7) };
    return { ...facts, size: 0, ...(kind === "symlink" ? { target: "bin/sh" } : {}) };
  });
  const stamps = (bytes: Uint8Array) => Stamps.read(bytes, entries.length);
  const fresh = stamps(takeStamps(root, entries));
  // Everything is so new that its time says nothing.
  expect(verifyTree(root, entries, fresh)).toEqual({ entries: 7, hashed: 2, unstamped: 7 });
  await new Promise((resolve) => setTimeout(resolve, 80));
  const settled = takeStamps(root, entries);
  expect(verifyTree(root, entries, stamps(settled))).toEqual({ entries: 7, hashed: 0, unstamped: 0 });
  expect(verifyTree(root, entries, undefined)).toEqual({ entries: 7, hashed: 2, unstamped: 7 });
  quietly(join(root, "bin/sh"), () => writeFileSync(join(root, "bin/sh"), "shell"));
  expect(verifyTree(root, entries, stamps(settled))).toEqual({ entries: 7, hashed: 1, unstamped: 1 });
});

test.each(["listing", "record.json"])("X9: an altered %s is refused", async (name) => {
  const { digest, directory, store } = await scene();
  const path = join(directory, "sha256", digest.slice(7), name);
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace(/"bytes":15|"bin"/, (text) => text.replace(/5|i/, "4")),
  );
  await expect(store.verify(digest, "rehash")).rejects.toMatchObject({ code: "ROOTFS_CHANGED" });
});

test("X9: a missing listing is refused; missing or damaged stamps cost time alone", async () => {
  const { digest, directory, store } = await scene();
  const place = join(directory, "sha256", digest.slice(7));
  writeFileSync(join(place, "stamps"), "damaged");
  await store.verify(digest, "listing");
  expect(statSync(join(place, "stamps")).size).toBeGreaterThan(40);
  rmSync(join(place, "stamps"));
  await store.verify(digest, "listing");
  rmSync(join(place, "listing"));
  await expect(store.verify(digest, "listing")).rejects.toMatchObject({ code: "ROOTFS_CHANGED" });
});

test("X9: files, listing and record altered together pass a rehash, and not a derivation", async () => {
  const { digest, directory, reader, root, store } = await scene();
  await store.derive(reader, digest, platform);
  const place = join(directory, "sha256", digest.slice(7));
  const listing = readFileSync(join(place, "listing"), "utf8");
  quietly(join(root, "bin/sh"), () => writeFileSync(join(root, "bin/sh"), "shelm"));
  const forged = listing.replace(sha256("shell").slice(7), sha256("shelm").slice(7));
  writeFileSync(join(place, "listing"), forged);
  const record = readFileSync(join(place, "record.json"), "utf8");
  writeFileSync(join(place, "record.json"), record.replace(sha256(listing), sha256(forged)));
  await store.verify(digest, "rehash");
  await expect(store.derive(reader, digest, platform)).rejects.toMatchObject({ code: "ROOTFS_NOT_DERIVED" });
  const fresh = await store.ensure(reader, digest, platform);
  expect(contentOf(fresh.directory)).toContain("bin/sh = shell");
});

test("X9: an altered environment is refused", async () => {
  const { digest, directory, store } = await scene();
  const path = join(directory, "sha256", digest.slice(7), "record.json");
  const record = readFileSync(path, "utf8");
  writeFileSync(path, record.replace('"environment":{}', '"environment":{"LD_PRELOAD":"/evil"}'));
  await expect(store.verify(digest, "listing")).rejects.toMatchObject({ code: "ROOTFS_CHANGED" });
});

test("X9: a listing of another image is refused", async () => {
  const { digest, directory, store } = await scene();
  const place = join(directory, "sha256", digest.slice(7));
  const listing = readFileSync(join(place, "listing"), "utf8");
  const other = listing.replace(digest, sha256("other"));
  writeFileSync(join(place, "listing"), other);
  const record = readFileSync(join(place, "record.json"), "utf8");
  writeFileSync(join(place, "record.json"), record.replace(sha256(listing), sha256(other)));
  await expect(store.verify(digest, "rehash")).rejects.toMatchObject({ code: "ROOTFS_CHANGED" });
});
