import { type Digest, sha256 } from "@touchmark/core";
import { predicateType } from "@touchmark/formats/predicates";
import { attestArtifact, gatherEvidence, type RunOutcome } from "@touchmark/pipeline";
import { findBundles, openIndex } from "@touchmark/store";
import { readTrustRoot, type TrustRoot, verifyBundle } from "@touchmark/verify";
import { type ChainExpectations, verifyRun } from "@touchmark/verify/chain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withoutTimestamps } from "./forgery.ts";
import { artifactOf, canBuild, codeOf, type Evidence, openScene, refusal, type Scene } from "./scene.ts";

let scene: Scene;
let run: RunOutcome;
let evidence: Evidence;
let trustRoot: TrustRoot;
let expected: ChainExpectations;

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run();
  evidence = await scene.evidence(run);
  trustRoot = readTrustRoot(await scene.factory.trustRoot());
  const { trustDomain } = await scene.factory.identity();
  expected = { artifact: artifactOf(run), builder: `spiffe://${trustDomain}/builder`, source: run.source.uri };
});
afterAll(() => scene?.close());

const bundles = (): Uint8Array[] => evidence.all.map((bundle) => bundle.bytes);

test.skipIf(!canBuild)(
  "RA-DOC-02: each document is of one build; another build and a later look make new ones",
  async () => {
    const again = await scene.run({ cache: false });
    const theirs = await scene.evidence(again);
    // The same bytes were built, and the documents of the two builds have nothing in common.
    expect(artifactOf(again)).toBe(artifactOf(run));
    const old = new Set(evidence.all.map((bundle) => bundle.digest));
    expect(theirs.all.filter((bundle) => old.has(bundle.digest))).toEqual([]);
    for (const [set, id] of [
      [evidence, run.run],
      [theirs, again.run],
    ] as const) {
      for (const { name, digest, verified } of set.all) {
        const predicate = verified.statement.predicate as { run?: string; touchmark_chain?: { run: string } };
        // An SBOM in the field's own form has no place for its run: the factory's word on it names it, and has.
        if (name.startsWith("sbom/")) {
          expect(set.predicate("analysis", "analysis/app")).toMatchObject({ run: id, sbom: { bundle: digest } });
          continue;
        }
        expect(predicate.run ?? predicate.touchmark_chain?.run, name).toBe(id);
      }
    }
    const { runDetails } = theirs.predicate("provenance", "provenance/app");
    expect(runDetails.metadata?.invocationId).toBe(again.run);
    const scan = (findings: number) =>
      attestArtifact(scene.factory, {
        artifact: { digest: artifactOf(run) },
        type: "https://example.org/scan/v1",
        predicate: Buffer.from(JSON.stringify({ findings })),
      });
    const [one, two] = [await scan(0), await scan(1)];
    expect(two.bundle).not.toBe(one.bundle);
    expect(await scene.factory.content.has(one.bundle)).toBe(true);
  },
);

test.skipIf(!canBuild)(
  "RA-DOC-04: every document is timestamped, and none without a time is stored or counts",
  async () => {
    for (const bundle of evidence.all) {
      expect(bundle.verified.times.map((time) => time.source)).toEqual(["timestamp"]);
      const predicate = bundle.verified.statement.predicate as {
        createdAt?: string;
        touchmark_chain?: { createdAt: string };
        metadata?: { timestamp?: string };
      };
      expect(predicate.createdAt ?? predicate.metadata?.timestamp ?? predicate.touchmark_chain?.createdAt).toMatch(
        /^\d{4}-/,
      );
    }
    const stripped = evidence.all.map(({ name, bytes }) => (name === "source" ? withoutTimestamps(bytes) : bytes));
    expect(codeOf(() => verifyRun(stripped, trustRoot, expected))).toBe("TIMESTAMP_MISSING");

    // The way into the store: no stamp, no document.
    const stored = async (): Promise<number> => {
      let count = 0;
      for await (const _ of scene.factory.content.list()) count++;
      return count;
    };
    const before = await stored();
    const identity = await scene.factory.attestIdentity();
    const stopped = {
      ...scene.factory,
      attestIdentity: async () => ({
        ...identity,
        timestampAuthority: { ...identity.timestampAuthority, stamp: () => Promise.reject(new Error("no clock")) },
      }),
    };
    const note = { type: "https://example.org/note/v1", predicate: Buffer.from("{}") };
    const artifact = { digest: artifactOf(run) };
    await expect(attestArtifact(stopped, { artifact, ...note })).rejects.toThrow();
    const answer = {
      run: run.run,
      createdAt: "2026-11-21T10:42:31Z",
      predecessors: [],
      requirement: "EQ8",
      question: "Is a second factor demanded?",
      answer: "met",
      explanation: "By the forge's settings.",
      person: { name: "ada", system: "forge.example" },
      answeredAt: "2026-11-21T10:00:00Z",
      expires: "2027-05-21T10:00:00Z",
      evidence: [],
    };
    const { createdAt: _, ...rest } = answer;
    const undated = { type: predicateType("human-answer"), predicate: Buffer.from(JSON.stringify(rest)) };
    await expect(attestArtifact(scene.factory, { artifact, ...undated })).rejects.toMatchObject(
      refusal("PREDICATE_MALFORMED"),
    );
    expect(await stored()).toBe(before);
    const dated = { ...undated, predicate: Buffer.from(JSON.stringify(answer)) };
    await expect(attestArtifact(scene.factory, { artifact, ...dated })).resolves.toBeDefined();
  },
);

test.skipIf(!canBuild)(
  "RA-DOC-06: a stored document never changes, and its later versions stand in order, signed",
  async () => {
    const type = "https://example.org/report/v1";
    const artifact = { digest: artifactOf(run) };
    const made: Digest[] = [];
    for (const version of [1, 2, 3]) {
      const predicate = Buffer.from(JSON.stringify({ version }));
      made.push((await attestArtifact(scene.factory, { artifact, type, predicate })).bundle);
    }
    const [first, second] = made as [Digest, Digest];
    await expect(
      scene.factory.content.put(await scene.factory.content.get(second), { expected: first }),
    ).rejects.toMatchObject(refusal("STORE_BLOB_MISMATCH"));
    const index = await openIndex(scene.factory.home);
    const found = await findBundles(
      { content: scene.factory.content, runs: scene.factory.runs, index },
      artifact.digest,
      type,
    );
    index.close();
    expect(found.map((bundle) => bundle.digest)).toEqual(made);
    const { trustDomain, issuer } = await scene.factory.identity();
    for (const [i, { bytes }] of found.entries()) {
      const identity = `spiffe://${trustDomain}/attest`;
      const verified = verifyBundle(bytes, trustRoot, {
        artifact: artifact.digest,
        identity,
        issuer,
        predicateType: type,
      });
      expect(verified.statement.predicate).toEqual({ version: i + 1 });
    }
  },
);

test.skipIf(!canBuild)(
  "RA-DOC-07: all documents are reached from the artifact's digest, and an orphan is reported",
  async () => {
    const found = await gatherEvidence(scene.factory, artifactOf(run));
    const chain = verifyRun(
      found.bundles.map((bundle) => bundle.bytes),
      trustRoot,
      expected,
    );
    const theirs = await scene.factory.runs.get(found.run.id);
    expect(new Set(chain.statements.map((each) => each.digest))).toEqual(
      new Set([...theirs.bundles.map((row) => row.digest), ...theirs.artifacts.flatMap((row) => row.bundles)]),
    );
    expect(chain.unlisted).toEqual([]);
    const { bundle } = await attestArtifact(scene.factory, {
      artifact: { digest: sha256("something else") },
      type: "https://example.org/orphan/v1",
      predicate: Buffer.from("{}"),
    });
    const more = [...bundles(), await scene.factory.content.get(bundle)];
    expect(verifyRun(more, trustRoot, expected).unlisted).toEqual([bundle]);
  },
);
