import { expect, test } from "vitest";
import { planted, purls, scan, vulnerable } from "./tree-scene.ts";

const site = "venv/lib/python3.11/site-packages";

test("J4: a vulnerable package is found in the node_modules of another, of a test directory and of pnpm's store", async () => {
  for (const place of [
    "node_modules/a/node_modules/lodash",
    "node_modules/a/test/fixtures/node_modules/lodash",
    "node_modules/.pnpm/lodash@4.17.20/node_modules/lodash",
    "srv/.hidden/node_modules/lodash",
    "usr/share/nodejs/lodash",
  ]) {
    expect(purls(await scan(planted({ [`${place}/package.json`]: vulnerable })))).toEqual(["pkg:npm/lodash@4.17.20"]);
  }
});

test("J4: a package in the directory of another name is listed by the name that its own manifest says", async () => {
  const sbom = await scan(planted({ "node_modules/harmless/package.json": vulnerable }));
  expect(purls(sbom)).toEqual(["pkg:npm/lodash@4.17.20"]);
  expect(sbom.components.find(({ name }) => name === "lodash")?.properties).toEqual([
    { name: "touchmark:alias", value: "harmless" },
  ]);
});

test("J7: a package.json that is spoilt on purpose is named", async () => {
  for (const text of ["", "{", "null", '{"name":"lodash"}', '{"name":"lodash","version":{"a":1}}']) {
    const sbom = await scan(planted({ "node_modules/lodash/package.json": text }));
    expect(sbom.losses).toMatchObject([{ path: "node_modules/lodash/package.json", code: "SBOM_NPM_MANIFEST" }]);
  }
});

test("P2: a distribution whose metadata was emptied is known by its directory, and named", async () => {
  const sbom = await scan(planted({ [`${site}/Django-4.2.1.dist-info/METADATA`]: "\n" }));
  expect(purls(sbom)).toEqual(["pkg:pypi/django@4.2.1"]);
  expect(sbom.losses).toMatchObject([{ code: "SBOM_PYTHON_METADATA" }]);
});

test("P4: a RECORD cannot claim a program outside of the tree, nor what a climbing path names", async () => {
  const sbom = await scan(
    planted({
      [`${site}/a-1.0.dist-info/METADATA`]: "Name: a\nVersion: 1.0\n\n",
      [`${site}/a-1.0.dist-info/RECORD`]: `${"../".repeat(40)}usr/bin/evil,,\n`,
    }),
  );
  expect(sbom.losses).toMatchObject([{ code: "SBOM_PYTHON_RECORD" }]);
});
