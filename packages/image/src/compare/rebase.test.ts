import { expect, test } from "vitest";
import { readImage } from "../assemble/image-base.ts";
import { sampleFile, sampleImage } from "../assemble/sample-image.fixture.ts";
import { checkRebase, findRecordedBase, recordedBase } from "./rebase.ts";

const linux = { os: "linux", architecture: "amd64" };

async function scene() {
  const old = await sampleImage({ layers: [{ files: [sampleFile("/lib/one")] }] });
  const { images } = old;
  const next = await sampleImage(
    { layers: [{ files: [sampleFile("/lib/two")] }], environment: { A: "1" } },
    { out: images },
  );
  const image = await sampleImage(
    { base: { name: "registry.example/base:1", digest: old.descriptor.digest } },
    { base: images },
  );
  const read = (digest: string) => readImage(images, digest);
  return { images, old, next, documents: await read(image.descriptor.digest), read };
}

test("I14: an image says what it stands on, and that is compared with what is there now", async () => {
  const { images, old, next, documents, read } = await scene();
  const recorded = recordedBase(documents);
  expect(recorded).toEqual({ name: "registry.example/base:1", digest: old.descriptor.digest });
  const before = await findRecordedBase(images, recorded.digest, linux);
  const same = await checkRebase(documents, {
    recorded,
    old: before,
    now: await read(old.descriptor.digest),
    nowDigest: old.descriptor.digest,
  });
  expect(same).toMatchObject({ isCurrent: true, isPossible: true, reasons: [], baseLayers: 1, ownLayers: 1 });
  const newer = await checkRebase(documents, {
    recorded,
    old: before,
    now: await read(next.descriptor.digest),
    nowDigest: next.descriptor.digest,
  });
  expect(newer).toMatchObject({ isCurrent: false, isPossible: true, newBase: next.descriptor.digest });
  expect(newer.reasons).toEqual(["the base's configuration changed: Env"]);
});

test("I14: why an image cannot be put on another base is said", async () => {
  const { images, old, next, documents, read } = await scene();
  const arm = await sampleImage({ platform: { os: "linux", architecture: "arm64" } }, { out: images });
  const now = { now: await read(next.descriptor.digest), nowDigest: next.descriptor.digest };
  const reasons = async (bases: Parameters<typeof checkRebase>[1]) => {
    const check = await checkRebase(documents, bases);
    expect(check.isPossible).toBe(false);
    return check.reasons.join();
  };
  const recorded = recordedBase(documents);
  expect(await reasons({ recorded: {}, old: undefined, ...now })).toContain("does not say");
  const gone = await findRecordedBase(images, `sha256:${"0".repeat(64)}`, linux);
  expect(await reasons({ recorded, old: gone, ...now })).toContain("no longer there");
  expect(await findRecordedBase(images, undefined, linux)).toBeUndefined();
  expect(await reasons({ recorded, old: await read(next.descriptor.digest), ...now })).toContain("squashed");
  const other = { now: await read(arm.descriptor.digest), nowDigest: arm.descriptor.digest };
  expect(await reasons({ recorded, old: await read(old.descriptor.digest), ...other })).toContain("linux/arm64");
});
