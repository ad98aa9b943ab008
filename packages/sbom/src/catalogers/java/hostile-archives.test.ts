import { FactoryError } from "@touchmark/core";
import { memorySource } from "@touchmark/formats/zip";
import { forgeZip } from "@touchmark/test-kit/archives";
import fc from "fast-check";
import { expect, test } from "vitest";
import { archiveLimits, readArchiveTree } from "./archive-tree.ts";
import { archivesIn, byPath, jar, manifest, record } from "./jar.fixture.ts";
import { readManifest } from "./manifest.ts";
import { readProperties } from "./properties.ts";

const codes = (found: { readonly losses: readonly { readonly code: string }[] }): string[] =>
  found.losses.map(({ code }) => code);
const core = jar(...record("g.x", "core", "1"));

function nested(depth: number, stored: boolean): Buffer {
  let archive = core;
  for (let level = 1; level < depth; level++) archive = jar({ name: `a${level}.jar`, content: archive, stored });
  return archive;
}

test("V5: archives nested fifty deep are read to a depth, and the rest is a loss", () => {
  for (const stored of [true, false]) {
    const found = archivesIn({ "outer.jar": nested(50, stored), "core-1.jar": core });
    expect(codes(found)).toEqual(["SBOM_JAVA_ARCHIVE_TOO_DEEP"]);
    expect(found.losses[0]?.path.split("!/").length).toBe(archiveLimits.depth + 1);
    expect(byPath(found)["core-1.jar"]).toBe("g.x/core@1");
  }
  expect(codes(archivesIn({ "outer.jar": nested(archiveLimits.depth, false) }))).toEqual([]);
});

test("V5: number, entries and unpacked bytes of inner archives are bounded", () => {
  const many = jar(...[1, 2, 3, 4].map((index) => ({ name: `${index}.jar`, content: core })));
  const read = (limits: Partial<typeof archiveLimits>): [number, string[]] => {
    let archives = 0;
    const losses = readArchiveTree(memorySource(many), "many.jar", () => archives++, { ...archiveLimits, ...limits });
    return [archives, losses.map(({ code }) => code)];
  };
  const large = "SBOM_JAVA_ARCHIVE_TOO_LARGE";
  expect(read({})).toEqual([5, []]);
  expect(read({ archives: 2 })).toEqual([3, [large]]);
  expect(read({ entries: 4 })).toEqual([1, [large]]);
  expect(read({ bytes: core.length * 2 })).toEqual([3, [large, large]]);
  expect(read({ liveBytes: core.length - 1 })).toEqual([1, [large, large, large, large]]);
});

test("V5: a bomb is not unpacked", () => {
  const zeros = Buffer.alloc(64 << 20);
  const bomb = forgeZip([manifest(), { name: "a.jar", content: zeros, central: { size: 1000 } }]);
  expect(codes(archivesIn({ "bomb.jar": bomb }))).toEqual(["ZIP_CONTENT"]);
  const large = forgeZip([{ name: "META-INF/MANIFEST.MF", content: zeros }]);
  expect(codes(archivesIn({ "large.jar": large }))).toEqual(["ZIP_TOO_LARGE"]);
});

test("V5: a cut archive is known by its name, and is a loss", () => {
  const cut = core.subarray(0, core.length - 30);
  const found = archivesIn({ "a/log4j-core-2.14.1.jar": cut, "b/core-1.jar": core, "c/x.jar": cut });
  expect(byPath(found)).toEqual({ "a/log4j-core-2.14.1.jar": "<log4j-core@2.14.1>", "b/core-1.jar": "g.x/core@1" });
  expect(codes(found)).toEqual(["ZIP_TRUNCATED", "ZIP_TRUNCATED"]);
  expect(found.components[0]?.properties).toContainEqual({ name: "touchmark:unread", value: "true" });
  const outer = jar({ name: "lib/spring-core-5.0.jar", content: cut });
  const inside = archivesIn({ "outer.jar": outer });
  expect(byPath(inside)["outer.jar!/lib/spring-core-5.0.jar"]).toBe("org.springframework/spring-core@5.0");
  expect(inside.losses[0]?.path).toBe("outer.jar!/lib/spring-core-5.0.jar");
});

test("V5: records that are none are losses, and the others count", () => {
  const bad = jar(
    ...record("g.x", "good", "1"),
    ...record("g x", "spaces", "1"),
    { name: "META-INF/maven/g/long/pom.properties", content: `groupId=${"x".repeat(2 << 20)}` },
    { name: "META-INF/maven/g/dtd/pom.xml", content: `<!DOCTYPE p [<!ENTITY a "b">]><project>&a;</project>` },
    { name: "META-INF/maven/g/none/pom.xml", content: "<html/>" },
    { name: "META-INF/maven/g/escape/pom.properties", content: "groupId=g\nartifactId=../../etc\nversion=1" },
  );
  const found = archivesIn({ "good-1.jar": bad });
  expect(byPath(found)["good-1.jar"]).toBe("g.x/good@1");
  expect(codes(found).sort()).toEqual([
    "SBOM_JAVA_MANIFEST_MALFORMED",
    "SBOM_JAVA_NAME",
    "SBOM_JAVA_NAME",
    "SBOM_JAVA_POM_MALFORMED",
    "XML_FORBIDDEN",
  ]);
});

test("V5: a manifest is read as the JAR specification folds it, or refused", () => {
  const read = (text: string) => Object.fromEntries(readManifest(Buffer.from(text), "m"));
  expect(
    read("Manifest-Version: 1.0\r\nLong: ab\r\n cd\r\n  e\r\nLong: second\r\n\r\nName: x\r\nLong: other\r\n"),
  ).toEqual({
    "manifest-version": "1.0",
    long: "abcd e",
  });
  expect(read("\n\nA:b\rC: d")).toEqual({ a: "b", c: "d" });
  for (const text of ["no colon", ": x", "a b: c", "x".repeat(5 << 20)]) {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "SBOM_JAVA_MANIFEST_MALFORMED" }));
  }
});

test("V5: properties are read as Java reads them", () => {
  const text = "# c\n! c\n a = b\\\n   c\nd:e\nf g\\u0041\\t\nh\n\\=i=j\n";
  expect(Object.fromEntries(readProperties(Buffer.from(text), "p"))).toEqual({
    a: "bc",
    d: "e",
    f: "gA\t",
    h: "",
    "=i": "j",
  });
});

test("V10: no bytes do anything but answer, with losses", () => {
  const sample = jar(
    ...record("g.x", "sample", "1", "<project><artifactId>a</artifactId></project>"),
    { name: "lib/core-1.jar", content: core, stored: true },
    { name: "lib/core.dat", content: core },
  );
  const edits = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(edits, fc.boolean(), fc.nat(sample.length), (changes, isCut, length) => {
      const bytes = Buffer.from(sample);
      for (const [at, value] of changes) bytes[at] = value;
      archivesIn({ "sample-1.jar": isCut ? bytes.subarray(0, length) : bytes });
    }),
    { numRuns: 1500 },
  );
  const text = fc.array(fc.oneof(fc.string(), fc.constantFrom(": ", "\r\n", " ", "\\", "=", "\\u00", "Name")), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(text, (parts) => {
      const bytes = Buffer.from(parts.join(""));
      readProperties(bytes, "p");
      try {
        readManifest(bytes, "m");
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
      }
    }),
  );
});

test("V10: long lines and many of them are read in one pass", () => {
  const slashes = "\\".repeat(1_000_000);
  expect(readProperties(Buffer.from(`a=${slashes.slice(4)}x\n`), "p").get("a")?.length).toBe(499_999);
  expect(readManifest(Buffer.from(`A: b\n${" c\n".repeat(1_000_000)}`), "m").get("a")?.length).toBe(65_536);
  const stated = manifest({ "Bundle-License": `${'",'.repeat(30_000)}x` });
  expect(archivesIn({ "a-1.jar": forgeZip([stated]) }).components.length).toBe(1);
});
