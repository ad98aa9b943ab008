import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { inChunks, putBlob, putImage, readBlob, sampleManifest } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { backendVictim, codeOf } from "./backend-scene.ts";

const anywhere = { offset: undefined, maxBytes: 1024 };

test("attack: a blob or manifest of a repository is read through another one", async () => {
  const { backend } = await backendVictim();
  const { manifest, layer, config } = await putImage(backend, "team/secret", "one", "latest");
  for (const other of ["team", "team/secret2", "team/secret/x", "other", "", "team/secret ", "TEAM/SECRET", "team/%"]) {
    for (const digest of [layer, config, manifest.digest]) {
      expect(await backend.blobs.open(other, digest)).toBeUndefined();
      expect(await backend.manifests.get(other, digest)).toBeUndefined();
      expect(await backend.blobs.mount(digest, other, "mine")).toBe(false);
    }
    expect(await backend.tags.resolve(other, "latest")).toBeUndefined();
    expect(await backend.tags.list(other, { limit: 10 })).toBeUndefined();
    expect(await backend.manifests.referrers(other, manifest.digest, { limit: 10 })).toEqual([]);
  }
  // To know the digest of a secret layer is not to have it: pushing a manifest that names it shows nothing of it.
  await backend.manifests.put("mine", sampleManifest({ config, layers: [layer] }));
  expect(await backend.blobs.open("mine", layer)).toBeUndefined();
  // A manifest's digest is no blob, and a blob's digest no manifest.
  expect(await backend.blobs.open("team/secret", manifest.digest)).toBeUndefined();
  expect(await backend.manifests.get("team/secret", layer)).toBeUndefined();
});

test("attack: ids of uploads and names of repositories lead out of the directory", async () => {
  const { backend, directory, home } = await backendVictim();
  const evil = ["../../../evil", "..", ".", "/etc/passwd", "a\0b", "x/../../y", "%2e%2e", `${"a/".repeat(300)}b`, ""];
  for (const name of evil) {
    const id = await backend.uploads.begin(name);
    await backend.uploads.append(name, id, anywhere, inChunks("x"));
    expect(await codeOf(backend.uploads.finish("other", id, sha256("x")))).toBe("REGISTRY_UPLOAD_UNKNOWN");
    await backend.uploads.cancel(name, id);
    expect(await codeOf(backend.uploads.append("a", name, anywhere, inChunks("x")))).toBe("REGISTRY_UPLOAD_UNKNOWN");
    expect(await backend.uploads.received("a", name)).toBeUndefined();
    expect(await codeOf(backend.uploads.cancel("a", name))).toBe("no error");
  }
  expect(readdirSync(directory)).toEqual(["home"]);
  expect(existsSync(join(home.path, "evil"))).toBe(false);
  expect(readdirSync(join(home.paths.registry)).filter((name) => !name.startsWith("registry.db"))).toEqual(["uploads"]);
});

test("attack: digests that are none reach for other files", async () => {
  const { backend } = await backendVictim();
  await putBlob(backend, "a", "x");
  for (const evil of ["sha256:../../identity/root", "sha256:", "../x", `sha256:${"A".repeat(64)}`, "' OR 1 = 1 --"]) {
    const digest = evil as Digest;
    expect(await backend.blobs.open("a", digest)).toBeUndefined();
    expect(await backend.manifests.get("a", digest)).toBeUndefined();
    expect(await codeOf(backend.blobs.mount(digest, "a", "b"))).not.toBe(true);
    expect(await codeOf(backend.uploads.put("a", digest, 10, inChunks("x")))).toBe("REGISTRY_DIGEST_MISMATCH");
  }
});

test("attack: two clients race for one upload, so that hashed and stored bytes differ", async () => {
  const { backend } = await backendVictim();
  const [good, evil] = ["struck in pewter", "STRUCK IN LEAD!!"];
  const id = await backend.uploads.begin("a");
  const writers = [good, evil].map((text) =>
    codeOf(backend.uploads.append("a", id, { offset: 0, maxBytes: 100 }, inChunks(text, 16))),
  );
  const codes = await Promise.all(writers);
  expect(codes.sort()).toEqual(["REGISTRY_UPLOAD_BUSY", "no error"]);
  // Whoever was first: what is stored under a digest has it.
  const ends = await Promise.all([good, evil].map((text) => codeOf(backend.uploads.finish("a", id, sha256(text)))));
  expect(ends).toContain("REGISTRY_UPLOAD_BUSY");
  for (const text of [good, evil]) {
    const found = await readBlob(backend, "a", sha256(text));
    if (found !== undefined) expect(found.toString()).toBe(text);
  }
});

test("attack: an upload is finished twice at once, and once more under another digest", async () => {
  const { backend } = await backendVictim();
  const id = await backend.uploads.begin("a");
  await backend.uploads.append("a", id, anywhere, inChunks("x"));
  const ends = await Promise.all([1, 2, 3].map(() => codeOf(backend.uploads.finish("a", id, sha256("x")))));
  expect(ends.filter((code) => code === "no error").length).toBe(1);
  expect(await codeOf(backend.uploads.finish("a", id, sha256("y")))).toBe("REGISTRY_UPLOAD_UNKNOWN");
});

test("attack: a collection is timed to take a layer between its push and its manifest", async () => {
  const { backend, clock } = await backendVictim();
  const layer = await putBlob(backend, "a", "layer");
  const config = await putBlob(backend, "a", "{}");
  clock.set(new Date(clock.now().getTime() + 3_600_000));
  await backend.collect({ untagged: true, graceSeconds: 0, dryRun: false });
  const image = sampleManifest({ config, layers: [layer] });
  // Naive: the server saw the layer a moment ago, and takes a manifest that leads nowhere.
  const put = backend.manifests.put("a", image, { name: "latest", immutable: false });
  expect(await codeOf(put)).toBe("REGISTRY_BACKEND_COLLECTED");
  expect(await backend.tags.resolve("a", "latest")).toBeUndefined();
  expect(await backend.fsck()).toEqual([]);
});

test("attack: referrers in a circle and of each other keep nothing alive, and stall nothing", async () => {
  const { backend, clock } = await backendVictim();
  const subject = sha256("a subject that never comes");
  const first = sampleManifest({ subject, word: "first" });
  const second = sampleManifest({ manifests: [first.digest], subject: first.digest });
  const third = sampleManifest({ manifests: [second.digest], subject: second.digest });
  for (const manifest of [first, second, third]) await backend.manifests.put("a", manifest);
  // A circle that no honest client can make: the first one's references are said to hold the third.
  await backend.manifests.put("a", { ...first, references: [third.digest] });
  clock.set(new Date(clock.now().getTime() + 3_600_000));
  const report = await backend.collect({ untagged: true, graceSeconds: 60, dryRun: false });
  expect(report.deletedManifests.length).toBe(3);
});

test("attack: a flood of uploads that are never finished is deleted by its age", async () => {
  const { backend, clock, home } = await backendVictim();
  for (let count = 0; count < 200; count++) {
    const id = await backend.uploads.begin("a");
    await backend.uploads.append("a", id, anywhere, inChunks("half"));
  }
  const files = () => readdirSync(join(home.paths.registry, "uploads"), { recursive: true }).length - 1;
  expect(files()).toBe(200);
  clock.set(new Date(clock.now().getTime() + 86_400_000));
  expect((await backend.collect({ untagged: false, graceSeconds: 3600, dryRun: false })).abandonedUploads).toBe(200);
  expect(files()).toBe(0);
});
