import { createHash } from "node:crypto";
import type { Sbom } from "@touchmark/formats/sbom";
import { expect, test } from "vitest";
import { debianSystem, planted, scan, vulnerable } from "./tree-scene.ts";

/** Places of lodash that count as the distribution's, for which its advisories would be asked instead. */
function owned(sbom: Sbom): string[] {
  return sbom.components
    .filter(({ name, properties }) => name === "lodash" && properties.some((one) => one.name === "touchmark:owned-by"))
    .flatMap(({ occurrences }) => occurrences.map(({ path }) => path));
}

const place = "usr/share/nodejs/lodash/package.json";

test("C9: the scene itself: what the distribution's package brought is the distribution's", async () => {
  expect(owned(await scan(planted({ ...debianSystem(place), [place]: vulnerable })))).toEqual([place]);
});

test("C9: a copy beside the distribution's own, of the same version, is not covered by it", async () => {
  const copy = "srv/app/node_modules/lodash/package.json";
  const sbom = await scan(planted({ ...debianSystem(place), [place]: vulnerable, [copy]: vulnerable }));
  expect(owned(sbom)).toEqual([place]);
  expect(sbom.components.filter(({ name }) => name === "lodash")).toHaveLength(2);
});

test("O4: a file of the distribution that was replaced is no longer the distribution's", async () => {
  const sums = `${createHash("md5").update("the original").digest("hex")}  ${place}\n`;
  const system = { ...debianSystem(place), "var/lib/dpkg/info/node-lodash.md5sums": sums };
  const sbom = await scan(planted({ ...system, [place]: vulnerable }));
  expect(owned(sbom)).toEqual([]);
});

test("C12: a directory named like a distribution's file with an exclamation mark does not count as its content", async () => {
  const evil = "usr/bin/tool!/node_modules/lodash/package.json";
  const sbom = await scan(planted({ ...debianSystem("usr/bin/tool"), "usr/bin/tool": "x", [evil]: vulnerable }));
  expect(owned(sbom)).toEqual([]);
  expect(sbom.components.some(({ name }) => name === "lodash")).toBe(true);
});

test("C14: a link that leads above the root leads back into the tree, as it does for the system's own programs", async () => {
  const inside = "srv/node_modules/lodash/package.json";
  const system = { ...debianSystem("opt/node_modules/lodash/package.json"), opt: { link: "../../../srv" } };
  expect(owned(await scan(planted({ ...system, [inside]: vulnerable })))).toEqual([inside]);
  expect(owned(await scan(planted({ ...system, opt: { link: "../../../usr" }, [inside]: vulnerable })))).toEqual([]);
});

test("C10: a program dropped beside the distribution's own is named", async () => {
  const sbom = await scan(
    planted({
      ...debianSystem("usr/bin/tool"),
      "usr/bin/tool": { program: "#!/bin/sh\n" },
      "usr/bin/.hidden": { program: "#!/bin/sh\nevil\n" },
      "usr/bin/tool!/evil": { program: "#!/bin/sh\nevil\n" },
      "var/lib/dpkg/info/evil.postinst": { program: "#!/bin/sh\nevil\n" },
    }),
  );
  expect(sbom.unowned?.map(({ path }) => path)).toEqual([
    "usr/bin/.hidden",
    "usr/bin/tool!/evil",
    "var/lib/dpkg/info/evil.postinst",
  ]);
});
