import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { npm } from "../../packages/materials/src/ecosystems/npm.ts";

const upstream = { name: "own", ecosystem: "npm", url: "https://registry.test/", exclusive: [], order: 0 } as const;
const sri = (content: string) => `sha512-${createHash("sha512").update(content).digest("base64")}`;

/** What a hostile registry gets announced when it answers `body` for the package `one`; or the code of the refusal. */
function attempt(body: string | Uint8Array): readonly string[] | string {
  const url = new URL("one", upstream.url);
  const facts = npm.classify({ method: "GET", url, headers: {} }, upstream);
  if (facts === undefined) throw new Error("not read");
  try {
    return npm.announced(facts, Buffer.from(body), url).map((found) => `${found.version} ${found.url}`);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

type Entry = { version: string; tarball: unknown; integrity?: string; name?: string };

const packument = (entries: readonly Entry[], more: object = {}) =>
  JSON.stringify({
    name: "one",
    versions: Object.fromEntries(
      entries.map(({ version, tarball, integrity, name = "one" }) => [
        version,
        { name, version, dist: { tarball, integrity } },
      ]),
    ),
    ...more,
  });

test("E5: the harness gets announced what an honest registry says", () => {
  const honest = packument([{ version: "1.0.0", tarball: "https://files.test/one.tgz", integrity: sri("a") }]);
  expect(attempt(honest)).toEqual(["1.0.0 https://files.test/one.tgz"]);
});

test("E5: another host without a digest gets nothing", () => {
  expect(attempt(packument([{ version: "1.0.0", tarball: "https://evil.test/one.tgz" }]))).toEqual([]);
  expect(
    attempt(packument([{ version: "1.0.0", tarball: "https://evil.test/one.tgz", integrity: "sha512-" }])),
  ).toEqual([]);
  expect(attempt(packument([{ version: "1.0.0", tarball: "https://registry.test:444/one.tgz" }]))).toEqual([]);
});

test.each([
  "javascript:alert(1)",
  "file:///etc/passwd",
  "data:application/gzip;base64,AA",
  "ftp://files.test/one.tgz",
  "https://me:secret@files.test/one.tgz",
  "https://files.test/one.tgz\nHost: evil",
  "https:\\\\files.test\\one.tgz",
  "https://",
  "",
  42,
  null,
  { toString: "https://files.test/one.tgz" },
  `https://files.test/${"a".repeat(9000)}.tgz`,
])("E5: %j is no address of a tarball", (tarball) => {
  expect(attempt(packument([{ version: "1.0.0", tarball, integrity: sri("a") }]))).toEqual([]);
});

test("E5: one address with two digests is refused", () => {
  const entries = ["1.0.0", "1.0.1"].map((version) => ({
    version,
    tarball: "https://registry.test/one/-/one-1.0.0.tgz",
    integrity: sri(version),
  }));
  expect(attempt(packument(entries))).toBe("MATERIAL_INDEX_AMBIGUOUS");
  const [first] = entries;
  expect(
    attempt(packument([{ version: "1.0.0", tarball: first?.tarball, integrity: `${sri("a")} ${sri("b")}` }])),
  ).toBe("MATERIAL_INDEX_AMBIGUOUS");
});

test("E5: an index of 100 MB, and one of too many versions", () => {
  expect(attempt(Buffer.alloc(100 * 1024 * 1024, 0x20))).toBe("MATERIAL_INDEX_TOO_LARGE");
  const many = `{"name":"one","versions":{${Array.from({ length: 100_001 }, (_, at) => `"1.0.${at}":0`).join(",")}}}`;
  expect(attempt(many)).toBe("MATERIAL_INDEX_TOO_LARGE");
});

test.each([
  ["deep nesting", `{"name":"one","versions":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ["a prototype", `{"name":"one","__proto__":{"versions":{}},"versions":{}}`],
  ["a prototype among the versions", `{"name":"one","versions":{"__proto__":{"dist":{}}}}`],
  ["two lists of versions", `{"name":"one","versions":{},"versions":{}}`],
  ["no JSON", "<html>Please log in</html>"],
  ["nothing", ""],
  ["bytes that are no text", Buffer.from([0x7b, 0xff, 0x7d])],
  ["a list", "[]"],
  ["another package", `{"name":"two","versions":{}}`],
  ["a package that differs in case", `{"name":"One","versions":{}}`],
  ["no name", `{"versions":{}}`],
  ["no versions", `{"name":"one"}`],
  ["an error page", `{"error":"not found"}`],
])("E5: %s is no packument", (_, body) => {
  expect(attempt(body)).toBe("MATERIAL_INDEX_MALFORMED");
});

test("E5: a version under another's name, or of another package, announces nothing", () => {
  const tarball = "https://files.test/one.tgz";
  expect(attempt(packument([{ version: "1.0.0", tarball, integrity: sri("a"), name: "two" }]))).toEqual([]);
  const entry = { name: "one", version: "6.6.6", dist: { tarball, integrity: sri("a") } };
  expect(attempt(JSON.stringify({ name: "one", versions: { "1.0.0": entry } }))).toEqual([]);
  const odd = { name: "one", version: "../../x", dist: { tarball, integrity: sri("a") } };
  expect(attempt(JSON.stringify({ name: "one", versions: { "../../x": odd } }))).toEqual([]);
});

test("E5: members that every object has are no versions, times or scripts", () => {
  const entry = {
    name: "one",
    version: "constructor",
    dist: { tarball: "https://files.test/x.tgz", integrity: sri("a") },
  };
  expect(attempt(JSON.stringify({ name: "one", versions: { constructor: entry, toString: 1 }, time: {} }))).toEqual([]);
});

test("E5: names that differ in case are two packages", () => {
  const urls = ["One", "one"].map((name) => {
    const url = new URL(`${name}/-/${name}-1.0.0.tgz`, upstream.url);
    return npm.classify({ method: "GET", url, headers: {} }, upstream)?.purl;
  });
  expect(urls).toEqual(["pkg:npm/One@1.0.0", "pkg:npm/one@1.0.0"]);
});

test("E5: what evidence keeps of an index is bounded, and holds no addresses of people", () => {
  const url = new URL("one", upstream.url);
  const facts = npm.classify({ method: "GET", url, headers: {} }, upstream);
  const entry = {
    name: "one",
    version: "1.0.0",
    deprecated: "x".repeat(1_000_000),
    license: "y".repeat(1_000_000),
    _npmUser: `${" ".repeat(1_000_000)}mary <mary@example.test>`,
    dist: {
      tarball: "https://files.test/one.tgz",
      integrity: sri("a"),
      signatures: Array.from({ length: 1000 }, () => ({ keyid: "k", sig: "s" })),
    },
  };
  const body = JSON.stringify({ name: "one", versions: { "1.0.0": entry } });
  const found = JSON.stringify(facts && npm.announced(facts, Buffer.from(body), url));
  expect(found.length).toBeLessThan(4000);
  expect(found).not.toContain("example.test");
});
