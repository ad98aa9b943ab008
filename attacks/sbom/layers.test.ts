import { expect, test } from "vitest";
import { file, planted, purls, scan, scanLayers, vulnerable } from "./tree-scene.ts";

const lodash = "app/node_modules/lodash/package.json";
const purl = "pkg:npm/lodash@4.17.20";

test("C3: a whiteout in the layer of the package itself does not hide it", async () => {
  const whiteout = {
    path: "app/node_modules/.wh.lodash",
    whiteout: { kind: "entry", path: "app/node_modules/lodash" },
  } as const;
  expect(purls(await scanLayers([file(lodash, vulnerable), whiteout]))).toEqual([purl]);
  expect(purls(await scanLayers([whiteout, file(lodash, vulnerable)]))).toEqual([purl]);
  expect(purls(await scanLayers([file(lodash, vulnerable)], [whiteout]))).toEqual([]);
});

test("C3: a package that a later layer brings back is there, and is of that layer", async () => {
  const whiteout = { path: ".wh.app", whiteout: { kind: "entry", path: "app" } } as const;
  const sbom = await scanLayers([file(lodash, vulnerable)], [whiteout], [file(lodash, vulnerable)]);
  expect(sbom.components.find((one) => one.purl === purl)?.occurrences[0]?.layer).toBe(sbom.layers[2]);
});

test("C4: a package under a hard link to a file of any name is found", async () => {
  const link = { path: lodash, kind: "hardlink", target: "tmp/blob.bin" } as const;
  expect(purls(await scanLayers([file("tmp/blob.bin", vulnerable), link]))).toEqual([purl]);
});

test("C11: names that would forge lines of a report are named without their control characters, and the rest is read", async () => {
  const root = planted({ [lodash]: vulnerable, "app/\u001b[2Jnothing here\n/package.json": vulnerable });
  const sbom = await scan(root);
  expect(purls(sbom)).toEqual([purl]);
  expect(sbom.losses.map(({ code }) => code)).toEqual(["SBOM_SOURCE_NAME"]);
  expect(JSON.stringify(sbom.losses.map(({ message, path }) => [message, path]))).not.toContain("\u001b");
  expect(sbom.losses[0]?.message.includes("\n")).toBe(false);
});
