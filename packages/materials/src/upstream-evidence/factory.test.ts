import { createHash } from "node:crypto";
import { PIPELINE_BUILD_TYPE } from "@touchmark/formats/predicates";
import { mintBundle } from "@touchmark/test-kit/mint";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { announcedAs, ask, forgeBundle, kindTrust, rulesOf, statement, world } from "./attested.fixture.ts";
import { questionAbout, type TestService, testService } from "./evidence.fixture.ts";
import { readFactoryBuild, readFactoryEvidence } from "./factory-provenance.ts";

const type = "https://slsa.dev/provenance/v1";
const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
const now = new Date(world.at.getTime() + 86_400_000);
const rules = rulesOf(
  `signers:\n  - packages: pkg:generic/*\n    identity: ${world.identity}\n    issuer: ${world.issuer}`,
);
let service: TestService;
beforeAll(async () => {
  service = await testService();
});
afterAll(() => service.close());
beforeEach(() => service.answers.clear());

/** Provenance of one file by the factory, built of others. */
const provenance = (of: string, dependencies: readonly string[], buildType: string = PIPELINE_BUILD_TYPE): unknown => {
  const resolvedDependencies = dependencies.map((each) => ({
    uri: `pkg:generic/${each}`,
    digest: { sha256: sha(each) },
  }));
  const predicate = { buildDefinition: { buildType, resolvedDependencies } };
  return JSON.parse(Buffer.from(mintBundle(world, { statement: statement(of, of, type, predicate) }).bytes).toString());
};
const evidence = (...bundles: unknown[]): string => JSON.stringify({ touchmark: "evidence/v1", bundles });
const trust = { "touchmark-provenance": kindTrust({ rules }) };
const question = (purl = "pkg:generic/top@1") =>
  questionAbout("generic", `${service.url}top.tgz`, "top", { purl, name: "top" });
const built = (text: string) =>
  readFactoryBuild(
    readFactoryEvidence(Buffer.from(text)),
    sha("top"),
    trust["touchmark-provenance"],
    "pkg:generic/top",
    now,
  );

test("U8: a package of a factory is verified with its materials, and theirs where they came along", async () => {
  expect(await ask(question(), trust)).toMatchObject({ outcome: "absent" });
  service.answers.set(
    "/top.tgz.touchmark.json",
    evidence(provenance("top", ["middle", "plain"]), provenance("middle", ["deep"])),
  );
  expect(await ask(question(), trust)).toMatchObject({
    outcome: "verified",
    signer: world.identity,
    says: { materials: "2", provenance: "1" },
  });
  const build = built(service.answers.get("/top.tgz.touchmark.json") as string);
  expect(build?.materials.map((each) => [each.uri, each.build?.materials.length])).toEqual([
    ["pkg:generic/middle", 1],
    ["pkg:generic/plain", undefined],
  ]);
  service.asked.length = 0;
  expect(await ask(question("pkg:npm/unnamed@1"), trust)).toMatchObject({ outcome: "absent" });
  expect(service.asked).toEqual([]);
});

test("U8: a registry's attestations may hold the factory's provenance, among others", async () => {
  const name = "@own/one";
  const url = `${service.url}top.tgz`;
  const attestations = `${service.url}-/npm/v1/attestations/@own%2fone@1.0.0`;
  const announced = [announcedAs(url, { attestations })];
  const facts = { purl: "pkg:npm/%40own/one@1.0.0", name, version: "1.0.0", announced };
  const signers = `  - packages: pkg:npm/@own/*\n    identity: ${world.identity}\n    issuer: ${world.issuer}`;
  const named = { "touchmark-provenance": kindTrust({ rules: rulesOf(`signers:\n${signers}`) }) };
  const others = { predicateType: type, bundle: forgeBundle({ statement: statement("top", "top", type, {}) }) };
  const serve = (...rows: unknown[]): void =>
    void service.answers.set("/-/npm/v1/attestations/@own%2fone@1.0.0", JSON.stringify({ attestations: rows }));
  serve(others, { predicateType: type, bundle: provenance("top", ["middle"]) });
  expect(await ask(questionAbout("npm", url, "top", facts), named)).toMatchObject({ outcome: "verified" });
  serve(others);
  expect(await ask(questionAbout("npm", url, "top", facts), named)).toMatchObject({ outcome: "absent" });
});

test("U8: provenance of another file, or of another build type, is none of this one", async () => {
  for (const other of [provenance("other", []), provenance("top", [], "https://elsewhere.example/build")]) {
    service.answers.set("/top.tgz.touchmark.json", evidence(other));
    expect(await ask(question(), trust)).toMatchObject({ code: "UPSTREAM_SUBJECT_MISMATCH" });
  }
  service.answers.set("/top.tgz.touchmark.json", "[]");
  expect(await ask(question(), trust)).toMatchObject({ code: "UPSTREAM_ANSWER_MALFORMED" });
});

test("U8: provenance that goes in circles ends, and what nests too deep is refused", () => {
  const circle = built(evidence(provenance("top", ["middle"]), provenance("middle", ["top"])));
  expect(circle?.materials[0]?.build?.materials[0]?.build).toBeUndefined();
  const chain = Array.from({ length: 9 }, (_, n) => provenance(n === 0 ? "top" : `level${n}`, [`level${n + 1}`]));
  expect(() => built(evidence(...chain))).toThrow(expect.objectContaining({ code: "UPSTREAM_RECURSION_LIMIT" }));
});
