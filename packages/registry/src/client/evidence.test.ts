import { mediaTypes, type OciReader } from "@touchmark/formats/oci";
import { afterEach, expect, test } from "vitest";
import { memoryRegistryBackend } from "../backends/memory.ts";
import { localRepository } from "../local-repository.ts";
import { findEvidence } from "./evidence.ts";
import { putImage, putManifest, putReferrer } from "./images.fixture.ts";
import { closeScripted, listed, repositoryAt, scriptedRegistry } from "./scripted.fixture.ts";

afterEach(closeScripted);
const local = () => localRepository(memoryRegistryBackend(), "a/b", "local");
const words = async (search: ReturnType<typeof findEvidence>) =>
  (await listed(search)).map(({ bytes }) => Buffer.from(bytes).toString()).sort();

test("C16: every bundle among the referrers is found, through a registry too", async () => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  const image = await putImage(repository);
  for (let i = 0; i < 25; i++) await putReferrer(repository, image, Buffer.from(`bundle ${i}`));
  await putReferrer(repository, image, Buffer.from("no bundle"), "application/vnd.example.other");
  const search = findEvidence(repository, image.digest);
  expect(await words(search)).toHaveLength(25);
  expect([search.skipped.size, search.ended()]).toEqual([0, undefined]);
});

test("C16: what is wrong is passed over and named; the good one is found among it", async () => {
  const from = local();
  const image = await putImage(from);
  const artifactType = mediaTypes.sigstoreBundle;
  const empty = await putManifest(from, { artifactType, layers: [], subject: image });
  const good = await putReferrer(from, image, Buffer.from("good"));
  const large = await putReferrer(from, image, Buffer.alloc(2000));
  const stranger = await putReferrer(from, await putImage(from), Buffer.from("stranger"));
  const slow = await putReferrer(from, image, Buffer.from("slow"));
  const listing: OciReader = {
    ...from,
    async *referrers(subject, options) {
      yield stranger;
      yield { ...stranger, digest: image.digest, size: 10 ** 9 };
      yield { ...stranger, digest: `sha256:${"1".repeat(64)}` };
      yield* from.referrers(subject, options);
      yield good;
    },
    manifest: async (reference) => {
      if (reference === slow.digest) await new Promise(() => {});
      return from.manifest(reference);
    },
  };
  const search = findEvidence(listing, image.digest, { maxBytes: 1000, itemMs: 2000 });
  expect(await words(search)).toEqual(["good"]);
  expect(Object.fromEntries(search.skipped)).toEqual({
    [stranger.digest]: "another-subject",
    [image.digest]: "too-large",
    [`sha256:${"1".repeat(64)}`]: "REGISTRY_CONTENT_MISSING",
    [empty.digest]: "no-bundle",
    [large.digest]: "too-large",
    [slow.digest]: "too-slow",
  });
});

test("C16: a search ends at its bounds, and says so", async () => {
  const from = local();
  const image = await putImage(from);
  for (let i = 0; i < 12; i++) await putReferrer(from, image, Buffer.from(`bundle ${i}`));
  const few = findEvidence(from, image.digest, { maxReferrers: 10 });
  expect(await words(few)).toHaveLength(10);
  expect(few.ended()).toBe("too-many-referrers");
  const small = findEvidence(from, image.digest, { maxTotalBytes: 30 });
  expect((await words(small)).length).toBeLessThan(4);
  expect([...small.skipped.values()]).toContain("too-many-bytes");
  const stalling: OciReader = {
    ...from,
    async *referrers(subject) {
      yield* from.referrers(subject);
      await new Promise(() => {});
    },
  };
  const patient = findEvidence(stalling, image.digest, { deadlineMs: 2000, atOnce: 2 });
  expect(await words(patient)).not.toHaveLength(0);
  expect(patient.ended()).toBe("deadline");
  const stuck: OciReader = { ...from, manifest: () => new Promise(() => {}) };
  const held = findEvidence(stuck, image.digest, { deadlineMs: 100 });
  expect(await words(held)).toEqual([]);
  expect(held.ended()).toBe("deadline");
  expect(new Set(held.skipped.values())).toEqual(new Set(["too-slow"]));
});
