import { createHash } from "node:crypto";
import { readKeyring } from "@touchmark/formats/openpgp";
import { mintPgpKey, pgpArmor, pgpCertificate, pgpClearsign, pgpSign } from "@touchmark/test-kit/mint";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  announcedAs,
  ask,
  forgeBundle,
  issuer,
  kindTrust,
  provenanceOf,
  registryKey,
  registrySignature,
  repository,
  rulesOf,
  statement,
  TestDatabase,
} from "../../packages/materials/src/upstream-evidence/attested.fixture.ts";
import {
  questionAbout,
  type TestService,
  testService,
} from "../../packages/materials/src/upstream-evidence/evidence.fixture.ts";
import { readRegistryKeys } from "../../packages/materials/src/upstream-evidence/registry-keys.ts";
import { seenInMemory } from "../../packages/materials/src/upstream-evidence/seen-state.ts";

const bytes = "package bytes";
const purl = "pkg:npm/%40own/one@1.0.0";
let service: TestService;
beforeAll(async () => {
  service = await testService();
});
afterAll(() => service.close());
beforeEach(() => service.answers.clear());

describe("npm registry signatures", () => {
  const registry = registryKey();
  const refusal = async (
    signature: { readonly keyId: string; readonly signature: string },
    more: { readonly keys?: string; readonly publishedAt?: string; readonly body?: string } = {},
  ): Promise<string | undefined> => {
    const url = `${service.url}@own/one/-/one-1.0.0.tgz`;
    const { publishedAt } = more;
    const announced = [
      announcedAs(url, { signatures: [signature], ...(publishedAt === undefined ? {} : { publishedAt }) }),
    ];
    const question = questionAbout("npm", url, more.body ?? bytes, {
      name: "@own/one",
      version: "1.0.0",
      purl,
      announced,
    });
    const registryKeys = readRegistryKeys(Buffer.from(more.keys ?? registry.document));
    const row = await ask(question, { "npm-signature": kindTrust({ registryKeys }) });
    return row.outcome === "refused" ? row.code : row.outcome;
  };

  test("attack: the signature of another version, package, or content", async () => {
    for (const other of ["@own/one@1.0.1", "@own/two@1.0.0", "one@1.0.0"]) {
      expect(await refusal(registrySignature(registry, bytes, other))).toBe("UPSTREAM_SIGNATURE_INVALID");
    }
    expect(await refusal(registrySignature(registry, bytes), { body: "replaced" })).toBe("UPSTREAM_SIGNATURE_INVALID");
  });

  test("attack: a signature by another key, under its own id and under the trusted one", async () => {
    const attacker = registrySignature(registryKey(), bytes);
    expect(await refusal(attacker)).toBe("UPSTREAM_KEY_UNKNOWN");
    const keyId = registrySignature(registry, bytes).keyId;
    expect(await refusal({ ...attacker, keyId })).toBe("UPSTREAM_SIGNATURE_INVALID");
  });

  test("attack: a key that was retired signs a new version", async () => {
    const old = registryKey("2025-01-29T00:00:00.000Z");
    const more = { keys: old.document, publishedAt: "2026-05-01T00:00:00Z" };
    expect(await refusal(registrySignature(old, bytes), more)).toBe("UPSTREAM_KEY_EXPIRED");
  });
});

describe("npm provenance", () => {
  const type = "https://slsa.dev/provenance/v1";
  const refusal = async (bundle: unknown, rules = "signers: []", predicateType = type): Promise<string | undefined> => {
    const url = `${service.url}@own/one/-/one-1.0.0.tgz`;
    const address = `${service.url}-/npm/v1/attestations/@own%2fone@1.0.0`;
    service.answers.set(
      "/-/npm/v1/attestations/@own%2fone@1.0.0",
      JSON.stringify({ attestations: [{ predicateType, bundle }] }),
    );
    const announced = [announcedAs(url, { attestations: address })];
    const question = questionAbout("npm", url, bytes, { name: "@own/one", version: "1.0.0", purl, announced });
    const row = await ask(question, { "npm-provenance": kindTrust({ rules: rulesOf(rules) }) });
    return row.outcome === "refused" ? row.code : row.outcome;
  };
  const about = (subject: string, of = bytes, predicate: unknown = provenanceOf(repository)) =>
    statement(subject, of, type, predicate, "sha512");

  test("attack: the bundle of another package, another version, or another file", async () => {
    expect(await refusal(forgeBundle({ statement: about(purl) }))).toBe("verified");
    for (const other of ["pkg:npm/%40own/two@1.0.0", "pkg:npm/%40own/one@1.0.1", "pkg:npm/one@1.0.0"]) {
      expect(await refusal(forgeBundle({ statement: about(other) }))).toBe("UPSTREAM_SUBJECT_MISMATCH");
    }
    expect(await refusal(forgeBundle({ statement: about(purl, "other") }))).toBe("UPSTREAM_SUBJECT_MISMATCH");
  });

  test("attack: one statement about many packages, of which this is one", async () => {
    const { subject, ...rest } = about(purl);
    const many = { ...rest, subject: [...subject, { name: "pkg:npm/evil@1.0.0", digest: subject[0]?.digest }] };
    expect(await refusal(forgeBundle({ statement: many }))).toBe("UPSTREAM_SUBJECT_MISMATCH");
  });

  test("attack: only SHA-1 names the file", async () => {
    const weak = statement(purl, bytes, type, provenanceOf(repository), "sha1");
    expect(await refusal(forgeBundle({ statement: weak }))).toBe("UPSTREAM_SUBJECT_MISMATCH");
  });

  test("attack: provenance of another repository, claimed in the predicate or held in the certificate", async () => {
    const evil = "https://forge.example/evil/one";
    const claimed = forgeBundle({ statement: about(purl, bytes, provenanceOf(repository)) }, { source: evil });
    expect(await refusal(claimed)).toBe("UPSTREAM_REPOSITORY_MISMATCH");
    const honest = forgeBundle(
      { statement: about(purl, bytes, provenanceOf(evil)) },
      { source: evil, identity: `${evil}/.github/workflows/release.yml@refs/heads/main` },
    );
    // Without a rule it is somebody's provenance; with one it is not the expected one's.
    expect(await refusal(honest)).toBe("verified");
    const signer = `signers:\n  - packages: pkg:npm/@own/*\n    issuer: ${issuer}\n`;
    expect(await refusal(honest, `${signer}    identity-pattern: "${repository}/.*"`)).toBe(
      "UPSTREAM_SIGNER_UNEXPECTED",
    );
    const lax = `${signer}    identity-pattern: "https://forge[.]example/.*"\n    repository: ${repository}`;
    expect(await refusal(honest, lax)).toBe("UPSTREAM_REPOSITORY_MISMATCH");
  });

  test("attack: a repository whose name begins like the expected one", async () => {
    const identity = `${repository}-evil/.github/workflows/release.yml@refs/heads/main`;
    const bundle = forgeBundle({ statement: about(purl) }, { identity });
    const rules = `signers:\n  - packages: pkg:npm/@own/*\n    issuer: ${issuer}\n    identity-pattern: "${repository}/.*"`;
    expect(await refusal(bundle, rules)).toBe("UPSTREAM_SIGNER_UNEXPECTED");
  });

  test("attack: a publish attestation, or any other predicate, in the place of provenance", async () => {
    const other = statement(purl, bytes, "https://forge.example/anything/v1", {}, "sha512");
    expect(await refusal(forgeBundle({ statement: other }))).toBe("UPSTREAM_PREDICATE_UNEXPECTED");
    expect(await refusal(forgeBundle({ statement: other }), "signers: []", "https://forge.example/anything/v1")).toBe(
      "absent",
    );
  });

  test("attack: a bundle of another world, and one whose signature was altered", async () => {
    const altered = forgeBundle({
      statement: about(purl),
      edit: (bundle) => {
        bundle.dsseEnvelope.payload = Buffer.from(JSON.stringify(about(purl, bytes, {}))).toString("base64");
      },
    });
    expect(await refusal(altered)).toBe("SIGNATURE_INVALID");
    const url = `${service.url}@own/one/-/one-1.0.0.tgz`;
    const address = `${service.url}-/npm/v1/attestations/@own%2fone@1.0.0`;
    const announced = [announcedAs(url, { attestations: address })];
    const question = questionAbout("npm", url, bytes, { name: "@own/one", version: "1.0.0", purl, announced });
    expect(await ask(question, { "npm-provenance": kindTrust({ roots: [] }) })).toMatchObject({
      code: "UPSTREAM_SIGNER_UNEXPECTED",
    });
  });
});

describe("the Go checksum database", () => {
  const goMod = "module example.com/own/one\n";
  const h1 = createHash("sha256")
    .update(`${createHash("sha256").update(goMod).digest("hex")}  go.mod\n`)
    .digest("hex");
  const zero = "0".repeat(64);
  const question = () =>
    questionAbout("golang", `${service.url}example.com/own/one/@v/v1.0.0.mod`, goMod, {
      ...{ kind: "metadata", name: "example.com/own/one", version: "v1.0.0", fileName: "v1.0.0.mod" },
      purl: "pkg:golang/example.com/own/one@v1.0.0",
    });
  const trust = (database: TestDatabase) => ({
    "go-checksum-database": kindTrust({ databases: [{ verifier: database.verifier, url: service.url }] }),
  });

  test("attack: the database shows this builder another history than before", async () => {
    const database = new TestDatabase();
    database.add("example.com/first", "v1.0.0", zero, zero);
    database.add("example.com/own/one", "v1.0.0", zero, h1);
    const seen = seenInMemory();
    database.publish(service.answers);
    expect(await ask(question(), trust(database), seen)).toMatchObject({ outcome: "verified" });
    const before = seen.read("go sums.example");
    for (const size of [2, 5]) {
      // The same key signs a tree in which an earlier record is another one.
      database.records.length = 0;
      service.answers.clear();
      database.add("example.com/evil", "v1.0.0", zero, zero);
      database.add("example.com/own/one", "v1.0.0", zero, h1);
      while (database.records.length < size)
        database.add(`example.com/m${database.records.length}`, "v1.0.0", zero, zero);
      database.publish(service.answers);
      expect(await ask(question(), trust(database), seen)).toMatchObject({
        outcome: "refused",
        code: "UPSTREAM_LOG_FORKED",
      });
      expect(seen.read("go sums.example")).toBe(before);
    }
  });

  test("attack: another tree head by another key, and a record that is in no tree", async () => {
    const [database, evil] = [new TestDatabase(), new TestDatabase()];
    for (const each of [database, evil]) each.add("example.com/own/one", "v1.0.0", zero, h1);
    evil.publish(service.answers);
    expect(await ask(question(), trust(database))).toMatchObject({ code: "NOTE_UNTRUSTED" });
    database.records[0] = `example.com/own/one v1.0.0 h1:evil\n`;
    service.answers.set("/lookup/example.com/own/one@v1.0.0", `0\n${evil.records[0]}\n${database.head()}`);
    expect(await ask(question(), trust(database))).toMatchObject({ code: "UPSTREAM_RECORD_MISMATCH" });
  });

  test("attack: the record of another module, which is in the tree", async () => {
    const database = new TestDatabase();
    database.add("example.com/own/other", "v1.0.0", zero, h1);
    service.answers.set("/lookup/example.com/own/one@v1.0.0", `0\n${database.records[0]}\n${database.head()}`);
    expect(await ask(question(), trust(database))).toMatchObject({ code: "UPSTREAM_RECORD_MISMATCH" });
  });
});

describe("Debian and Maven", () => {
  const key = mintPgpKey("eddsa");
  const keyring = readKeyring(pgpCertificate({ primary: key }));
  const release = (fields: string, by = key): string =>
    pgpClearsign([by], `Suite: stable\nCodename: tester\n${fields}SHA256:\n ${"a".repeat(64)} 1 main/Packages\n`);
  const at = (day: string): string => `Date: ${day} May 2026 12:00:00 UTC\n`;
  const seen = seenInMemory();
  const answer = async (body: string, suite = "tester"): Promise<string | undefined> => {
    const question = questionAbout("deb", `${service.url}debian/dists/${suite}/InRelease`, body, { kind: "index" });
    const row = await ask(question, { "debian-chain": kindTrust({ keyring }) }, seen);
    return row.outcome === "refused" ? row.code : row.outcome;
  };

  test("attack: a mirror replays an old Release, keeps an expired one, or serves that of another suite", async () => {
    expect(await answer(release(at("20")))).toBe("verified");
    expect(await answer(release(at("19")))).toBe("UPSTREAM_RELEASE_ROLLED_BACK");
    expect(await answer(release(`${at("21")}Valid-Until: 28 May 2026 12:00:00 UTC\n`))).toBe(
      "UPSTREAM_RELEASE_EXPIRED",
    );
    expect(await answer(release(at("22")), "tester-security")).toBe("UPSTREAM_RELEASE_SUITE");
  });

  test("attack: digests are added to a Release outside of its signed part", async () => {
    const digests = `SHA256:\n ${"b".repeat(64)} 1 main/Packages\n`;
    expect(await answer(digests + release(at("23")))).toBe("UPSTREAM_ANSWER_MALFORMED");
    expect(await answer(release(at("23")) + digests)).toBe("OPENPGP_ARMOR_MALFORMED");
    expect(await answer(release(`${at("23")}${digests}`))).toBe("UPSTREAM_ANSWER_MALFORMED");
  });

  test("attack: a jar with the signature of another release, or of somebody in the keyring who has no say", async () => {
    const path = "/org/own/one/1.0/one-1.0.jar";
    const rules = rulesOf(`signers:\n  - packages: pkg:maven/org.own/*\n    fingerprints: ["${key.fingerprint}"]`);
    const other = mintPgpKey("eddsa");
    const both = readKeyring(pgpCertificate({ primary: key }), pgpCertificate({ primary: other }));
    const facts = { name: "org.own:one", version: "1.0", purl: "pkg:maven/org.own/one@1.0" };
    const question = questionAbout("maven", `${service.url}${path.slice(1)}`, bytes, facts);
    const trust = { "maven-pgp": kindTrust({ keyring: both, rules }) };
    service.answers.set(`${path}.asc`, pgpArmor("SIGNATURE", pgpSign(key, "version 0.9")));
    expect(await ask(question, trust)).toMatchObject({ code: "OPENPGP_SIGNATURE_INVALID" });
    service.answers.set(`${path}.asc`, pgpArmor("SIGNATURE", pgpSign(other, bytes)));
    expect(await ask(question, trust)).toMatchObject({ code: "UPSTREAM_SIGNER_UNEXPECTED" });
  });
});
