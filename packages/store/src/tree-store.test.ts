import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { sha256, type TreeEntry, treeDigest } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openTreeStore } from "./backends/directory-tree-store.ts";
import { hashDirectory } from "./directory.ts";
import type { Home } from "./home.ts";
import { codeOf, temporaryDirectory, temporaryHome } from "./temporary-home.ts";
import type { TreeStore } from "./tree-store.ts";

const posix = process.platform !== "win32";
const hasTar = spawnSync("tar", ["--version"]).status === 0;

/** Writes a directory: text is a file, `->x` a link, `!x` an executable, null an empty directory. */
function plant(directory: string, files: Record<string, string | null>): string {
  for (const [path, content] of Object.entries(files)) {
    const full = join(directory, path);
    mkdirSync(content === null ? full : dirname(full), { recursive: true });
    if (content === null) continue;
    if (content.startsWith("->")) symlinkSync(content.slice(2), full);
    else writeFileSync(full, content, { mode: content.startsWith("!") ? 0o755 : 0o644 });
  }
  return directory;
}

async function opened(): Promise<{
  home: Home;
  trees: TreeStore;
  out: (files: Record<string, string | null>) => Promise<string>;
}> {
  const home = await temporaryHome();
  return { home, trees: await openTreeStore(home), out: async (files) => plant(await home.scratch("out"), files) };
}

const sample = { "b/file": "content", "a.txt": "first", "b/run": "!script", "b/link": "->../a.txt", "c/empty": null };

test("T1: the digest is core's tree digest of what the directory holds", async () => {
  const { trees, out } = await opened();
  const tree = await trees.ingest(await out(sample));
  const entry = (path: string, kind: TreeEntry["kind"], content: string): TreeEntry => ({
    path,
    kind,
    size: content.length,
    digest: sha256(content),
  });
  const entries = [
    entry("a.txt", "file", "first"),
    entry("b/file", "file", "content"),
    entry("b/link", "symlink", "../a.txt"),
    entry("b/run", "executable", "!script"),
    entry("c/empty", "directory", ""),
  ];
  expect(tree).toEqual({ digest: treeDigest(entries), entries, bytes: 19, known: false, linksOutside: [] });
  expect(await trees.entries(tree.digest)).toEqual(entries);
  expect(await trees.size(tree.digest)).toBe(19);
  expect(readFileSync(join(trees.root(tree.digest), "b/file"), "utf8")).toBe("content");
});

test("T1: times, modes, owners, hard links inside, order of creation and threads do not change the digest", async () => {
  const { trees, out } = await opened();
  const first = await trees.ingest(await out({ a: "same", b: "same", "d/c": "x" }), { epoch: 1 });
  const other = await out({ "d/c": "x", b: "same" });
  linkSync(join(other, "b"), join(other, "a"));
  if (posix) chmodSync(join(other, "d/c"), 0o400);
  utimesSync(join(other, "b"), 5, 5);
  expect((await trees.ingest(other, { epoch: 99 })).digest).toBe(first.digest);
  const many = await out(Object.fromEntries(Array.from({ length: 1300 }, (_, i) => [`d${i % 7}/f${i}`, `text ${i}`])));
  const always = await hashDirectory(many, { threads: "always" });
  expect(always).toEqual(await hashDirectory(many, { threads: "never" }));
  expect((await trees.ingest(many, { threads: "always" })).digest).toBe(treeDigest(always));
});

test("T1: any tree of files can be stored, found again and verified", async () => {
  const { home, trees } = await opened();
  const name = fc
    .stringMatching(/^(?:[a-zé._ -]|\u{1f600}|\ufe0f){1,8}$/u)
    .filter((text) => text !== "." && text !== "..");
  const files = fc.dictionary(name, fc.oneof(fc.string(), fc.dictionary(name, fc.string(), { maxKeys: 3 })), {
    maxKeys: 5,
  });
  await fc.assert(
    fc.asyncProperty(files, async (content) => {
      const directory = await home.scratch("out");
      for (const [key, value] of Object.entries(content)) {
        if (typeof value === "string") writeFileSync(join(directory, key), value);
        else {
          mkdirSync(join(directory, key));
          for (const [inner, text] of Object.entries(value)) writeFileSync(join(directory, key, inner), text);
        }
      }
      const expected = treeDigest(await hashDirectory(directory));
      const { digest } = await trees.ingest(directory);
      expect(digest).toBe(expected);
      await trees.verify(digest);
    }),
    { numRuns: 25 },
  );
});

test.skipIf(!posix)("T2: stored trees have canonical modes, owner and times", async () => {
  const { trees, out } = await opened();
  const directory = await out(sample);
  chmodSync(join(directory, "a.txt"), 0o000);
  chmodSync(join(directory, "b/run"), 0o711);
  chmodSync(join(directory, "c/empty"), 0o777);
  const { digest } = await trees.ingest(directory, { epoch: 1_600_000_000 });
  const root = trees.root(digest);
  for (const [path, mode] of [
    ["", 0o755],
    ["a.txt", 0o644],
    ["b", 0o755],
    ["b/run", 0o755],
    ["c/empty", 0o755],
  ] as const) {
    const stat = lstatSync(join(root, path));
    expect([path, stat.mode & 0o7777, stat.uid, stat.mtimeMs]).toEqual([path, mode, process.geteuid?.(), 1.6e12]);
  }
  expect(lstatSync(join(root, "b/link")).mtimeMs).toBe(1.6e12);
  expect(existsSync(directory)).toBe(false);
});

test("T2: a copy leaves the original alone", async () => {
  const { trees, out } = await opened();
  const directory = await out(sample);
  utimesSync(join(directory, "a.txt"), 5, 5);
  const { digest } = await trees.ingest(directory, { mode: "copy", epoch: 9, durable: true });
  expect(lstatSync(join(directory, "a.txt")).mtimeMs).toBe(5000);
  expect(readlinkSync(join(trees.root(digest), "b/link"))).toBe("../a.txt");
  expect((await trees.ingest(directory, { mode: "copy" })).known).toBe(true);
});

test("T3: limits on entries, bytes, paths and depth have a code each", async () => {
  const { trees, out } = await opened();
  const directory = await out({ "a/b/c": "12345", d: "123" });
  const code = (limits: object) => codeOf(trees.ingest(directory, { limits }));
  expect(await code({ maxEntries: 3 })).toBe("STORE_TREE_TOO_MANY");
  expect(await code({ maxBytes: 7 })).toBe("STORE_TREE_TOO_LARGE");
  expect(await code({ maxFileBytes: 4 })).toBe("STORE_TREE_TOO_LARGE");
  expect(await code({ maxPathBytes: 4 })).toBe("STORE_TREE_PATH_TOO_LONG");
  expect(await code({ maxDepth: 2 })).toBe("STORE_TREE_PATH_TOO_LONG");
  expect(await codeOf(hashDirectory(directory, { limits: { maxBytes: 7 } }))).toBe("STORE_TREE_TOO_LARGE");
  expect(await codeOf(hashDirectory(directory, { limits: { maxFileBytes: 4 } }))).toBe("STORE_TREE_TOO_LARGE");
  expect(await code({ maxEntries: 4, maxBytes: 8, maxFileBytes: 5, maxPathBytes: 5, maxDepth: 3 })).toBe("no error");
});

test("T3: a file or a link is no directory to ingest", async () => {
  const { trees, out } = await opened();
  const directory = await out(sample);
  expect(await codeOf(trees.ingest(join(directory, "a.txt")))).toBe("STORE_TREE_SPECIAL_FILE");
  symlinkSync("b", join(directory, "top"));
  expect(await codeOf(trees.ingest(join(directory, "top")))).toBe("STORE_TREE_SPECIAL_FILE");
});

test("T4: links are followed as the kernel would, without touching the disk", async () => {
  const { trees, out } = await opened();
  const inside = [
    { a: "x", l: "->a" },
    { "d/l": "->../a", a: "x" },
    { l: "->./d//../a" },
    { l: "->l" },
    { a: "->b", b: "->a" },
    { l: "->missing/file" },
    { "p/q/d": "->../..", "p/q/l": "->d/p/q" },
    { d: "->.", l: "->d/d/d/x" },
  ];
  for (const files of inside) expect((await trees.ingest(await out(files))).linksOutside).toEqual([]);
  const outside = [
    { l: "->/etc/passwd" },
    { l: "->.." },
    { "d/l": "->../../x" },
    { "s/d": "->..", "s/l": "->d/../y" },
    { "a/b/c/d": null, j: "->a/b", l: "->j/../../x/../.." },
    { k: "->/", l: "->k/etc" },
  ];
  for (const files of outside) {
    const directory = await out(files);
    expect(await codeOf(trees.ingest(directory))).toBe("STORE_TREE_LINK_ESCAPES");
    expect(await codeOf(hashDirectory(directory))).toBe("STORE_TREE_LINK_ESCAPES");
  }
  const kept = await trees.ingest(await out({ "m/core": "->../../packages/core" }), { linksOutside: "keep" });
  expect(kept.linksOutside).toEqual(["m/core"]);
  await trees.verify(kept.digest);
});

test("T5: the same tree is stored once, also by several at the same time", async () => {
  const { home, trees, out } = await opened();
  const directories = await Promise.all(Array.from({ length: 6 }, () => out(sample)));
  const made = await Promise.all(directories.map((directory) => trees.ingest(directory)));
  expect(new Set(made.map((tree) => tree.digest)).size).toBe(1);
  expect(made.filter((tree) => !tree.known).length).toBe(1);
  expect(readdirSync(join(home.paths.trees, "sha256")).length).toBe(1);
  await trees.verify(made[0]?.digest ?? "sha256:");
});

test("T5: half a tree left in its place is replaced", async () => {
  const { home, trees, out } = await opened();
  const { digest } = await trees.ingest(await out(sample));
  rmSync(trees.root(digest), { recursive: true });
  expect(await trees.has(digest)).toBe(false);
  expect((await trees.ingest(await out(sample))).known).toBe(false);
  await trees.verify(digest);
  expect(readdirSync(home.paths.quarantine).length).toBe(1);
});

test("T6: every change of a stored tree is noticed", async () => {
  const changes: ((root: string) => void)[] = [
    (root) => writeFileSync(join(root, "a.txt"), "fIrst"),
    (root) => truncateSync(join(root, "a.txt"), 2),
    (root) => rmSync(join(root, "b/file")),
    (root) => writeFileSync(join(root, "more"), ""),
    (root) => mkdirSync(join(root, "empty")),
    (root) => renameSync(join(root, "a.txt"), join(root, "a2.txt")),
    (root) => writeFileSync(join(root, "../list"), "touchmark tree v1\n"),
    (root) => rmSync(join(root, "../list")),
    ...(posix ? [(root: string) => chmodSync(join(root, "a.txt"), 0o755)] : []),
    (root) => {
      rmSync(join(root, "b/link"));
      symlinkSync("../b/run", join(root, "b/link"));
    },
    (root) => {
      rmSync(join(root, "a.txt"));
      symlinkSync("b/file", join(root, "a.txt"));
    },
  ];
  const { home, trees, out } = await opened();
  for (const change of changes) {
    const { digest } = await trees.ingest(await out(sample));
    await trees.verify(digest);
    change(trees.root(digest));
    expect([change.toString(), await codeOf(trees.verify(digest))]).toEqual([change.toString(), "STORE_TREE_CORRUPT"]);
    expect(await codeOf(trees.verify(digest))).toBe("STORE_TREE_MISSING");
    expect(await codeOf(trees.entries(digest))).toBe("STORE_TREE_MISSING");
  }
  expect(readdirSync(home.paths.quarantine).length).toBe(changes.length);
});

test("T6: a malformed list is no list", async () => {
  const { parseTreeList } = await import("./tree-list.ts");
  for (const text of ["", "touchmark tree v1\nfile 1 x a\0", "touchmark tree v1\nfile 1", "touchmark tree v2\n"]) {
    expect(await codeOf(() => parseTreeList(text, sha256(text)))).toBe("STORE_TREE_CORRUPT");
  }
});

test("T7: the archive of a tree depends on its digest and the options alone", async () => {
  const { trees, out } = await opened();
  const long = `${"deep/".repeat(30)}ünïcode-${"x".repeat(60)}`;
  const { digest } = await trees.ingest(await out({ ...sample, [long]: "long", "to-long": `->${"deep/".repeat(30)}` }));
  const other = await opened();
  const again = await other.trees.ingest(
    await other.out({ "to-long": `->${"deep/".repeat(30)}`, [long]: "long", ...sample }),
    {
      epoch: 77,
    },
  );
  const read = async (store: TreeStore, options = {}) => {
    const tar = store.toTar(digest, options);
    const parts: Uint8Array[] = [];
    for await (const part of tar) parts.push(part);
    const bytes = Buffer.concat(parts);
    expect(await tar.result).toEqual({ digest: sha256(bytes), size: bytes.length });
    return bytes;
  };
  expect(again.digest).toBe(digest);
  const bytes = await read(trees);
  expect(await read(other.trees)).toEqual(bytes);
  expect(await read(trees, { epoch: 1 })).not.toEqual(bytes);
  expect(await read(trees, { prefix: "package" })).not.toEqual(bytes);
});

test.skipIf(!hasTar || !posix)("T7: tar extracts the archive to the same tree, and lists it as promised", async () => {
  const { trees, out } = await opened();
  const long = `${"deep/".repeat(30)}ünïcode-${"x".repeat(60)}`;
  const { digest } = await trees.ingest(await out({ ...sample, [long]: "long", big: "z".repeat(3_000_000) }));
  const parts: Uint8Array[] = [];
  for await (const part of trees.toTar(digest, { epoch: 1_600_000_000, prefix: "package" })) parts.push(part);
  const directory = temporaryDirectory();
  execFileSync("tar", ["-x", "-C", directory], { input: Buffer.concat(parts) });
  expect(treeDigest(await hashDirectory(join(directory, "package")))).toBe(digest);
  const listing = execFileSync("tar", ["-tv", "--numeric-owner", "--full-time", "--utc"], {
    input: Buffer.concat(parts),
  });
  const lines = listing.toString().trim().split("\n");
  expect(lines[0]).toBe("drwxr-xr-x 0/0               0 2020-09-13 12:26:40 package/");
  expect(lines.every((line) => line.includes(" 0/0 ") && line.includes("2020-09-13 12:26:40"))).toBe(true);
  expect(lines.some((line) => line.includes("package/b/link -> ../a.txt"))).toBe(true);
});

test("T7: a file that is not the listed one stops the archive", async () => {
  const { trees, out } = await opened();
  const { digest } = await trees.ingest(await out(sample));
  const drain = async () => {
    for await (const part of trees.toTar(digest)) void part;
  };
  const file = join(trees.root(digest), "a.txt");
  const damages = [
    () => writeFileSync(file, "fIrst"),
    () => writeFileSync(file, "longer than it was"),
    () => rmSync(file),
    () => symlinkSync("b/file", file),
  ];
  for (const damage of damages) {
    damage();
    expect(await codeOf(drain())).toBe("STORE_TREE_CORRUPT");
  }
  rmSync(join(trees.root(digest), "..", "list"));
  expect(await codeOf(drain())).toBe("STORE_TREE_MISSING");
});

test("T5: trees are listed, used and deleted", async () => {
  const { home, trees, out } = await opened();
  const { digest } = await trees.ingest(await out(sample));
  const listed = [];
  for await (const one of trees.list()) listed.push(one);
  expect(listed.map((one) => one.digest)).toEqual([digest]);
  const before = listed[0]?.usedAt ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await trees.use(digest)).toBe(true);
  expect(await trees.deleteUnused(digest, before)).toBe(0);
  expect(await trees.deleteUnused(digest, Date.now() + 1000)).toBeGreaterThan(18);
  expect(await trees.use(digest)).toBe(false);
  await trees.delete(digest);
  expect(await codeOf(trees.verify(digest))).toBe("STORE_TREE_MISSING");
  await home.close();
});
