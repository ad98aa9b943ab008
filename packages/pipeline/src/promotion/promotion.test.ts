import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { descriptorOf, emptyContent, emptyDescriptor, mediaTypes, serializeManifest } from "@touchmark/formats/oci";
import { predicateType } from "@touchmark/formats/predicates";
import { localRepository, memoryRegistryBackend, publishArtifact } from "@touchmark/registry";
import type { VerifiedChain } from "@touchmark/verify/chain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attestArtifact } from "../attest.ts";
import { pipelineErrors } from "../errors.ts";
import { type Factory, openFactory } from "../factory.ts";
import { oneRuleEach } from "../gates/policies.fixture.ts";
import { type PoliciesInForce, policiesInForce } from "../policy/index.ts";
import { decidePromotion } from "./decision.ts";
import { promoteImage } from "./promote.ts";
import { promotionProof } from "./proof.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-promotion-")));
let factory: Factory;
let stranger: Factory;
let policies: PoliciesInForce;
beforeAll(async () => {
  factory = await openFactory({ home: join(directory, "own"), create: true });
  stranger = await openFactory({ home: join(directory, "other"), create: true });
  policies = await policiesInForce(factory, { files: oneRuleEach({}) });
});
afterAll(async () => {
  await factory.close();
  await stranger.close();
  rmSync(directory, { recursive: true, force: true });
});

const once = (bytes: Uint8Array) =>
  async function* () {
    yield bytes;
  };

/** A source with one artifact, an empty target, and the request to bring the one to the other. */
async function scene(verify: () => Promise<readonly VerifiedChain[]>) {
  const backend = memoryRegistryBackend();
  const [from, to] = ["ci/app", "prod/app"].map((name) => localRepository(backend, name, name));
  if (from === undefined || to === undefined) throw new Error("no repositories");
  const layer = descriptorOf(Buffer.from("app"), "application/gzip");
  await from.putBlob(layer, once(Buffer.from("app")));
  await from.putBlob(emptyDescriptor, once(emptyContent));
  const image = { kind: "manifest", mediaType: mediaTypes.manifest, config: emptyDescriptor, layers: [layer] } as const;
  const subject = await from.putManifest(serializeManifest(image), mediaTypes.manifest);
  const request = {
    from,
    to,
    digest: subject.digest,
    tag: "1.0",
    place: "r.example/prod/app",
    demands: {},
    policies,
    verify,
  };
  const proof = promotionProof(factory, backend);
  /** Puts a bundle beside the artifact at the target, and asks whether the tag may be set. */
  const missingWith = async (bytes: Uint8Array): Promise<string | undefined> => {
    const predicate = predicateType("verification-summary");
    await publishArtifact(to, { subject, bundles: [{ bytes, predicateType: predicate }], created: factory.clock });
    return proof.missing("prod/app", "1.0", subject.digest);
  };
  return { backend, from, to, subject, request, proof, missingWith };
}

test("PR1: what verifies is copied, with the decision beside it before the tag is set", async () => {
  const { request, proof, to, subject } = await scene(async () => []);
  let before: string | undefined = "not asked";
  const watching = {
    ...to,
    putManifest: async (bytes: Uint8Array, mediaType: string, tag?: string) => {
      if (tag !== undefined) before = await proof.missing("prod/app", tag, subject.digest);
      return to.putManifest(bytes, mediaType, tag);
    },
  };
  const report = await promoteImage(factory, { ...request, to: watching });
  expect(before).toBeUndefined();
  expect((await to.manifest("1.0")).descriptor.digest).toBe(subject.digest);
  expect(report.copy).toMatchObject({ digest: subject.digest, tag: "1.0" });
  expect(await factory.content.has(report.decision.bundle)).toBe(true);
});

test("PR1: a refusal is signed and logged, and nothing is copied", async () => {
  const { request, to, subject } = await scene(async () => {
    throw pipelineErrors.make("EVIDENCE_MISSING", "expected evidence, found none");
  });
  const size = async () => (await factory.log()).checkpoint();
  const before = await size();
  await expect(promoteImage(factory, request)).rejects.toThrow(expect.objectContaining({ code: "EVIDENCE_MISSING" }));
  expect(await size()).not.toBe(before);
  await expect(to.manifest(subject.digest)).rejects.toThrow();
});

test("PR1: what verifies and policy does not let out is refused, signed, and not copied", async () => {
  const { request, to, subject } = await scene(async () => []);
  const files = oneRuleEach({ publish: "request.target != 'r.example/prod/app:1.0'" });
  const asked = { ...request, policies: await policiesInForce(factory, { files }) };
  await expect(promoteImage(factory, asked)).rejects.toThrow(expect.objectContaining({ code: "GATE_REFUSED" }));
  await expect(to.manifest(subject.digest)).rejects.toThrow();
});

test("PR2: only a passed decision of this factory about this digest, place and tag lets a tag be set", async () => {
  const { subject, missingWith, from, to } = await scene(async () => []);
  await to.putBlob(emptyDescriptor, once(emptyContent));
  await to.putBlob(descriptorOf(Buffer.from("app"), "application/gzip"), once(Buffer.from("app")));
  const { bytes } = await from.manifest(subject.digest);
  await to.putManifest(bytes, mediaTypes.manifest);
  const good = { digest: subject.digest, target: "r.example/prod/app:1.0", demands: {}, chains: [], policies };
  const refused = async (decision: Parameters<typeof decidePromotion>[1], by = factory) =>
    expect(await missingWith((await decidePromotion(by, decision)).report.bytes)).toMatch(/^none of [0-9]+ bundles/);
  await refused(good, stranger);
  await refused({ ...good, broken: pipelineErrors.make("EVIDENCE_MISSING", "none") });
  await refused({ ...good, policies: await policiesInForce(factory) });
  await refused({ ...good, digest: sha256("another") });
  await refused({ ...good, target: "r.example/prod/app:2.0" });
  await refused({ ...good, target: "r.example/other/app:1.0" });
  await refused({ ...good, target: "r.example/x/prod/app:1.0" });
  expect(await missingWith(Buffer.from("no bundle"))).toMatch(/^none of/);
  expect(await missingWith((await decidePromotion(factory, good)).report.bytes)).toBeUndefined();
});

test("PR2: nobody gets such a decision signed as an attestation", async () => {
  const request = { artifact: { digest: sha256("x") }, predicate: Buffer.from("{}") };
  for (const type of [predicateType("verification-summary"), "https://slsa.dev/verification_summary/v0.2"]) {
    await expect(attestArtifact(factory, { ...request, type })).rejects.toThrow(
      expect.objectContaining({ code: "PREDICATE_RESERVED" }),
    );
  }
});
