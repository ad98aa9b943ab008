import { type Digest, sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { codeOf, type RegistryBackendFixture } from "./registry-fixture.ts";
import { putBlob, putImage, sampleManifest } from "./sample-registry.ts";

/** Manifests, tags and lists of a backend (registry SPEC B5-B8). */
export function manifestContract(name: string, make: () => Promise<RegistryBackendFixture>): void {
  const resolved = async (backend: RegistryBackendFixture["backend"], ...tags: string[]) =>
    Promise.all(tags.map((tag) => backend.tags.resolve("a", tag)));

  test(`B5: ${name}: a manifest is found by digest and by tag, in its repository only`, async () => {
    const { backend } = await make();
    const { manifest } = await putImage(backend, "a", "one", "latest");
    const found = await backend.manifests.get("a", manifest.digest);
    expect([found?.mediaType, Buffer.from(found?.bytes ?? [])]).toEqual([manifest.mediaType, manifest.bytes]);
    expect(await resolved(backend, "latest", "other")).toEqual([manifest.digest, undefined]);
    expect(await backend.manifests.get("b", manifest.digest)).toBeUndefined();
    expect(await backend.tags.resolve("b", "latest")).toBeUndefined();
    expect(await backend.manifests.get("a", sha256("another"))).toBeUndefined();
    await backend.manifests.put("b", manifest);
    expect((await backend.manifests.get("b", manifest.digest))?.mediaType).toBe(manifest.mediaType);
    expect(await backend.tags.resolve("b", "latest")).toBeUndefined();
    const lying = { ...manifest, digest: sha256("another") };
    expect(await codeOf(backend.manifests.put("a", lying))).toBe("REGISTRY_DIGEST_MISMATCH");
    expect(await backend.manifests.get("a", lying.digest)).toBeUndefined();
  });

  test(`B5: ${name}: a tag moves, goes alone, and goes with its manifest`, async () => {
    const { backend } = await make();
    const one = (await putImage(backend, "a", "one", "latest")).manifest.digest;
    const two = (await putImage(backend, "a", "two", "latest")).manifest.digest;
    expect(await resolved(backend, "latest")).toEqual([two]);
    await backend.tags.set("a", "latest", one, false);
    await backend.tags.set("a", "old", one, false);
    await backend.tags.set("a", "new", two, false);
    expect(await resolved(backend, "latest", "old", "new")).toEqual([one, one, two]);
    expect([await backend.tags.delete("a", "old"), await backend.tags.delete("a", "old")]).toEqual([true, false]);
    expect(await backend.manifests.delete("b", one)).toBe(false);
    expect([await backend.manifests.delete("a", one), await backend.manifests.delete("a", one)]).toEqual([true, false]);
    expect(await resolved(backend, "latest", "old", "new")).toEqual([undefined, undefined, two]);
    expect(await backend.manifests.get("a", one)).toBeUndefined();
    expect(await backend.tags.list("a", { limit: 10 })).toEqual(["new"]);
  });

  test(`B5: ${name}: a tag points to nothing that its repository does not have`, async () => {
    const { backend } = await make();
    const { manifest, layer } = await putImage(backend, "a", "one");
    const set = (repository: string, digest: Digest) => codeOf(backend.tags.set(repository, "latest", digest, false));
    expect(await set("a", sha256("another"))).toBe("REGISTRY_BACKEND_TARGET_MISSING");
    expect(await set("b", manifest.digest)).toBe("REGISTRY_BACKEND_TARGET_MISSING");
    expect(await set("a", layer)).toBe("REGISTRY_BACKEND_TARGET_MISSING");
    expect(await resolved(backend, "latest")).toEqual([undefined]);
  });

  test(`B6: ${name}: an immutable tag keeps its digest, and what came with another is not stored`, async () => {
    const { backend } = await make();
    const one = sampleManifest({ word: "one" });
    const two = sampleManifest({ word: "two" });
    const tag = { name: "v1", immutable: true };
    await backend.manifests.put("a", one, tag);
    await backend.manifests.put("a", one, tag);
    expect(await codeOf(backend.manifests.put("a", two, tag))).toBe("REGISTRY_TAG_IMMUTABLE");
    expect(await backend.manifests.get("a", two.digest)).toBeUndefined();
    await backend.manifests.put("a", two);
    expect(await codeOf(backend.tags.set("a", "v1", two.digest, true))).toBe("REGISTRY_TAG_IMMUTABLE");
    await backend.tags.set("a", "v1", one.digest, true);
    expect(await resolved(backend, "v1")).toEqual([one.digest]);
    await backend.tags.set("a", "v1", two.digest, false);
    expect(await resolved(backend, "v1")).toEqual([two.digest]);
  });

  test(`B6: ${name}: of many who set an immutable tag at once one wins`, async () => {
    const { backend } = await make();
    const all = Array.from({ length: 8 }, (_, at) => sampleManifest({ word: `${at}` }));
    const codes = await Promise.all(
      all.map((one) => codeOf(backend.manifests.put("a", one, { name: "v1", immutable: true }))),
    );
    expect(codes.filter((code) => code === "no error").length).toBe(1);
    expect(codes.filter((code) => code === "REGISTRY_TAG_IMMUTABLE").length).toBe(7);
    const [winner] = await resolved(backend, "v1");
    expect(winner).toBe(all[codes.indexOf("no error")]?.digest);
  });

  test(`B7: ${name}: referrers are listed by subject in order of digests, filtered and in pages`, async () => {
    const { backend } = await make();
    const subject = sha256("a subject that is not there");
    const all = Array.from({ length: 9 }, (_, at) =>
      sampleManifest({ subject, word: `${at}`, artifactType: at % 3 === 0 ? "application/x" : "application/y" }),
    );
    await Promise.all(all.map((one) => backend.manifests.put("a", one)));
    await backend.manifests.put("a", sampleManifest({ subject: sha256("another"), artifactType: "application/x" }));
    await backend.manifests.put("b", sampleManifest({ subject, word: "elsewhere" }));
    const digests = all.map((one) => one.digest).sort();
    const list = async (options: { artifactType?: string; after?: Digest; limit: number }) =>
      (await backend.manifests.referrers("a", subject, options)).map((one) => one.digest);
    expect(await list({ limit: 100 })).toEqual(digests);
    const [first] = await backend.manifests.referrers("a", subject, { limit: 1 });
    expect(first).toEqual(all.find((one) => one.digest === digests[0])?.shown);
    expect(await list({ limit: 4, after: digests[3] as Digest })).toEqual(digests.slice(4, 8));
    expect((await list({ artifactType: "application/x", limit: 100 })).length).toBe(3);
    expect((await list({ artifactType: "application/x", limit: 2 })).length).toBe(2);
    expect(await list({ artifactType: "application/z", limit: 100 })).toEqual([]);
    await backend.manifests.delete("a", digests[0] as Digest);
    expect(await list({ limit: 100 })).toEqual(digests.slice(1));
    expect(await backend.manifests.referrers("c", subject, { limit: 100 })).toEqual([]);
  });

  test(`B8: ${name}: repositories and tags are listed in byte order and in pages`, async () => {
    const { backend } = await make();
    expect(await backend.tags.list("a", { limit: 10 })).toBeUndefined();
    const names = ["b", "a", "a/b", "a-b", "a.b", "a0", "z__z"];
    for (const one of names) await putBlob(backend, one, "content");
    const sorted = [...names].sort();
    expect(await backend.repositories({ limit: 100 })).toEqual(sorted);
    expect(await backend.repositories({ limit: 2, after: sorted[1] as string })).toEqual(sorted.slice(2, 4));
    expect(await backend.repositories({ limit: 2, after: "a/a" })).toEqual(["a/b", "a0"]);
    expect(await backend.tags.list("a", { limit: 10 })).toEqual([]);
    const { manifest } = await putImage(backend, "a", "one");
    const tags = ["v1", "V1", "_", "v1.0", "v1-0", "0"];
    for (const tag of tags) await backend.tags.set("a", tag, manifest.digest, false);
    expect(await backend.tags.list("a", { limit: 100 })).toEqual([...tags].sort());
    expect(await backend.tags.list("a", { limit: 3, after: "_" })).toEqual(["v1", "v1-0", "v1.0"]);
    expect(await backend.tags.list("c", { limit: 10 })).toBeUndefined();
  });

  test(`B8: ${name}: what a repository uses is counted, each content once`, async () => {
    const { backend } = await make();
    expect(await backend.usage("a")).toEqual({ bytes: 0, manifests: 0, tags: 0 });
    const { manifest } = await putImage(backend, "a", "one", "latest");
    await putImage(backend, "a", "one", "same");
    const bytes = '{"word":"one"}'.length + "layer one".length + manifest.bytes.length;
    expect(await backend.usage("a")).toEqual({ bytes, manifests: 1, tags: 2 });
    expect(await backend.usage("b")).toEqual({ bytes: 0, manifests: 0, tags: 0 });
    await backend.manifests.delete("a", manifest.digest);
    expect(await backend.usage("a")).toEqual({ bytes: bytes - manifest.bytes.length, manifests: 0, tags: 0 });
  });
}
