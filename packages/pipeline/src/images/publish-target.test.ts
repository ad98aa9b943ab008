import type { Digest } from "@touchmark/core";
import { parseImageReference } from "@touchmark/formats/pipeline";
import { readPredicate } from "@touchmark/formats/predicates";
import { findEvidence, localRepository, memoryRegistryBackend } from "@touchmark/registry";
import type { RunArtifact } from "@touchmark/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Performed, type Scene } from "../fixture.ts";
import { oneRuleEach } from "../gates/policies.fixture.ts";
import { gatherEvidence } from "../gather.ts";
import { evidenceHere, policiesInForce, verifyHere } from "../policy/index.ts";
import { promotionProof } from "../promotion/proof.ts";
import type { ImagePlaces } from "./image-places.ts";
import { openOwnRegistry } from "./own-registry.ts";
import { publishRelease } from "./publish-artifact.ts";
import { publishFromRun } from "./publish-run.ts";

const missing = missingForRuns();
let scene: Scene;
let done: Performed;
let artifact: RunArtifact;

const pipeline = `
  steps:
    make: { run: 'echo app > "$TOUCHMARK_OUTPUT/app.txt"', inputs: { source: /work/source } }
  artifacts:
    app: { from: make, path: app.txt, kind: file }
  publish:
    - { artifact: app, to: "factory:shop/app", tags: [stable] }
`;
const inShop = "!has(request.target) || request.target.matches('^registry.example/shop/[a-z]+:1[.][0-9]$')";
const only = (publish: string) => policiesInForce(scene.factory, { files: oneRuleEach({ publish }) });

/** A registry in memory that has every name, and notes what lies beside the artifact when a tag is set. */
function memoryPlaces() {
  const backend = memoryRegistryBackend();
  const written: string[] = [];
  const repository = (name: string) => localRepository(backend, name, name);
  const beside = async (name: string, digest: Digest): Promise<Uint8Array[]> => {
    const found: Uint8Array[] = [];
    for await (const { bytes } of findEvidence(repository(name), digest)) found.push(bytes);
    return found;
  };
  const places: Pick<ImagePlaces, "repository"> = {
    repository: async ({ repository: name }) => ({
      ...repository(name),
      putManifest: async (bytes, mediaType, tag) => {
        const put = await repository(name).putManifest(bytes, mediaType, tag);
        written.push(tag === undefined ? "manifest" : `${tag} beside ${(await beside(name, put.digest)).length}`);
        return put;
      },
    }),
  };
  return { backend, beside, written, places: { ...unused, ...places } };
}

const unused: Pick<ImagePlaces, "own" | "bring" | "close"> = {
  own: () => Promise.reject(new Error("no image")),
  bring: () => Promise.reject(new Error("no image")),
  close: async () => undefined,
};

/** The newest decision about the artifact that the store has. */
async function newestDecision() {
  const { statements } = await evidenceHere(scene.factory, artifact.digest);
  const last = statements.findLast(({ statement }) => statement.predicateType.includes("verification_summary"));
  return readPredicate("verification-summary", last?.statement.predicate);
}

describe.skipIf(missing !== null)(`targets${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
    done = await scene.run(scene.project("app", pipeline), { policies: oneRuleEach({ publish: inShop }) });
    const { run } = await gatherEvidence(scene.factory, done.artifacts[0]?.digest ?? "sha256:");
    artifact = run.artifacts[0] as RunArtifact;
  });
  afterAll(() => scene.close());

  test("GT12: a run that may not publish to where its pipeline says publishes nothing there, and says why", async () => {
    expect(done).toMatchObject({ status: "succeeded", published: [], error: { code: "GATE_REFUSED" } });
    expect(done.error?.message).toContain("policy denies publish of factory:shop/app:stable: test-publish rule");
    expect(done.error?.hint).toContain("touchmark policy explain sha256:");
    const own = await openOwnRegistry(scene.factory);
    await expect(own.repository("shop/app").manifest("stable")).rejects.toThrow();
    await own.close();
    expect(await newestDecision()).toMatchObject({
      verificationResult: "FAILED",
      resourceUri: `oci://factory/shop/app@${artifact.digest}`,
      touchmark_decision: { point: "publish", denials: [{ code: "POLICY_RULE_FAILED", rule: "rule" }] },
    });
  });

  test("GT12: the decision lies beside the artifact before the tag is set, and is not signed again while it is good", async () => {
    const { backend, beside, written, places } = memoryPlaces();
    const to = parseImageReference("registry.example/shop/app");
    const target = { to, tags: ["1.0"], policies: await only(inShop) };
    const published = await publishRelease(scene.factory, places, artifact, target);
    expect(published.decisions).toHaveLength(1);
    expect(written.at(-1)).toBe(`1.0 beside ${published.bundles}`);
    expect(published.bundles).toBe(done.evidence + 1);
    const found = await beside("shop/app", published.digest);
    const { statements } = await verifyHere(scene.factory, new Map(found.map((bytes, i) => [`sha256:${i}`, bytes])));
    const decision = statements.find(({ bundle }) => bundle === published.decisions[0]);
    expect(decision?.statement.subject[0]).toMatchObject({
      name: "registry.example/shop/app:1.0",
      digest: { sha256: artifact.digest.slice(7) },
    });
    expect(await newestDecision()).toMatchObject({ verificationResult: "PASSED" });
    const again = await publishRelease(scene.factory, places, artifact, target);
    expect(again).toMatchObject({ sent: 0, decisions: published.decisions });
    // Other policies, another tag: other decisions.
    const other = { ...target, policies: await only("subject.name != 'other'") };
    expect((await publishRelease(scene.factory, places, artifact, other)).decisions).not.toEqual(again.decisions);
    const more = await publishRelease(scene.factory, places, artifact, { ...target, tags: ["1.0", "1.1"] });
    expect(more.decisions).toEqual([published.decisions[0], expect.stringMatching(/^sha256:/)]);
    // What a promotion alone may set, this does not set.
    const proof = promotionProof(scene.factory, backend);
    expect(await proof.missing("shop/app", "1.0", published.digest)).toMatch(/^none of /);
    expect(await proof.missing("shop/app", "1.0", artifact.digest)).toMatch(/^none of /);
  });

  test("GT12: one tag that policy refuses leaves nothing there at all; each refusal is signed", async () => {
    const { written, places } = memoryPlaces();
    const to = parseImageReference("registry.example/shop/app");
    const before = (await evidenceHere(scene.factory, artifact.digest)).statements.length;
    const target = { to, tags: ["1.5", "latest", "newest"], policies: await only(inShop) };
    const refused = publishRelease(scene.factory, places, artifact, target);
    await expect(refused).rejects.toMatchObject({
      code: "GATE_REFUSED",
      message: expect.stringContaining("registry.example/shop/app:latest"),
    });
    expect(written).toEqual([]);
    expect((await evidenceHere(scene.factory, artifact.digest)).statements).toHaveLength(before + 2);
  });

  test("GT12: publishing again asks again, by the policies in force or those that are named", async () => {
    const options = { environment: {}, to: "factory:else/app", tags: ["1.0"] };
    await expect(
      publishFromRun(scene.factory, done.run, { ...options, policies: await only(inShop) }),
    ).rejects.toMatchObject({ code: "GATE_REFUSED" });
    // What the run's own gate decided is a fact of its chain.
    const policies = await only(
      "chain.decisions.exists(each, each.point == 'publish' && each.digest == subject.digest)",
    );
    const [published] = await publishFromRun(scene.factory, done.run, { ...options, policies });
    expect(published).toMatchObject({ reference: expect.stringMatching(/^factory:else\/app@/), tags: ["1.0"] });
    const [again] = await publishFromRun(scene.factory, done.run, options);
    expect(again?.digest).toBe(published?.digest);
  });
});
