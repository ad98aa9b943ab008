import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { collected, contextOf } from "../collected.fixture.ts";
import { madeBerkeleyHash, madeHeader, madeNdb, madePackage } from "./rpm.fixture.ts";
import { rpm } from "./rpm.ts";
import { rpmEdges } from "./rpm-edges.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-rpm-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const tool = madePackage("tool", {
  1003: { width: 4, numbers: [2] },
  1004: ["A tool", "Ein Werkzeug"],
  1011: "Example Vendor",
  1014: "MIT",
  1020: "https://example.test/tool",
  1030: { width: 2, numbers: [0o100755, 0o40755, 0o100644] },
  1037: { width: 4, numbers: [0, 0, 64] },
  1047: ["tool", "config(tool)"],
  1048: { width: 4, numbers: [8, 1 << 24, 0, 0, 0] },
  1049: ["library(x86-64)", "rpmlib(PayloadIsZstd)", "/usr/bin/sh", "(a or b)", "absent"],
  1116: { width: 4, numbers: [0, 1, 1] },
  1117: ["tool", "tool", "cache"],
  1118: ["/usr/bin/", "/var/lib/"],
  5096: "tool:1:20260101:abcd",
});
const library = madePackage("library", { 1047: ["library(x86-64)"], 1044: "base-9.0-2.src.rpm" });
const shell = madePackage("shell", { 1116: { width: 4, numbers: [0] }, 1117: ["sh"], 1118: ["/usr/bin/"] });
const key = madePackage("gpg-pubkey");
const headers = [tool, library, shell, key];
const tiny = madeHeader({ 1000: "t" });

function sqlite(rows: readonly Uint8Array[]): Buffer {
  const path = join(directory, "rpmdb.sqlite");
  const open = new DatabaseSync(path);
  open.exec("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)");
  for (const row of rows) open.prepare("INSERT INTO Packages (blob) VALUES (?)").run(row);
  open.close();
  const bytes = readFileSync(path);
  rmSync(path);
  return bytes;
}

async function found(files: Readonly<Record<string, Uint8Array>>) {
  const all = Object.entries(files).map(([path, bytes]) => collected(path, bytes));
  const context = { ...contextOf(all), distribution: { id: "rhel", version: "9.4" } };
  return rpm.catalogue(
    all.filter((file) => rpm.wants(file)),
    context,
  );
}

test.each([
  ["usr/lib/sysimage/rpm/rpmdb.sqlite", "rpm-sqlite", sqlite(headers)],
  ["usr/lib/sysimage/rpm/Packages.db", "rpm-ndb", madeNdb(headers)],
  ["var/lib/rpm/Packages", "rpm-berkeley-db", madeBerkeleyHash(headers)],
  ["var/lib/rpm/Packages", "rpm-berkeley-db", madeBerkeleyHash(headers, false)],
])("R1: packages are read from %s (%s)", async (path, rule, bytes) => {
  const { components, losses } = await found({ [path]: bytes });
  expect(losses).toEqual([]);
  expect(components.map(({ name }) => name).sort()).toEqual(["library", "shell", "tool"]);
  expect(components[0]?.occurrences).toEqual([{ path, rule }]);
});

test("R4: a component has version, epoch, source, module, vendor, licence and its own files", async () => {
  const { components } = await found({ "var/lib/rpm/Packages.db": madeNdb(headers) });
  expect(components[0]).toMatchObject({
    version: "2:1.0-1",
    purl: "pkg:rpm/redhat/tool@1.0-1?arch=x86_64&distro=rhel-9.4&epoch=2",
    sourcePackage: { name: "tool", version: "2:1.0-1" },
    architecture: "x86_64",
    supplier: "Example Vendor",
    description: "A tool",
    homepage: "https://example.test/tool",
    properties: [{ name: "touchmark:rpm-modularity", value: "tool:1:20260101:abcd" }],
    owns: ["usr/bin/tool"],
  });
  expect(components[0]?.declaredLicences).toMatchObject([{ confidence: 1, path: "var/lib/rpm/Packages.db" }]);
  expect(components[1]).toMatchObject({ version: "1.0-1", sourcePackage: { name: "base", version: "9.0-2" } });
});

test("R4: a system in a folder has its own paths and its own distribution", async () => {
  const { components } = await found({
    "srv/root/var/lib/rpm/Packages.db": madeNdb([tool]),
    "srv/root/etc/os-release": Buffer.from("ID=opensuse-leap\nVERSION_ID=15.6\n"),
  });
  expect(components[0]?.purl).toContain("pkg:rpm/opensuse/tool@1.0-1?arch=x86_64&distro=opensuse-leap-15.6");
  expect(components[0]?.owns).toEqual(["srv/root/usr/bin/tool"]);
});

test("R5: a package needs what provides a name or a file that it requires; what nothing needs is a root", async () => {
  const { components, edges, roots } = await found({ "var/lib/rpm/Packages.db": madeNdb(headers) });
  const [first, second, third] = components.map((component) => component.key);
  expect(edges).toEqual([
    { from: first, to: [second, third] },
    { from: second, to: [] },
    { from: third, to: [] },
  ]);
  expect(roots).toEqual([first]);
});

test("R1: of several forms in one folder the newest is read", async () => {
  const { components } = await found({
    "var/lib/rpm/Packages": madeBerkeleyHash(headers),
    "var/lib/rpm/rpmdb.sqlite": sqlite([library]),
  });
  expect(components.map(({ name }) => name)).toEqual(["library"]);
});

test.each([
  ["Packages", "has another magic number", Buffer.alloc(512)],
  ["Packages", "is cut", madeBerkeleyHash(headers).subarray(0, -512)],
  ["Packages", "is of an unknown version", patched(madeBerkeleyHash(headers), 16, [7])],
  ["Packages", "is encrypted", patched(madeBerkeleyHash(headers), 24, [1])],
  ["Packages", "has too many buckets", patched(madeBerkeleyHash(headers), 72, [0xff])],
  ["Packages", "runs in a circle", patched(madeBerkeleyHash(headers), 512 + 16, [1])],
  ["Packages.db", "has another magic number", Buffer.alloc(4096)],
  ["Packages.db", "is cut", madeNdb(headers).subarray(0, -16)],
  ["Packages.db", "has too many slots", patched(madeNdb(headers), 15, [1])],
  ["Packages.db", "has something else for a slot", patched(madeNdb(headers), 48, [0])],
  ["Packages.db", "has a package twice", patched(madeNdb(headers), 52, [1])],
  ["Packages.db", "has a wrong checksum", patched(madeNdb(headers), 4096 + 40, [0xff])],
  ["rpmdb.sqlite", "is something else", Buffer.alloc(200)],
  ["rpmdb.sqlite", "is cut", sqlite(headers).subarray(0, 4096)],
  ["rpmdb.sqlite", "has pages of no size", patched(sqlite(headers), 16, [0, 3])],
])("R2: a file %s that %s is a loss", async (name, _, bytes) => {
  const { losses } = await found({ [`var/lib/rpm/${name}`]: bytes });
  expect(losses).toEqual([
    expect.objectContaining({ path: `var/lib/rpm/${name}`, code: "SBOM_RPM_DATABASE_MALFORMED" }),
  ]);
});

function patched(bytes: Uint8Array, at: number, values: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(values, at);
  return copy;
}

test.each([
  ["is empty", Buffer.alloc(20)],
  ["is cut", tool.subarray(0, -1)],
  ["has no version", tiny],
  ["has a word with spaces", madePackage("a b")],
  ["has numbers for a name", madePackage("a", { 1000: { width: 4, numbers: [1] } })],
  ["has text for an epoch", madePackage("a", { 1003: "1" })],
  ["has a value outside", patched(madePackage("a"), 8 + 8, [0x7f])],
  ["has files without folders", madePackage("a", { 1117: ["x"] })],
  ["has files of unknown folders", madePackage("a", { 1117: ["x"], 1116: { width: 4, numbers: [7] }, 1118: ["/"] })],
  ["has endless paths", madePackage("a", { 1117: ["x".repeat(5000)], 1116: { width: 4, numbers: [0] }, 1118: ["/"] })],
  ["has climbing paths", madePackage("a", { 1117: ["x"], 1116: { width: 4, numbers: [0] }, 1118: ["/usr/../"] })],
])("R3: a header that %s is a loss, and the next one is read", async (_, header) => {
  const { components, losses } = await found({ "var/lib/rpm/Packages.db": madeNdb([header, library]) });
  expect(components.map(({ name }) => name)).toEqual(["library"]);
  expect(losses).toMatchObject([{ code: "SBOM_RPM_HEADER_MALFORMED", path: "var/lib/rpm/Packages.db" }]);
});

test("R5: a database in which everything needs everything has packages, and its edges are a loss", () => {
  const one = { name: "a", version: "1-1", files: [], provides: ["x"], requires: ["x"] };
  const installed = Array.from({ length: 3000 }, (_, index) => ({ key: String(index), package: one }));
  expect(() => rpmEdges(installed)).toThrow(expect.objectContaining({ code: "SBOM_RPM_DATABASE_MALFORMED" }));
});

test("R6: no bytes of a database make the cataloger do anything but answer or lose", async () => {
  const whole = {
    "Packages.db": madeNdb(headers),
    Packages: madeBerkeleyHash(headers),
    "rpmdb.sqlite": sqlite(headers),
  };
  const property = fc.asyncProperty(
    fc.constantFrom(...Object.entries(whole)),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 12 }),
    async ([name, bytes], changes) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) copy[at % copy.length] = value;
      const { losses } = await found({ [`var/lib/rpm/${name}`]: copy });
      for (const { code } of losses) expect(code).toMatch(/^SBOM_RPM_/);
    },
  );
  await fc.assert(property, { numRuns: 1000 });
});
