import fc from "fast-check";
import { expect, test } from "vitest";
import { PathSet } from "./path-set.ts";
import { TreePaths } from "./tree-paths.ts";

test("C14: links in directories lead within the tree, in circles to an end", () => {
  const paths = new TreePaths();
  paths.directory("usr/lib", 0);
  paths.link("lib", "usr/lib", 0);
  paths.link("lib64", "/lib", 0);
  paths.link("usr/up", "../../../../lib64/./x", 0);
  paths.link("loop", "loop/again", 0);
  paths.file("usr/lib/libc.so", 0);
  expect(paths.resolve("lib/libc.so")).toBe("usr/lib/libc.so");
  expect(paths.resolve("lib64/libc.so")).toBe("usr/lib/libc.so");
  expect(paths.resolve("usr/up/y")).toBe("usr/lib/x/y");
  expect(paths.resolve("top")).toBe("top");
  expect(paths.exists("lib64/libc.so")).toBe(true);
  expect(paths.exists("lib64/none")).toBe(false);
  expect(typeof paths.resolve("loop/x")).toBe("string");
});

test("C14: a link that a later layer replaced leads nowhere", () => {
  const paths = new TreePaths();
  paths.link("lib", "usr/lib", 0);
  paths.directory("lib", 1);
  expect(paths.resolve("lib/x")).toBe("lib/x");
});

test("C12: a path belongs to the outermost archive, but not to one that a directory only pretends to be", () => {
  const paths = new TreePaths();
  paths.file("a.zip", 0);
  paths.archive("a.zip");
  paths.parents("a.zip!/b/c.zip!/d", 0);
  paths.directory("bin/bash!", 0);
  expect(paths.container("a.zip!/b/c.zip!/d")).toBe("a.zip");
  expect(paths.container("bin/bash!/x.pkg")).toBe("bin/bash!/x.pkg");
  expect(paths.container("bin/bash!/x.zip!/y")).toBe("bin/bash!/x.zip");
  expect(paths.container("plain")).toBe("plain");
});

test("C3: a set of paths has what was added and nothing else", () => {
  const path = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(fc.array(path, { maxLength: 300 }), fc.array(path, { maxLength: 50 }), (added, asked) => {
      const set = new PathSet();
      for (const one of added) set.add(one);
      const truth = new Set(added);
      expect(set.size).toBe(truth.size);
      for (const one of [...asked, ...added]) expect(set.has(one)).toBe(truth.has(one));
    }),
  );
});
