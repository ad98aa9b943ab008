import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { readKeyring } from "@touchmark/formats/openpgp";
import { mintPgpKey, pgpCertificate, pgpClearsign } from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { unpackedIndex } from "../../packages/materials/src/ecosystems/deb-packages.ts";
import { defaultRules } from "../../packages/materials/src/gate/rules.ts";
import type { Upstream } from "../../packages/materials/src/material.ts";
import { clock, hex, type Served, sessionScene } from "../../packages/materials/src/session/fixture.ts";
import { checkDebian } from "../../packages/materials/src/upstream-evidence/debian-chain.ts";
import { evidenceOf } from "../../packages/materials/src/upstream-evidence/evidence.ts";
import { seenInMemory } from "../../packages/materials/src/upstream-evidence/seen-state.ts";

const base = "http://archive.example/debian/";
const upstream: Upstream = { name: "debian", ecosystem: "deb", url: base, exclusive: [], order: 0 };
const key = mintPgpKey("eddsa");
const keyring = readKeyring(pgpCertificate({ primary: key }));
const [release, index, pool] = [
  `${base}dists/stable/InRelease`,
  `${base}dists/stable/main/binary-amd64/Packages.gz`,
  `${base}pool/main/t/tool_1_amd64.deb`,
];

const packagesOf = (file: string, name = "pool/main/t/tool_1_amd64.deb") =>
  gzipSync(
    `Package: tool\nVersion: 1\nArchitecture: amd64\nFilename: ${name}\nSize: ${file.length}\nSHA256: ${hex("sha256", file)}\n`,
  );
const inRelease = (listed: Uint8Array, { more = "", date = "Fri, 20 Nov 2026 12:00:00 UTC", by = key } = {}) => {
  const digest = createHash("sha256").update(listed).digest("hex");
  const files = `SHA256:\n ${digest} ${listed.length} main/binary-amd64/Packages.gz\n`;
  return pgpClearsign([by], `Suite: stable\nCodename: stable\nDate: ${date}\n${more}${files}`);
};

/** What becomes of each request of `apt-get update && apt-get download tool`. */
async function fetch(served: Served, seen = seenInMemory(), urls = [release, index, pool]): Promise<string[]> {
  const scene = sessionScene({
    ...{ upstreams: [upstream], served, rules: { unlocked: { ...defaultRules.unlocked, deb: "signed" } } },
    settings: {
      gather: async (question) => {
        const trust = { trust: { keyring, sources: [] }, seen, now: () => clock.now() };
        return [await evidenceOf("debian-chain", question.get, (asking) => checkDebian(question, asking, trust))];
      },
    },
  });
  const codes: string[] = [];
  for (const url of urls) {
    codes.push(
      await scene.ask(url).then(
        () => "in",
        (error: { code?: string }) => error.code ?? "no code",
      ),
    );
  }
  return codes;
}

const packages = packagesOf("tool");
const suite = (signed: string, more: Served = {}): Served => ({
  ...{ [release]: { body: signed }, [index]: { body: packages }, [pool]: { body: "tool" }, ...more },
});

test("attack: the harness lets an honest archive's package in", async () => {
  expect(await fetch(suite(inRelease(packages)))).toEqual(["in", "in", "in"]);
});

test("attack: a mirror serves another package than is signed", async () => {
  expect(await fetch(suite(inRelease(packages), { [pool]: { body: "evil" } }))).toEqual([
    "in",
    "in",
    "SESSION_DIGEST_MISMATCH",
  ]);
});

test("attack: a mirror serves another index than is signed, and its package with it", async () => {
  // Naive: index and package agree, and so does the size.
  const served = suite(inRelease(packages), { [index]: { body: packagesOf("evil") }, [pool]: { body: "evil" } });
  expect((await fetch(served))[1]).toBe("SESSION_DIGEST_MISMATCH");
  expect((await fetch(served))[2]).toBe("GATE_NOT_LOCKED");
});

test("attack: a mirror signs everything with a key of its own", async () => {
  const forged = suite(inRelease(packages, { by: mintPgpKey("eddsa") }));
  expect((await fetch(forged))[2]).toBe("GATE_NOT_LOCKED");
});

test("attack: a mirror holds back updates by a release that is no longer valid", async () => {
  const stale = suite(inRelease(packages, { more: "Valid-Until: Fri, 20 Nov 2026 18:00:00 UTC\n" }));
  expect((await fetch(stale))[2]).toBe("GATE_NOT_LOCKED");
});

test("attack: a mirror goes back to the release of last month, which is signed and valid", async () => {
  const seen = seenInMemory();
  expect(await fetch(suite(inRelease(packages)), seen)).toEqual(["in", "in", "in"]);
  const older = suite(inRelease(packages, { date: "Tue, 20 Oct 2026 12:00:00 UTC" }));
  expect((await fetch(older, seen))[2]).toBe("GATE_NOT_LOCKED");
  // Naive: without memory, nothing is wrong with it.
  expect(await fetch(older)).toEqual(["in", "in", "in"]);
});

test.each([
  ["behind the signature", (text: string) => `${text}SHA256:\n ${"0".repeat(64)} 1 main/binary-amd64/Packages.gz\n`],
  [
    "in front of the signed part",
    (text: string) => `SHA256:\n ${"0".repeat(64)} 1 main/binary-amd64/Packages.gz\n${text}`,
  ],
])("attack: a mirror adds a digest %s", async (_, change) => {
  const codes = await fetch(suite(change(inRelease(packages))));
  expect(codes[0]).toBe("MATERIAL_INDEX_MALFORMED");
  expect(codes[2]).toBe("GATE_NOT_LOCKED");
});

test.each([
  ["another host", "http://evil.example/tool_1_amd64.deb"],
  ["the parent of the archive", "../../evil/tool_1_amd64.deb"],
])("attack: an index names a file of %s", async (_, name) => {
  const named = packagesOf("tool", name);
  expect((await fetch(suite(inRelease(named), { [index]: { body: named } })))[1]).toBe("MATERIAL_INDEX_MALFORMED");
});

test("attack: an index is a bomb", () => {
  expect(() => unpackedIndex(gzipSync(Buffer.alloc(4 << 20)), 1 << 20)).toThrow(
    expect.objectContaining({ code: "MATERIAL_INDEX_TOO_LARGE" }),
  );
});
