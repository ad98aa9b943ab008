import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { readSbom } from "@touchmark/sbom";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lockOf, openScanScene, type ScanScene, writeImage } from "./scan.fixture.ts";

let scene: ScanScene;
beforeAll(() => {
  scene = openScanScene();
  scene.write("shop/package-lock.json", lockOf("1.2.0"));
});
afterAll(() => scene.close());

const read = (text: string | Buffer) => readSbom(Buffer.from(text)).sbom;
const named = (text: string | Buffer): string[] =>
  read(text)
    .components.flatMap(({ purl }) => purl ?? [])
    .sort();
const shop = ["pkg:npm/left@1.2.0", "pkg:npm/right@3.0.0"];

test("X52: a table for people says who is there, and how much was seen", async () => {
  const { code, out } = await scene.tell("sbom", "shop");
  expect(code).toBe(0);
  expect(out).toMatch(/^TYPE +NAME +VERSION +SCOPE +LICENCE\nnpm +left +1\.2\.0 +runtime +MIT\n/);
  expect(out).toContain("3 components, 3 edges, 1 files");
});

test.each(["cyclonedx-json", "cyclonedx-1.7-json", "cyclonedx-xml", "spdx-json", "spdx-tag-value", "spdx-3-json"])(
  "X52: %s is written, the same each time, and read again",
  async (format) => {
    const first = await scene.tell("sbom", "dir:shop", "--format", format, "--created", "2026-01-02T03:04:05Z");
    const again = await scene.tell("sbom", "dir:shop", "--format", format, "--created", "2026-01-02T03:04:05Z");
    expect([first.code, again.out === first.out]).toEqual([0, true]);
    expect(named(first.out)).toEqual(shop);
    const file = await scene.tell("sbom", "dir:shop", "--format", format, "--output", `out-${format}`);
    expect(file).toMatchObject({ code: 0, out: "", err: expect.stringContaining(`bytes in out-${format}`) });
    expect(named(readFileSync(join(scene.directory, `out-${format}`)))).toEqual(shop);
    // What was written is taken for what it is without being told.
    expect(named((await scene.tell("sbom", `out-${format}`, "--json")).out)).toEqual(shop);
  },
);

test("X52: name, version and time of the document are those that are given", async () => {
  const words = ["--name", "store", "--version", "2", "--created", "2026-01-02T03:04:05+01:00", "--json"];
  const { out } = await scene.tell("sbom", "shop", ...words);
  expect(read(out)).toMatchObject({ subject: { name: "store", version: "2" }, created: "2026-01-02T02:04:05.000Z" });
  const wrong = await scene.tell("sbom", "shop", "--created", "yesterday");
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("--created like") });
});

test("X52: an image is known as one in a directory, with and without its tag, and in an archive", async () => {
  const layout = join(scene.directory, "image");
  await writeImage(layout, "1.2.0");
  const archive = `docker-archive:${join(scene.directory, "image.tar")}:app:1`;
  expect((await scene.tell("image", "export", `oci-dir:${layout}`, archive)).code).toBe(0);
  for (const source of [
    "oci-dir:image",
    "image",
    "image:app",
    "oci-dir:image:app",
    "docker-archive:image.tar",
    "image.tar",
  ]) {
    const { code, out } = await scene.tell("sbom", source, "--json");
    expect([source, code]).toEqual([source, 0]);
    const { subject, components } = read(out);
    expect([source, subject.kind, subject.digest]).toEqual([source, "image", expect.stringMatching(/^sha256:/)]);
    const left = components.find(({ purl }) => purl === "pkg:npm/left@1.2.0");
    expect(left?.occurrences[0]?.path).toBe("app/node_modules/left/package.json");
  }
});

test("X52: a file is catalogued under its digest; a link that was named is what it leads to", async () => {
  const file = read((await scene.tell("sbom", "shop/package-lock.json", "--json")).out);
  expect(file).toMatchObject({ subject: { kind: "file", digest: expect.stringMatching(/^sha256:/) } });
  symlinkSync("shop", join(scene.directory, "current"));
  symlinkSync("shop/package-lock.json", join(scene.directory, "package-lock.json"));
  expect(named((await scene.tell("sbom", "current", "--json")).out)).toEqual(shop);
  expect(named((await scene.tell("sbom", "file:package-lock.json", "--json")).out)).toEqual(shop);
});

test.each([
  ["nowhere", "CLI_USAGE"],
  ["./nowhere:1", "CLI_USAGE"],
  ["file:nowhere", "CLI_FILE_UNREADABLE"],
  ["file:shop", "CLI_FILE_UNREADABLE"],
  ["dir:nowhere", "SBOM_SOURCE_MISSING"],
  ["sbom:nowhere", "CLI_FILE_UNREADABLE"],
  ["sbom:shop/package-lock.json", "SBOM_DOCUMENT_FORMAT_UNKNOWN"],
  ["oci-dir:nowhere", "CLI_FILE_UNREADABLE"],
  ["docker-archive:nowhere.tar", "CLI_FILE_UNREADABLE"],
  ["/dev/null", "CLI_FILE_UNREADABLE"],
  [`sha256:${"0".repeat(64)}`, "STORE_HOME_MISSING"],
])("X52: %s is exit 2 with %s", async (source, expected) => {
  const { code, out, err } = await scene.tell("sbom", source);
  expect([code, out, /[A-Z]+(?:_[A-Z]+)+/.exec(err)?.[0]]).toEqual([2, "", expected]);
});

test("X52: a format that there is not, and a file that cannot be written, are exit 2", async () => {
  expect((await scene.tell("sbom", "shop", "--format", "cyclonedx")).code).toBe(2);
  const unwritable = await scene.tell("sbom", "shop", "--output", "shop");
  expect(unwritable).toMatchObject({ code: 2, err: expect.stringContaining("CLI_FILE_UNWRITABLE") });
});

test("X52: a package cannot draw on the screen, and what could not be read is listed", async () => {
  const evil = { name: "evil", version: "1.0.0", license: "\u001b[2J\n0 components" };
  scene.write("hostile/node_modules/evil/package.json", evil);
  scene.write("hostile/node_modules/broken/package.json", "{");
  const { out } = await scene.tell("sbom", "hostile");
  expect(out).toContain("1 components, ");
  expect(out).not.toContain("\u001b");
  expect(out).not.toMatch(/^0 components/m);
  expect(out).toContain("node_modules/broken/package.json: expected JSON");
});
