import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, sha256 } from "@touchmark/core";
import { commitMaterial, sampleMaterial } from "@touchmark/test-kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkRecord } from "./check-record.ts";
import { Leases } from "./lease.ts";
import { codeOf, freshDirectory, freshMirror } from "./mirror.fixture.ts";
import { openMirror } from "./open-mirror.ts";
import { purlDisagreement } from "./purl-agreement.ts";
import { sealJson, unsealJson } from "./sealed-json.ts";

const word = "struck in pewter";

test("M2: records are read strictly", () => {
  const good = sampleMaterial(word);
  expect(checkRecord(good)).toBe(good);
  const wrong: [string, unknown][] = [
    ["no object", null],
    ["a list", [good]],
    ["method", { ...good, method: "PUT" }],
    ["status", { ...good, status: 99 }],
    ["size", { ...good, size: -1 }],
    ["size", { ...good, size: 1.5 }],
    ["digest", { ...good, digest: "sha256:x" }],
    ["time", { ...good, fetchedAt: "yesterday" }],
    ["header name", { ...good, headers: { "Content-Type": "x" } }],
    ["header value", { ...good, headers: { etag: "a\r\nb: c" } }],
    ["headers", { ...good, headers: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`h${i}`, ""])) }],
    ["redirects", { ...good, redirects: Array.from({ length: 21 }, () => good.url) }],
    ["expected", { ...good, expected: [{ ...good.expected[0], value: "ABC" }] }],
    ["source", { ...good, expected: [{ ...good.expected[0], source: "me" }] }],
    ["ecosystem", { ...good, facts: { ...good.facts, ecosystem: "toString" } }],
    ["purl", { ...good, facts: { ...good.facts, purl: "npm/x" } }],
    ["file name", { ...good, facts: { ...good.facts, fileName: ".." } }],
    ["immutable", { ...good, facts: { ...good.facts, immutable: 1 } }],
    ["variant", { ...good, variant: { accept: "application/vnd.x" } }],
    ["address", { ...good, url: `${good.url}?token=word` }],
    ["member", { ...good, more: 1 }],
    ["missing", { ...good, facts: { ecosystem: "npm" } }],
  ];
  for (const [what, record] of wrong) {
    expect(() => checkRecord(record), what).toThrow(expect.objectContaining({ code: "MIRROR_RECORD_INVALID" }));
  }
});

test("M12: a sealed document is read as it was written, and with any other byte not at all", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (value, at, flip) => {
        // No document has that name anywhere, and no reader lets it in.
        fc.pre(!JSON.stringify(value).includes("__proto__"));
        const { checksum: _checksum, ...document } = value;
        const bytes = Buffer.from(sealJson(document));
        expect(canonicalJson(unsealJson(bytes))).toBe(canonicalJson(document));
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip;
        expect(() => unsealJson(bytes)).toThrow();
      },
    ),
  );
});

test("M12: a document that grows beyond any of ours is not read", async () => {
  const { mirror, options } = await freshMirror();
  const record = await commitMaterial(mirror, word);
  const path = join(options.directory, "records", record.key.slice(0, 2), `${record.key}.json`);
  writeFileSync(path, Buffer.alloc(5 * 1024 * 1024, " "));
  expect(await codeOf(mirror.find(record.key))).toBe("MIRROR_RECORD_CORRUPT");
  mkdirSync(path);
  expect(await codeOf(mirror.find(record.key))).toBe("MIRROR_RECORD_CORRUPT");
  expect(await mirror.find(record.key)).toBeUndefined();
});

test("M3: a body is hashed once in a process, and again when anything about its file is another", async () => {
  const { mirror, content } = await freshMirror();
  const record = await commitMaterial(mirror, word);
  const path = await mirror.body(record);
  const before = statSync(path).mtimeMs;
  expect(await mirror.body(record)).toBe(path);
  // Not hashed, so not marked as used either.
  expect(statSync(path).mtimeMs).toBe(before);
  const copy = readFileSync(path);
  rmSync(path);
  writeFileSync(`${path}-new`, copy);
  renameSync(`${path}-new`, path);
  expect(await mirror.body(record)).toBe(path);
  chmodSync(path, 0o600);
  writeFileSync(path, "Struck in pewter");
  expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_CORRUPT");
  expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_MISSING");
  await content.put(Buffer.from(word));
  expect(await codeOf(mirror.body({ ...record, expected: sampleMaterial("x").expected }))).toBe("MIRROR_BODY_MISMATCH");
});

test("M4: two mirrors of one home share histories and the index, and a damaged entry begins anew", async () => {
  const { mirror, options } = await freshMirror();
  const other = await openMirror(options);
  const index = (text: string, minute: string) =>
    sampleMaterial(text, {
      path: "/pewter",
      facts: { kind: "index" },
      more: { fetchedAt: `2026-11-21T10:${minute}:00Z` },
    });
  await commitMaterial(mirror, "one", index("one", "01"));
  await commitMaterial(other, "two", index("two", "02"));
  await commitMaterial(mirror, "zero", index("zero", "00"));
  expect((await other.find(index("", "00").key))?.digest).toBe(sha256("two"));
  const all: string[] = [];
  for await (const { digest } of other.records()) all.push(digest);
  expect(all).toEqual(["two", "one", "zero"].map((text) => sha256(text)));
  const { key } = index("", "00");
  writeFileSync(join(options.directory, "records", key.slice(0, 2), `${key}.json`), "{}");
  await commitMaterial(mirror, "three", index("three", "03"));
  expect((await other.find(key))?.digest).toBe(sha256("three"));
  expect(readdirSync(join(options.directory, "quarantine"))).toEqual([expect.stringMatching(/^record-/)]);
});

test("M12: a damaged entry of the digest index finds nothing, until it is made again", async () => {
  const { mirror, options } = await freshMirror();
  const record = await commitMaterial(mirror, word);
  const digest = { algorithm: "sha256", value: record.digest.slice(7) } as const;
  const entries = join(options.directory, "digests");
  for (const text of ["", "{}", "\0".repeat(300)]) {
    for (const name of readdirSync(entries, { recursive: true, encoding: "utf8" })) {
      if (name.endsWith(".json")) writeFileSync(join(entries, name), text);
    }
    expect(await mirror.findByDigest(digest)).toBeUndefined();
    await commitMaterial(mirror, word);
    expect(await mirror.findByDigest(digest)).toEqual(record);
  }
});

test("M5: the ledger refuses a name that never comes twice alike, and lets others in", async () => {
  const { mirror } = await freshMirror();
  for (let n = 0; n < 64; n += 16) {
    await Promise.all(Array.from({ length: 16 }, (_, i) => commitMaterial(mirror, `bytes ${n + i}`)));
  }
  const facts = { fileName: "tin.tgz", purl: "pkg:npm/tin@1.0.0", name: "tin" };
  const both = await Promise.all([
    codeOf(commitMaterial(mirror, "one more")),
    codeOf(commitMaterial(mirror, "tin", sampleMaterial("tin", { path: "/tin", facts }))),
  ]);
  expect(both).toEqual(["MIRROR_LEDGER_FULL", "no error"]);
  expect(await mirror.find(sampleMaterial("tin", { path: "/tin" }).key)).toBeDefined();
});

test("M6: leases of one directory exclude each other, also between openings, and leave no file", async () => {
  const directory = freshDirectory();
  const [left, right] = [new Leases(directory), new Leases(directory)];
  const held = await left.take("a");
  expect(await codeOf(right.take("a", { timeoutMs: 30 }))).toBe("MIRROR_LEASE_BUSY");
  expect(await codeOf(left.take("a", { timeoutMs: 30 }))).toBe("MIRROR_LEASE_BUSY");
  await (await right.take("b")).release();
  let holders = 0;
  let most = 0;
  const turns = Array.from({ length: 12 }, async (_, i) => {
    const lease = await (i % 2 === 0 ? left : right).take("a");
    most = Math.max(most, ++holders);
    await new Promise((resolve) => setTimeout(resolve, 3));
    holders--;
    await lease.release();
  });
  await held.release();
  await Promise.all(turns);
  expect(most).toBe(1);
  expect(readdirSync(directory)).toEqual([]);
});

test("M9: a package URL agrees with the facts beside it, however the ecosystem spells names", () => {
  const facts = sampleMaterial(word).facts;
  const agreed: [Partial<typeof facts>, boolean][] = [
    [{}, true],
    [{ name: "@own/tin", purl: "pkg:npm/%40own/tin@1.0.0" }, true],
    [
      { ecosystem: "golang", name: "example.org/a/b", version: "v1.0.0", purl: "pkg:golang/example.org/a/b@v1.0.0" },
      true,
    ],
    [{ ecosystem: "maven", name: "org.example:tin", purl: "pkg:maven/org.example/tin@1.0.0?type=jar" }, true],
    [{ ecosystem: "pypi", name: "ruamel.yaml", purl: "pkg:pypi/ruamel-yaml@1.0.0" }, true],
    [{ ecosystem: "deb", name: "tin", version: "1:2-3", purl: "pkg:deb/debian/tin@1%3A2-3?arch=amd64" }, true],
    [{ ecosystem: "git", name: "own/tin.git", purl: "pkg:generic/tin@1.0.0" }, true],
    [{ purl: "pkg:npm/lead@1.0.0" }, false],
    [{ purl: "pkg:npm/pewter@1.0.1" }, false],
    [{ purl: "pkg:cargo/pewter@1.0.0" }, false],
    [{ purl: "pkg:npm/%zz@1.0.0" }, false],
  ];
  for (const [more, fine] of agreed) {
    expect([more, purlDisagreement({ ...facts, ...more }) === undefined]).toEqual([more, fine]);
  }
});
