import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Cataloger } from "../catalogue/cataloger.ts";
import { catalogued, freshPlace, listed, lost, pkgFiles, sceneDirectory } from "../catalogue/scene.fixture.ts";
import { openDirectoryTree } from "./directory-tree.ts";

const elf = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), Buffer.alloc(8), Buffer.from([2, 0])]);

test("C1: a cataloger gets the files that it wants, in byte order of paths, and reads them at any place", async () => {
  const seen: string[] = [];
  const spy: Cataloger = {
    name: "spy",
    wants: ({ name }) => name.endsWith(".txt"),
    catalogue(files, context) {
      for (const file of files) seen.push(`${file.path} ${Buffer.from(file.read(1, 3)).toString()} ${file.size}`);
      seen.push(String(context.file("b/x.txt")?.digest()), String(context.file("other") === undefined));
      seen.push(String(context.exists("b")), String(context.exists("other")), String(context.exists("none")));
      seen.push(
        context
          .files((path) => path.startsWith("\u{10000}"))
          .map(({ path }) => path)
          .join(),
      );
      return { components: [], edges: [], roots: [], losses: [] };
    },
  };
  const root = sceneDirectory({
    "b/x.txt": "12345",
    "a.txt": "67",
    other: "",
    "\u{10000}.txt": "1",
    "\uffee.txt": "2",
  });
  const sbom = await catalogued(openDirectoryTree(root), [spy]);
  expect(seen).toEqual([
    "a.txt 7 2",
    "b/x.txt 234 5",
    "\uffee.txt  1",
    "\u{10000}.txt  1",
    "sha256:5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5",
    "true",
    "true",
    "true",
    "false",
    "\u{10000}.txt",
  ]);
  expect(sbom.files).toEqual({ seen: 5, catalogued: 4 });
});

test("C1: the first bytes of programs are shown to catalogers, and of files with the name of one", async () => {
  const heads: string[] = [];
  const spy: Cataloger = {
    ...pkgFiles,
    wants: ({ path, head, mode }) => {
      heads.push(`${path} ${mode.toString(8)} ${head === undefined ? "-" : head.length}`);
      return false;
    },
  };
  const root = sceneDirectory({
    program: { content: elf, mode: 0o755 },
    plain: { content: elf, mode: 0o644 },
    "libx.so.1": { content: Buffer.alloc(100), mode: 0o644 },
    empty: { content: "", mode: 0o755 },
  });
  await catalogued(openDirectoryTree(root), [spy]);
  expect(heads.sort()).toEqual(["empty 755 -", "libx.so.1 644 64", "plain 644 -", "program 755 18"]);
});

test("C1: links are not followed, so that nothing outside of the tree is read, and nothing twice", async () => {
  const outside = sceneDirectory({ "evil.pkg": "evil 1" });
  const root = sceneDirectory({
    "a/x.pkg": "x 1",
    loop: { link: "." },
    out: { link: outside },
    "out.pkg": { link: join(outside, "evil.pkg") },
  });
  expect(listed(await catalogued(openDirectoryTree(root)))).toEqual(["x 1 a/x.pkg"]);
});

test("C11: names that are not UTF-8 or hold control characters are losses, and so are directories too deep", async () => {
  const root = sceneDirectory({ "x.pkg": "x 1", "d1/d2/d3/y.pkg": "y 1", "line\nfeed.pkg": "z 1" });
  execFileSync("sh", ["-c", `printf a > "$(printf 'bad\\377.pkg')"`], { cwd: root });
  const sbom = await catalogued(openDirectoryTree(root), [pkgFiles], { limits: { depth: 2 } });
  expect(listed(sbom)).toEqual(["x 1 x.pkg"]);
  expect(lost(sbom)).toEqual(["SBOM_SOURCE_NAME ", "SBOM_SOURCE_TOO_DEEP d1/d2/d3"]);
});

test.skipIf(process.getuid?.() === 0 && !canDrop())(
  "C11: what may not be read is a loss, and the rest is read (needs another user than root)",
  async () => {
    const root = sceneDirectory({ "x.pkg": "x 1", "none/y.pkg": "y 1" });
    chmodSync(root, 0o755);
    chmodSync(join(root, "none"), 0);
    const before = process.geteuid?.() ?? 0;
    if (before === 0) process.seteuid?.(65534);
    try {
      const sbom = await catalogued(openDirectoryTree(root));
      expect(listed(sbom)).toEqual(["x 1 x.pkg"]);
      expect(lost(sbom)).toEqual(["SBOM_SOURCE_UNREADABLE none"]);
    } finally {
      if (before === 0) process.seteuid?.(0);
    }
  },
);

function canDrop(): boolean {
  try {
    process.seteuid?.(65534);
    process.seteuid?.(0);
    return true;
  } catch {
    return false;
  }
}

test.skipIf(process.platform !== "linux")("C11: the kernel's own file systems are not read (needs Linux)", async () => {
  const sbom = await catalogued(openDirectoryTree("/"), [], { limits: { depth: 1 } });
  expect(lost(sbom)).toContain("SBOM_SOURCE_PSEUDO_FILES proc");
});

test("C13: what is not there, or of another kind, is refused", async () => {
  const root = sceneDirectory({ file: "" });
  const refused = (path: string) => catalogued(openDirectoryTree(path)).catch((error: { code: string }) => error.code);
  expect(await refused(join(root, "missing"))).toBe("SBOM_SOURCE_MISSING");
  expect(await refused(join(root, "file"))).toBe("SBOM_SOURCE_KIND");
});

test("C13: a tree with more entries than the limit is refused; an aborted scan ends", async () => {
  const root = freshPlace();
  sceneDirectory(Object.fromEntries(Array.from({ length: 1100 }, (_, index) => [`f${index}`, ""])), root);
  await expect(catalogued(openDirectoryTree(root), [], { limits: { entries: 1000 } })).rejects.toMatchObject({
    code: "SBOM_SOURCE_TOO_MANY_FILES",
  });
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(catalogued(openDirectoryTree(root), [], { signal })).rejects.toThrow("enough");
  const told: number[] = [];
  await catalogued(openDirectoryTree(root), [], { onProgress: (count) => told.push(count) });
  expect(told).toEqual([1024]);
});
