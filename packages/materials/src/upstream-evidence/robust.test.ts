import { fixedClock } from "@touchmark/core";
import { readKeyring } from "@touchmark/formats/openpgp";
import { mintPgpKey, pgpArmor, pgpCertificate, pgpClearsign, pgpSign } from "@touchmark/test-kit/mint";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  forgeBundle,
  kindTrust,
  provenanceOf,
  repository,
  statement,
  TestDatabase,
  world,
} from "./attested.fixture.ts";
import { questionAbout } from "./evidence.fixture.ts";
import type { EvidenceGet, EvidenceQuestion } from "./evidence.ts";
import { gatherEvidence } from "./gather.ts";
import { seenInMemory } from "./seen-state.ts";
import type { EvidenceTrust } from "./trust.ts";

const bytes = "package bytes";
const key = mintPgpKey("eddsa");
const keyring = readKeyring(pgpCertificate({ primary: key }));
const database = new TestDatabase();
database.add("example.com/own/one", "v1.0.0", "0".repeat(64), "0".repeat(64));
const type = "https://slsa.dev/provenance/v1";
const purl = "pkg:npm/%40own/one@1.0.0";
const bundle = forgeBundle({ statement: statement(purl, bytes, type, provenanceOf(repository), "sha512") });
const release = pgpClearsign([key], `Date: 20 May 2026 12:00:00 UTC\nSHA256:\n ${"a".repeat(64)} 1 main/Packages\n`);
const base = "https://upstream.example/";

interface Case {
  readonly question: EvidenceQuestion;
  readonly trust: EvidenceTrust;
  /** What the upstream answers, before somebody changes it. */
  readonly answer: string;
}

const npmFacts = { name: "@own/one", version: "1.0.0", purl };
const npmUrl = `${base}one.tgz`;
const attestations = `${base}-/npm/v1/attestations/@own%2fone@1.0.0`;
const announced = [{ url: npmUrl, ecosystem: "npm", kind: "archive", ...npmFacts, digests: [], attestations }] as const;

const cases: Readonly<Record<string, Case>> = {
  provenance: {
    question: questionAbout("npm", npmUrl, bytes, { ...npmFacts, announced }),
    trust: { "npm-provenance": kindTrust() },
    answer: JSON.stringify({ attestations: [{ predicateType: type, bundle }] }),
  },
  signature: {
    question: questionAbout("maven", `${base}one.jar`, bytes, { name: "own:one", purl: "pkg:maven/own/one@1" }),
    trust: { "maven-pgp": kindTrust({ keyring }) },
    answer: pgpArmor("SIGNATURE", pgpSign(key, bytes)),
  },
  lookup: {
    question: questionAbout("golang", `${base}v1.0.0.mod`, bytes, {
      ...{ kind: "metadata", name: "example.com/own/one", version: "v1.0.0", fileName: "v1.0.0.mod" },
    }),
    trust: { "go-checksum-database": kindTrust({ databases: [{ verifier: database.verifier, url: base }] }) },
    answer: `0\n${database.records[0]}\n${database.head()}`,
  },
};

const mutation = fc.record({ at: fc.nat(), octet: fc.integer({ min: 0, max: 255 }), cut: fc.nat({ max: 20 }) });
function mutate(text: string, changes: readonly { at: number; octet: number; cut: number }[]): Uint8Array {
  let copy = Buffer.from(text);
  for (const { at, octet, cut } of changes) {
    const place = copy.length === 0 ? 0 : at % copy.length;
    copy = Buffer.concat([copy.subarray(0, place), Buffer.of(octet), copy.subarray(place + cut)]);
  }
  return copy;
}

test("U1: no answer makes gathering do anything but say what became of it", async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(cases)),
      fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.array(mutation, { maxLength: 3 })),
      async (name, change) => {
        const { question, trust, answer } = cases[name] as Case;
        const given = change instanceof Uint8Array ? change : mutate(answer, change);
        const get: EvidenceGet = async () => ({ status: 200, headers: {}, bytes: given });
        const settings = { trust, seen: seenInMemory(), clock: fixedClock(world.at) };
        const rows = await gatherEvidence({ ...question, get }, settings);
        expect(rows).toHaveLength(1);
        outcomes.add(`${name} ${rows[0]?.outcome}`);
        if (rows[0]?.outcome === "refused") expect(rows[0].message.startsWith(`${rows[0].code}: `)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
  expect([...outcomes]).toContain("provenance refused");
});

test("U1: no Release makes gathering do anything but say what became of it", async () => {
  const trust = { "debian-chain": kindTrust({ keyring }) };
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (changes) => {
      const body = mutate(release, changes);
      const question = questionAbout("deb", `${base}InRelease`, body, { kind: "index" });
      const settings = { trust, seen: seenInMemory(), clock: fixedClock(world.at) };
      const [row] = await gatherEvidence(question, settings);
      expect(["verified", "refused"]).toContain(row?.outcome);
    }),
    { numRuns: 150 },
  );
});
