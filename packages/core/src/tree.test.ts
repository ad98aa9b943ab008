import fc from "fast-check";
import { expect, test } from "vitest";
import { checkTreePath, directoryEntry, sha256, type TreeEntry, treeDigest, treeList } from "./index.ts";

const part = fc
  .string({ minLength: 1, maxLength: 6 })
  .filter((text) => !/[/\0]/.test(text) && text !== "." && text !== "..");
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const entry: fc.Arbitrary<TreeEntry> = fc.record({
  path,
  kind: fc.constantFrom("file", "executable", "symlink"),
  size: fc.nat(),
  digest: fc.string().map((text) => sha256(text)),
});
const entries = fc.uniqueArray(entry, { selector: (each) => each.path, maxLength: 8 });

test("T1: the order of entries does not matter, and their own order is that of bytes", () => {
  fc.assert(
    fc.property(entries, (list) => {
      expect(treeDigest([...list].reverse())).toBe(treeDigest(list));
      expect(sha256(treeList(list))).toBe(treeDigest(list));
    }),
  );
  // UTF-16 would sort the last two the other way round.
  const names = ["b", "a/b", "a", "é", "\u{1f600}", "\uff5e"].map(directoryEntry);
  const listed = treeList(names)
    .split("\0")
    .map((line) => line.split(" ").at(-1));
  expect(listed.slice(0, -1)).toEqual(["a", "a/b", "b", "é", "\uff5e", "\u{1f600}"]);
});

test("T1: another path, kind, size or content is another tree", () => {
  const file: TreeEntry = { path: "a", kind: "file", size: 1, digest: sha256("x") };
  const others: TreeEntry[] = [
    { ...file, path: "b" },
    { ...file, kind: "executable" },
    { ...file, kind: "symlink" },
    { ...file, size: 2 },
    { ...file, digest: sha256("y") },
  ];
  const digests = [[], [file], [file, { ...file, path: "b" }], ...others.map((other) => [other])].map(treeDigest);
  expect(new Set(digests).size).toBe(digests.length);
});

test("T1: no name can forge a second entry", () => {
  fc.assert(
    fc.property(entries, entries, (one, other) => {
      const same = treeList(one) === treeList(other);
      const sorted = (list: TreeEntry[]) => JSON.stringify([...list].sort((a, b) => (a.path < b.path ? -1 : 1)));
      expect(same).toBe(sorted(one) === sorted(other));
    }),
  );
});

test.each(["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "a/../b", "./a", "a/./b", "a\0b"])(
  "T1: the path %j is refused",
  (bad) => {
    expect(() => checkTreePath(bad)).toThrow(expect.objectContaining({ code: "TREE_PATH_INVALID" }));
    expect(() => treeDigest([directoryEntry(bad)])).toThrow(expect.objectContaining({ code: "TREE_PATH_INVALID" }));
  },
);

test("T1: a path that stands twice is refused", () => {
  const twice = [directoryEntry("a"), { ...directoryEntry("a"), kind: "file" as const }];
  expect(() => treeDigest(twice)).toThrow(expect.objectContaining({ code: "TREE_PATH_INVALID" }));
});
