import { type Digest, sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import type { RegistryBackendFixture } from "./registry-fixture.ts";
import { inChunks, putBlob, putImage, readBlob, sampleManifest } from "./sample-registry.ts";

const DAY = 86_400;

/** Collection and check of a backend (registry SPEC B10, B12). */
export function collectContract(name: string, make: () => Promise<RegistryBackendFixture>): void {
  /** Everything put so far is old. */
  const age = ({ clock }: RegistryBackendFixture) => clock.set(new Date(clock.now().getTime() + 2 * DAY * 1000));
  const options = { untagged: true, graceSeconds: DAY, dryRun: false };

  test(`B10: ${name}: tagged manifests stay with what they reference, and referrers of what stays with theirs`, async () => {
    const fixture = await make();
    const { backend } = fixture;
    const one = await putImage(backend, "a", "one");
    const two = await putImage(backend, "a", "two");
    const gone = await putImage(backend, "a", "gone");
    const index = sampleManifest({ manifests: [one.manifest.digest] });
    await backend.manifests.put("a", index, { name: "latest", immutable: false });
    const bundle = await putBlob(backend, "a", "bundle");
    const referrer = sampleManifest({ subject: one.manifest.digest, layers: [bundle], config: one.config });
    const second = sampleManifest({ subject: referrer.digest, config: one.config, word: "of the referrer" });
    const ofGone = sampleManifest({ subject: gone.manifest.digest, word: "of what goes" });
    for (const manifest of [referrer, second, ofGone]) await backend.manifests.put("a", manifest);
    age(fixture);
    const expected = [two.manifest, gone.manifest, ofGone].map((manifest) => manifest.digest).sort();
    const dry = await backend.collect({ ...options, dryRun: true });
    expect(dry.deletedManifests.map(({ digest }) => digest).sort()).toEqual(expected);
    expect((await backend.manifests.get("a", gone.manifest.digest))?.mediaType).toBe(gone.manifest.mediaType);
    const report = await backend.collect(options);
    expect(report).toEqual(dry);
    const blobs = [two.config, two.layer, gone.config, gone.layer, ...expected].sort();
    expect([...report.deletedBlobs].sort()).toEqual(blobs);
    expect(report.freedBytes).toBeGreaterThan(100);
    for (const digest of [one.manifest.digest, index.digest, referrer.digest, second.digest]) {
      expect(await backend.manifests.get("a", digest)).toBeDefined();
    }
    for (const digest of [one.config, one.layer, bundle]) expect(await readBlob(backend, "a", digest)).toBeDefined();
    for (const digest of [gone.layer, two.config]) expect(await backend.blobs.open("a", digest)).toBeUndefined();
    expect((await backend.collect(options)).deletedBlobs).toEqual([]);
    expect(await backend.fsck()).toEqual([]);
  });

  test(`B10: ${name}: without \`untagged\` manifests stay; blobs that no manifest references go`, async () => {
    const fixture = await make();
    const { backend } = fixture;
    const one = await putImage(backend, "a", "one");
    const loose = await putBlob(backend, "a", "loose");
    age(fixture);
    const report = await backend.collect({ ...options, untagged: false });
    expect([report.deletedManifests, report.deletedBlobs]).toEqual([[], [loose]]);
    expect(await backend.blobs.open("a", loose)).toBeUndefined();
    expect(await readBlob(backend, "a", one.layer)).toBeDefined();
  });

  test(`B10: ${name}: nothing younger than the grace goes, and what is used again is young again`, async () => {
    const fixture = await make();
    const { backend } = fixture;
    const old = await putImage(backend, "a", "old");
    const mounted = await putBlob(backend, "a", "mounted again");
    age(fixture);
    await putBlob(backend, "a", "layer old");
    expect(await backend.blobs.mount(mounted, "a", "b")).toBe(true);
    const fresh = await putImage(backend, "a", "fresh");
    const report = await backend.collect(options);
    expect(report.deletedManifests).toEqual([{ repository: "a", digest: old.manifest.digest }]);
    expect([...report.deletedBlobs].sort()).toEqual([old.config, old.manifest.digest].sort());
    expect(await readBlob(backend, "a", old.layer)).toBeDefined();
    expect(await readBlob(backend, "b", mounted)).toBeDefined();
    expect(await backend.manifests.get("a", fresh.manifest.digest)).toBeDefined();
  });

  test(`B10: ${name}: content that another repository has stays`, async () => {
    const fixture = await make();
    const { backend } = fixture;
    const kept = await putImage(backend, "a", "one", "latest");
    const other = await putImage(backend, "b", "one");
    await putBlob(backend, "b", "only b's");
    age(fixture);
    const report = await backend.collect(options);
    expect(report.deletedManifests).toEqual([{ repository: "b", digest: other.manifest.digest }]);
    expect(report.deletedBlobs).toEqual([sha256("only b's")]);
    expect(await readBlob(backend, "a", kept.layer)).toBeDefined();
    expect(await backend.blobs.open("b", kept.layer)).toBeUndefined();
    expect(await backend.repositories({ limit: 10 })).toEqual(["a"]);
  });

  test(`B10: ${name}: abandoned uploads go by age`, async () => {
    const fixture = await make();
    const { backend } = fixture;
    const old = await backend.uploads.begin("a");
    await backend.uploads.append("a", old, { offset: 0, maxBytes: 100 }, inChunks("half"));
    age(fixture);
    const fresh = await backend.uploads.begin("a");
    expect((await backend.collect({ ...options, dryRun: true })).abandonedUploads).toBe(1);
    expect(await backend.uploads.received("a", old)).toBe(4);
    expect((await backend.collect(options)).abandonedUploads).toBe(1);
    expect(await backend.uploads.received("a", old)).toBeUndefined();
    expect(await backend.uploads.received("a", fresh)).toBe(0);
  });

  test(`B12: ${name}: the check names what is damaged, what is missing, and what leads nowhere`, async () => {
    const fixture = await make();
    const { backend, corrupt } = fixture;
    const one = await putImage(backend, "a", "one", "latest");
    const two = await putImage(backend, "a", "two", "other");
    await putImage(backend, "b", "three", "fine");
    // A platform of an index that was never pushed is allowed, and is no finding; nor is a subject that is not there.
    const sparse = sampleManifest({ manifests: [sha256("another platform")], subject: sha256("nothing") });
    await backend.manifests.put("a", sparse);
    expect(await backend.fsck()).toEqual([]);
    await corrupt(one.layer, Buffer.from("Layer one"));
    await corrupt(two.config, undefined);
    await corrupt(two.manifest.digest, Buffer.from("{}"));
    await backend.blobs.delete("a", two.layer);
    const found = await backend.fsck();
    const about = (digest: Digest) => found.filter(({ message }) => message.includes(digest)).map(({ code }) => code);
    expect(about(one.layer)).toEqual(["REGISTRY_FSCK_DAMAGED"]);
    expect(about(two.config)).toEqual(["REGISTRY_FSCK_MISSING"]);
    expect(about(two.layer)).toEqual(["REGISTRY_FSCK_DANGLING"]);
    expect(found.map(({ code }) => code).sort()).toEqual([
      "REGISTRY_FSCK_DAMAGED",
      "REGISTRY_FSCK_DAMAGED",
      "REGISTRY_FSCK_DANGLING",
      "REGISTRY_FSCK_MISSING",
    ]);
  });
}
