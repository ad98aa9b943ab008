import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lockOf, openScanScene, type ScanScene, writeImage } from "./scan.fixture.ts";

let scene: ScanScene;
beforeAll(() => {
  scene = openScanScene();
  scene.write("shop/package-lock.json", lockOf("1.2.0"));
});
afterAll(() => scene.close());

test("X55: why shows the ways to a package, and the file that says so", async () => {
  const { code, out } = await scene.tell("why", "left", "shop");
  expect([code, out.split("\n").map((line) => line.trim())]).toEqual([
    0,
    [
      "left 1.2.0  runtime",
      "shop > shop 1.0.0 > right 3.0.0 > left 1.2.0",
      "found in package-lock.json (npm-package-lock)",
      "",
    ],
  ]);
});

test.each(["left@1.2.0", "pkg:npm/left", "pkg:npm/left@1.2.0"])("X55: %s is that package", async (wanted) => {
  const { code, out } = await scene.tell("why", wanted, "shop", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject([
    { name: "left", version: "1.2.0", ways: [["shop", "shop 1.0.0", "right 3.0.0", "left 1.2.0"]] },
  ]);
});

test.each(["lef", "left@1.2", "pkg:npm/left@1.2.1", "pkg:pypi/left", "pkg:npm/lef"])(
  "X55: %s is not there, with exit 3",
  async (wanted) => {
    const said = await scene.tell("why", wanted, "shop");
    expect(said).toEqual({ code: 3, out: "", err: `${wanted} is not in shop\n` });
    expect(await scene.tell("why", wanted, "shop", "--json")).toMatchObject({ code: 3, out: "[]\n" });
  },
);

test("X55: in an image a package stands in the layer's file", async () => {
  await writeImage(join(scene.directory, "image"), "1.2.0");
  const { code, out } = await scene.tell("why", "left", "oci-dir:image");
  expect([code, out]).toEqual([0, expect.stringContaining("found in app/node_modules/left/package.json")]);
});

test("X55: of many ways as many are shown as are asked for, the shortest first, and circles end", async () => {
  const wide = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [
      `node_modules/way-${i}`,
      { version: "1.0.0", dependencies: { left: "1.2.0", [`way-${(i + 1) % 30}`]: "1.0.0" } },
    ]),
  );
  const direct = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`way-${i}`, "1.0.0"]));
  const lock = lockOf("1.2.0");
  const root = { ...lock.packages[""], dependencies: { ...direct, right: "3.0.0" } };
  scene.write("wide/package-lock.json", { ...lock, packages: { ...lock.packages, ...wide, "": root } });
  const ways = async (...more: readonly string[]) => {
    const { out } = await scene.tell("why", "left", "wide", "--json", ...more);
    return (JSON.parse(out) as { ways: string[][] }[])[0]?.ways.map((way) => way.length) ?? [];
  };
  expect(await ways()).toEqual([4, 4, 4, 4, 4]);
  expect(await ways("--ways", "12")).toHaveLength(12);
  for (const most of ["0", "-1", "x", "1001"]) {
    expect((await scene.tell("why", "left", "wide", `--ways=${most}`)).code).toBe(2);
  }
});

test("X55: the way through a chain of 50,000 packages that ends in circles is found", async () => {
  const count = 50_000;
  const components = Array.from({ length: count }, (_, i) => ({
    ...{ type: "library", "bom-ref": `c${i}`, name: `c${i}`, version: "1" },
  }));
  const dependencies = components.map(({ name }, i) => ({ ref: name, dependsOn: [`c${(i + 1) % count}`] }));
  const metadata = { component: { type: "application", "bom-ref": "shop", name: "shop" } };
  const edges = [{ ref: "shop", dependsOn: ["c0"] }, ...dependencies];
  const document = { bomFormat: "CycloneDX", specVersion: "1.6", version: 1, metadata, components };
  scene.write("chain.json", { ...document, dependencies: edges });
  const { code, out } = await scene.tell("why", `c${count - 1}`, "chain.json", "--json");
  expect(code).toBe(0);
  expect((JSON.parse(out) as { ways: string[][] }[])[0]?.ways.map((way) => way.length)).toEqual([count + 1]);
});
