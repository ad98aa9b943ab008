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
  workflow,
} from "./attested.fixture.ts";
import { questionAbout, type TestService, testService } from "./evidence.fixture.ts";
import { readRegistryKeys } from "./registry-keys.ts";

const bytes = "package bytes";
const purl = "pkg:npm/%40own/one@1.0.0";
const facts = { name: "@own/one", version: "1.0.0", purl };
const registry = registryKey();
const keys = readRegistryKeys(Buffer.from(registry.document));
let service: TestService;
beforeAll(async () => {
  service = await testService();
});
afterAll(() => service.close());
beforeEach(() => service.answers.clear());

describe("U2: registry signatures", () => {
  const url = (): string => `${service.url}@own/one/-/one-1.0.0.tgz`;
  const question = (more: Parameters<typeof announcedAs>[1] = {}) =>
    questionAbout("npm", url(), bytes, { ...facts, announced: [announcedAs(url(), more)] });
  const trust = (parts: Parameters<typeof kindTrust>[0] = { registryKeys: keys }) => ({
    "npm-signature": kindTrust(parts),
  });

  test("U2: one by a key that the user names is verified, and none is absent", async () => {
    const signatures = [registrySignature(registry, bytes)];
    expect(await ask(question({ signatures }), trust())).toMatchObject({
      outcome: "verified",
      signer: keys[0]?.keyId,
      from: [],
    });
    expect(await ask(question(), trust())).toMatchObject({ outcome: "absent" });
  });

  test("U2: the registry's own keys count only when the user says so", async () => {
    const signatures = [registrySignature(registry, bytes)];
    service.answers.set("/-/npm/v1/keys", registry.document);
    const rules = rulesOf("registry-keys: accept");
    expect(await ask(question({ signatures }), trust({ rules }))).toMatchObject({ outcome: "verified" });
    expect(await ask(question({ signatures }), trust({}))).toMatchObject({
      outcome: "refused",
      code: "UPSTREAM_KEY_UNKNOWN",
    });
    service.answers.set("/-/npm/v1/keys", 503);
    expect(await ask(question({ signatures }), trust({ rules }))).toMatchObject({
      outcome: "unreachable",
      code: "UPSTREAM_UNREACHABLE",
    });
    service.answers.set("/-/npm/v1/keys", "{}");
    expect(await ask(question({ signatures }), trust({ rules }))).toMatchObject({ code: "UPSTREAM_ANSWER_MALFORMED" });
  });

  test("U2: a key that has expired counts for what was published before", async () => {
    const old = registryKey("2026-01-01T00:00:00.000Z");
    const signatures = [registrySignature(old, bytes)];
    const registryKeys = readRegistryKeys(Buffer.from(old.document));
    const before = question({ signatures, publishedAt: "2025-12-31T00:00:00Z" });
    expect(await ask(before, trust({ registryKeys }))).toMatchObject({ outcome: "verified" });
    for (const after of [question({ signatures, publishedAt: "2026-01-02T00:00:00Z" }), question({ signatures })]) {
      expect(await ask(after, trust({ registryKeys }))).toMatchObject({ code: "UPSTREAM_KEY_EXPIRED" });
    }
  });
});

describe("U3: npm provenance", () => {
  const address = "-/npm/v1/attestations/@own%2fone@1.0.0";
  const type = "https://slsa.dev/provenance/v1";
  const trust = (parts: Parameters<typeof kindTrust>[0] = {}) => ({ "npm-provenance": kindTrust(parts) });
  const question = () => {
    const url = `${service.url}@own/one/-/one-1.0.0.tgz`;
    const attestations = `https://elsewhere.example/${address}`;
    return questionAbout("npm", url, bytes, { ...facts, announced: [announcedAs(url, { attestations })] });
  };
  const serve = (...attestations: unknown[]): void =>
    void service.answers.set(`/${address}`, JSON.stringify({ attestations }));
  const about = (subject: string, predicate: unknown, predicateType = type) =>
    statement(subject, bytes, predicateType, predicate, "sha512");
  const provenance = { predicateType: type, bundle: forgeBundle({ statement: about(purl, provenanceOf(repository)) }) };

  test("U3: provenance of either version is verified, with what it says of source and builder", async () => {
    serve(provenance);
    expect(await ask(question(), trust())).toMatchObject({
      outcome: "verified",
      signer: workflow,
      says: { repository, builder: "https://forge.example/runner", issuer },
      from: [`${service.url}${address}`],
    });
    const older = "https://slsa.dev/provenance/v0.2";
    const configSource = { uri: `git+${repository}.git@refs/heads/main`, digest: { sha1: "0".repeat(40) } };
    const predicate = { builder: { id: "runner" }, buildType: "npm", invocation: { configSource } };
    serve({ predicateType: older, bundle: forgeBundle({ statement: about(purl, predicate, older), profile: "v1" }) });
    expect(await ask(question(), trust())).toMatchObject({ outcome: "verified", says: { repository } });
  });

  test("U3: signer and repository are those that the rules name for the package", async () => {
    serve(provenance);
    const rule = (more: string): ReturnType<typeof rulesOf> =>
      rulesOf(`signers:\n  - packages: pkg:npm/@own/*\n    issuer: ${issuer}\n${more}`);
    const pattern = `    identity-pattern: ${repository}/.*`;
    expect(await ask(question(), trust({ rules: rule(`    identity: ${workflow}`) }))).toMatchObject({
      outcome: "verified",
    });
    expect(await ask(question(), trust({ rules: rule(`${pattern}\n    repository: ${repository}`) }))).toMatchObject({
      outcome: "verified",
    });
    expect(await ask(question(), trust({ rules: rule("    identity: https://forge.example/other") }))).toMatchObject({
      code: "UPSTREAM_SIGNER_UNEXPECTED",
    });
    const elsewhere = rule(`${pattern}\n    repository: https://forge.example/own/two`);
    expect(await ask(question(), trust({ rules: elsewhere }))).toMatchObject({ code: "UPSTREAM_REPOSITORY_MISMATCH" });
    expect(await ask(question(), trust({ rules: rulesOf("issuers: ['https://another.example']") }))).toMatchObject({
      code: "UPSTREAM_SIGNER_UNEXPECTED",
    });
  });

  test("U3: a publish attestation holds by the registry's key, and is no provenance", async () => {
    const publish = "https://registry.example/attestation/tree/main/specs/publish/v0.1";
    const hint = keys[0]?.keyId ?? "";
    const bundle = forgeBundle({
      statement: about(purl, { name: "@own/one", version: "1.0.0", registry: "test" }, publish),
      key: registry.key,
      hint,
    });
    serve(provenance, { predicateType: publish, bundle });
    const whole = trust({ registryKeys: keys });
    expect(await ask(question(), whole)).toMatchObject({
      outcome: "verified",
      message: expect.stringContaining("published by the registry's own word"),
    });
    serve({ predicateType: publish, bundle });
    expect(await ask(question(), whole)).toMatchObject({ outcome: "absent" });
    const another = readRegistryKeys(Buffer.from(registryKey().document));
    expect(await ask(question(), trust({ registryKeys: another }))).toMatchObject({ code: "UPSTREAM_KEY_UNKNOWN" });
    const wrong = forgeBundle({
      statement: about(purl, { name: "@own/two", version: "1.0.0" }, publish),
      key: registry.key,
      hint,
    });
    serve(provenance, { predicateType: publish, bundle: wrong });
    expect(await ask(question(), whole)).toMatchObject({ code: "UPSTREAM_SUBJECT_MISMATCH" });
  });

  test("U1: what is not there is absent, what cannot be asked is unreachable, what is no answer is refused", async () => {
    expect(await ask(question(), trust())).toMatchObject({ outcome: "absent" });
    service.answers.set(`/${address}`, 429);
    expect(await ask(question(), trust())).toMatchObject({ outcome: "unreachable", code: "UPSTREAM_UNREACHABLE" });
    const failing = { ...question(), get: () => Promise.reject(new Error("connection reset")) };
    expect(await ask(failing, trust())).toMatchObject({ outcome: "unreachable" });
    service.answers.set(`/${address}`, "<html>");
    expect(await ask(question(), trust())).toMatchObject({ outcome: "refused", code: "UPSTREAM_ANSWER_MALFORMED" });
    serve({ predicateType: type });
    expect(await ask(question(), trust())).toMatchObject({ code: "UPSTREAM_ANSWER_MALFORMED" });
    const silent = { ...question(), announced: [] };
    expect(await ask(silent, trust())).toMatchObject({ outcome: "absent", from: [] });
  });
});
