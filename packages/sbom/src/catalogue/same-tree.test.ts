import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sbom } from "@touchmark/formats/sbom";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openDirectoryTree } from "../sources/directory-tree.ts";
import { openFileTree } from "../sources/file-tree.ts";
import { openLayersTree } from "../sources/layers-tree.ts";
import type { Cataloger } from "./cataloger.ts";
import {
  catalogued,
  freshPlace,
  pkgFiles,
  type Scene,
  sceneDirectory,
  sceneLayers,
  sceneTar,
} from "./scene.fixture.ts";

/** Owns `bin/a`, so that ownership is measured. */
const owner: Cataloger = {
  name: "owner",
  wants: ({ path }) => path === "anchor",
  catalogue: () => ({
    components: [
      {
        key: "o",
        kind: "library",
        name: "o",
        version: "1",
        type: "deb",
        scope: "runtime",
        owns: ["l/a", "l/x.pkg"],
        occurrences: [{ path: "anywhere", rule: "test" }],
      },
    ],
    edges: [],
    roots: ["o"],
    losses: [],
  }),
};

const directories = ["a", "b", "a/c", "b/c", "l"];
const names = ["x.pkg", "y.pkg", "a", "tool", "t.tar"];
const path = fc
  .tuple(fc.constantFrom("", ...directories), fc.constantFrom(...names))
  .map(([directory, name]) => (directory === "" ? `top-${name}` : `${directory}/f-${name}`));
const inner = sceneTar({ "x.pkg": "x 1", "d/tool": { content: "#!/bin/sh\n", mode: 0o755 } });
const content = fc.oneof(
  fc.constantFrom("x 1", "x 2 sha1=aa", "y 1", "#!/bin/sh\n", "").map((text) => text as string | Uint8Array),
  fc.constant(inner as string | Uint8Array),
);
const file = fc.record({ content, mode: fc.constantFrom(0o644, 0o755) });
const scene = fc.dictionary(path, file, { maxKeys: 12, noNullPrototype: true });
const link = fc.constantFrom("a", "/b", "../b/./c", "nowhere");

/** What an SBOM says, but for layers. */
function plain(sbom: Sbom): string {
  return JSON.stringify({ ...sbom, layers: [] }, (key, value: unknown) => (key === "layer" ? undefined : value));
}

test("C5: a tree says the same as a directory, as layers however cut, and as an archive", async () => {
  await fc.assert(
    fc.asyncProperty(scene, link, fc.nat({ max: 12 }), fc.boolean(), async (files, target, cut, hard) => {
      const paths = Object.keys(files);
      const first = paths[0];
      // Layers hold entries by name: a hard link that came before its target would name the one of the layer below.
      const links: Scene = {
        anchor: "",
        linked: { link: target },
        ...(hard && first !== undefined && { "top-z-hard.pkg": { hard: first } }),
      };
      const whole: Scene = { ...files, ...links };
      const root = sceneDirectory(whole);
      const catalogers = [pkgFiles, owner];
      const truth = plain(await catalogued(openDirectoryTree(root), catalogers));
      // The lower layer has what comes later, of which the upper one changes or takes away all that should not be.
      const lower = paths.slice(cut);
      const upper = Object.entries(whole).filter(([path]) => !lower.includes(path));
      const changed = lower.slice(0, 2);
      const layers = sceneLayers(
        {
          ...Object.fromEntries(lower.map((path) => [path, files[path] as Scene[string]])),
          ...Object.fromEntries(changed.map((path) => [path, "z 9"])),
          "gone/z.pkg": "z 9",
          "gone/b/tool": { content: "#!/bin/sh\n", mode: 0o755 },
          "gone.pkg": "z 9",
        },
        { gone: { whiteout: "entry" }, "gone.pkg": { whiteout: "entry" } },
        {
          ...Object.fromEntries(changed.map((path) => [path, files[path] as Scene[string]])),
          ...Object.fromEntries(upper),
        },
      );
      const sameLayer = !hard || first === undefined || cut > 0 || changed.includes(first);
      if (sameLayer) expect(plain(await catalogued(openLayersTree(layers), catalogers))).toBe(truth);
      const archive = join(freshPlace(), "tree.tar");
      writeFileSync(archive, sceneTar(whole));
      expect(plain(await catalogued(openFileTree(archive), catalogers))).toBe(truth);
    }),
    { numRuns: 60 },
  );
});
