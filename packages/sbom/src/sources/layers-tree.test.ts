import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import type { Cataloger } from "../catalogue/cataloger.ts";
import { catalogued, layerId, listed, lost, pkgFiles, type Scene, sceneLayers } from "../catalogue/scene.fixture.ts";
import type { TreeLayer } from "./entry.ts";
import { openLayersTree } from "./layers-tree.ts";
import type { DeletedFile } from "./scanned-tree.ts";

const of = (...scenes: Scene[]) => openLayersTree(sceneLayers(...scenes));

test("C3: later layers replace and take away; each component is of the layer that brought its file", async () => {
  const sbom = await catalogued(
    of(
      { "a.pkg": "a 1", "b.pkg": "b 1", "d/c.pkg": "c 1", "d/e/f.pkg": "f 1", "o/g.pkg": "g 1", "k/h.pkg": "h 1" },
      { "a.pkg": "a 2", "b.pkg": { whiteout: "entry" }, d: { whiteout: "entry" }, "o/new.pkg": "n 1" },
      { o: { whiteout: "opaque" }, "o/top.pkg": "t 1", k: "a file now" },
    ),
  );
  expect(listed(sbom)).toEqual(["a 2 a.pkg", "t 1 o/top.pkg"]);
  expect(sbom.layers).toEqual([layerId(0), layerId(1), layerId(2)]);
  const layers = sbom.components.flatMap(({ occurrences }) => occurrences.map(({ layer }) => layer));
  expect(layers).toEqual([layerId(1), layerId(2)]);
  expect(sbom.files).toEqual({ seen: 3, catalogued: 2 });
});

test("C3: a whiteout is of lower layers only, wherever in its layer it stands", async () => {
  const sbom = await catalogued(
    of({ "d/old.pkg": "old 1" }, { "d/new.pkg": "new 1", d: { whiteout: "opaque" }, "x.pkg": "x 1" }),
  );
  expect(listed(sbom)).toEqual(["new 1 d/new.pkg", "x 1 x.pkg"]);
});

test("C3: what a later layer took away is told, with both layers, and not what it only replaced", async () => {
  const deleted: DeletedFile[] = [];
  await catalogued(
    of({ "a.pkg": "a 1", "d/b.pkg": "b 1" }, { d: { whiteout: "entry" } }, { "a.pkg": "a 2" }),
    [pkgFiles],
    { onDeleted: (file) => deleted.push(file) },
  );
  expect(deleted).toEqual([{ path: "d/b.pkg", layer: layerId(0), by: layerId(1) }]);
});

test("C4: a hard link is a file with the content of the other, read a second time only where nobody kept that", async () => {
  let readings = 0;
  const [plain] = sceneLayers({ "one.pkg": "one 1", "two.pkg": { hard: "one.pkg" } });
  const [unkept] = sceneLayers({ blob: "three 1", "three.pkg": { hard: "blob" }, "four.pkg": { hard: "three.pkg" } });
  const counted = (layer: TreeLayer | undefined): TreeLayer => ({
    diffId: layer?.diffId ?? layerId(0),
    entries: () => {
      readings++;
      return (layer as TreeLayer).entries();
    },
  });
  expect(listed(await catalogued(openLayersTree([counted(plain)])))).toEqual(["one 1 one.pkg two.pkg"]);
  expect(readings).toBe(1);
  expect(listed(await catalogued(openLayersTree([counted(unkept)])))).toEqual(["three 1 four.pkg three.pkg"]);
  expect(readings).toBe(3);
});

test("C4: a hard link to a program that nobody wants is a program, without a second reading", async () => {
  let readings = 0;
  const program = { content: "#!/bin/sh\n", mode: 0o755 };
  const [layer] = sceneLayers({ "bin/perl": program, "bin/perl5": { hard: "bin/perl" } });
  const counted: TreeLayer = {
    diffId: layerId(0),
    entries: () => {
      readings++;
      return (layer as TreeLayer).entries();
    },
  };
  const sbom = await catalogued(openLayersTree([counted]), [], { subject: { kind: "image", name: "i" } });
  const digest = sha256(program.content);
  expect(sbom.unowned).toEqual(["bin/perl", "bin/perl5"].map((path) => ({ path, digest, layer: layerId(0) })));
  expect(readings).toBe(1);
});

test("C4: a hard link to nothing is a loss", async () => {
  const sbom = await catalogued(of({ "a.pkg": { hard: "none" }, "b.pkg": "b 1" }));
  expect(listed(sbom)).toEqual(["b 1 b.pkg"]);
  expect(lost(sbom)).toEqual(["SBOM_SOURCE_UNREADABLE a.pkg"]);
});

test("C2: wanted files of any size are put aside, and can be read at any place until the catalogue is done", async () => {
  const large = Buffer.alloc(300_000, "0123456789");
  const read: string[] = [];
  const spy: Cataloger = {
    ...pkgFiles,
    wants: () => true,
    catalogue(files) {
      for (const file of files) {
        const twice = [0, 1].map(() => Buffer.from(file.read(file.size - 4, 10)).toString());
        read.push(`${file.path} ${twice.join()} ${Buffer.from(file.bytes()).length} ${file.hash("md5").length}`);
        expect(() => file.bytes(1)).toThrow(expect.objectContaining({ code: "SBOM_FILE_TOO_LARGE" }));
      }
      return { components: [], edges: [], roots: [], losses: [] };
    },
  };
  const scratch = () => readdirSync(tmpdir()).filter((name) => name.startsWith("touchmark-scan-"));
  const before = scratch();
  await catalogued(of({ large, small: "abcdef" }, { second: large }), [spy]);
  expect(read).toEqual(["large 6789,6789 300000 32", "second 6789,6789 300000 32", "small cdef,cdef 6 32"]);
  await catalogued(of({ large, small: "abcdef" }), [spy], { limits: { memoryBytes: 0 } });
  expect(scratch().filter((name) => !before.includes(name))).toEqual([]);
});

test("C2: files beyond the scratch space are losses; after a failure of the source nothing is left", async () => {
  const sbom = await catalogued(of({ "a.pkg": `a 1${" ".repeat(100_000)}`, "b.pkg": "b 1" }), [pkgFiles], {
    limits: { scratchBytes: 1000 },
  });
  expect(listed(sbom)).toEqual(["b 1 b.pkg"]);
  expect(lost(sbom)).toEqual(["SBOM_SOURCE_TOO_LARGE a.pkg"]);
  const broken: TreeLayer = {
    diffId: layerId(0),
    async *entries() {
      yield* sceneLayers({ "a.pkg": `a 1${" ".repeat(100_000)}` })[0]?.entries() ?? [];
      throw new Error("the layer ends early");
    },
  };
  await expect(catalogued(openLayersTree([broken]))).rejects.toThrow("the layer ends early");
});
