import { sha256 } from "@touchmark/core";
import {
  mintRun,
  mintWorld,
  type RunRecipe,
  type RunStatement,
  runFacts,
  trustedRootBytes,
} from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { verifyRun } from "./chain.ts";
import { readTrustRoot } from "./index.ts";

const world = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));
const builder = `spiffe://${world.trustDomain}/builder`;
const worker = sha256("worker image");
const base = sha256("base image");
const other = sha256("other");

const admitted = (digest: string, use: string, users: string[]) => ({
  ...{ reference: "factory:tools/base:latest", digest, manifest: digest, platform: "linux/amd64", use, users },
  ...{ pinned: false, vouchers: [], ancestry: [], scan: "none", insecure: false },
});

const statement = (name: string, kind: string, subject: string, predicate: unknown): RunStatement => ({
  name,
  signer: builder,
  predecessors: ["trigger", "source", "step/fetch/link", "step/build/link"],
  statement: {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name, digest: { sha256: subject.slice(7) } }],
    predicateType: `https://touchmark.dev/predicates/${kind}/v1`,
    predicate,
  },
});

const workerImages = (images: unknown[]) => statement("worker-images", "worker-images", worker, { images });
const layer = (output: string) => ({
  ...{ digest: sha256("layer"), diffId: sha256("diff"), mediaType: "application/x", step: "build", output },
  ...{ path: "app", to: "/app", compressor: "none" },
});
const assembly = (change: object = {}, part: object = {}, subject: string = runFacts.artifact) =>
  statement("image/app", "image", subject, {
    ...{ artifact: "app", digest: runFacts.artifact, format: 1, allowed: [] },
    images: [
      {
        ...{ platform: "linux/amd64", manifest: runFacts.artifact, config: sha256("config") },
        base: { reference: "registry.example/base", manifest: base, layers: 1 },
        layers: [layer(runFacts.outputs["build"] ?? "")],
        ...part,
      },
    ],
    ...change,
  });
const good = [admitted(worker, "step", ["build"]), admitted(base, "base", ["app"])];

function recipe(
  more: RunStatement[],
  { image = worker, kind = "image" }: { image?: string; kind?: string } = {},
): RunRecipe {
  return {
    more: () => more,
    change: ({ name, statement: { predicate } }) => {
      if (name === "step/build/link" && image !== "") predicate.environment.image = image;
    },
    release: (predicate) => {
      predicate.artifacts[0].kind = kind;
    },
  };
}

function verified(given: RunRecipe) {
  const run = mintRun(world, given);
  return verifyRun(run.bundles(), trustRoot, {
    ...{ artifact: run.artifact, builder: run.builder, source: run.source, now: world.at },
  });
}

test("V20: a run in an image, and an image made by it, are one chain with their images shown", () => {
  const chain = verified(recipe([workerImages(good), assembly()]));
  expect(chain.images.map(({ digest, use, users }) => ({ digest, use, users }))).toEqual([
    { digest: worker, use: "step", users: ["build"] },
    { digest: base, use: "base", users: ["app"] },
  ]);
  expect(chain.steps[1]?.image).toBe(worker);
});

test.each<[string, string, RunRecipe]>([
  ["CHAIN_IMAGE_UNKNOWN", "a step in an image that nothing admits", recipe([assembly()])],
  ["CHAIN_IMAGE_UNKNOWN", "a step in another image", recipe([workerImages(good), assembly()], { image: other })],
  [
    "CHAIN_IMAGE_UNKNOWN",
    "a step in no image where one is admitted",
    recipe([workerImages(good), assembly()], { image: "" }),
  ],
  [
    "CHAIN_IMAGE_UNKNOWN",
    "two images for one step",
    recipe([workerImages([...good, admitted(other, "step", ["build"])]), assembly()]),
  ],
  ["CHAIN_IMAGE_UNKNOWN", "a base that nothing admits", recipe([workerImages(good.slice(0, 1)), assembly()])],
  [
    "CHAIN_STATEMENT_DUPLICATE",
    "two records of images",
    recipe([workerImages(good), { ...workerImages(good), name: "again" }, assembly()]),
  ],
  ["CHAIN_IMAGE_MISMATCH", "an image that nothing describes", recipe([workerImages(good)])],
  [
    "CHAIN_IMAGE_MISMATCH",
    "an image described twice",
    recipe([workerImages(good), assembly(), { ...assembly(), name: "again" }]),
  ],
  [
    "CHAIN_IMAGE_MISMATCH",
    "a layer of another output",
    recipe([workerImages(good), assembly({}, { layers: [layer(other)] })]),
  ],
  [
    "CHAIN_IMAGE_MISMATCH",
    "an image under another name",
    recipe([workerImages(good), assembly({ artifact: "other" })]),
  ],
  ["CHAIN_IMAGE_MISMATCH", "an image of another digest", recipe([workerImages(good), assembly({ digest: other })])],
  [
    "CHAIN_PREDICATE_MALFORMED",
    "a description with another shape",
    recipe([workerImages(good), assembly({ images: 1 })]),
  ],
])("V20: %s: %s", (code, _, given) => {
  expect(() => verified(given)).toThrow(expect.objectContaining({ code }));
});
