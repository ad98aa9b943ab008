import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { type Digest, sha256 } from "@touchmark/core";
import { mediaTypes } from "@touchmark/formats/oci";
import { backup, openContentStore, openHome, openRunStore, openTreeStore, prune, restore } from "@touchmark/store";
import { expect, test } from "vitest";
import { fileRegistryBackend } from "./file-registry.ts";
import { chunksOf, codeOf, registryHome } from "./home.fixture.ts";

const scenario = fileURLToPath(new URL("../crash/scenario.ts", import.meta.url));
const anywhere = { offset: undefined, maxBytes: 1024 };

function manifest(word: string, references: readonly Digest[] = []) {
  const mediaType = mediaTypes.manifest;
  const bytes = Buffer.from(JSON.stringify({ word, references }));
  const digest = sha256(bytes);
  return { digest, mediaType, bytes, references, shown: { mediaType, digest, size: bytes.length } };
}

test("B3: an upload goes on after a restart, from the byte where it stood", async () => {
  const { backend, open } = await registryHome();
  const id = await backend.uploads.begin("a");
  const idle = await backend.uploads.begin("a");
  await backend.uploads.append("a", id, anywhere, chunksOf("struck in "));
  await backend.close();
  const next = open();
  expect(await next.uploads.received("b", id)).toBeUndefined();
  expect([await next.uploads.received("a", id), await next.uploads.received("a", idle)]).toEqual([10, 0]);
  await next.uploads.append("a", id, { offset: 10, maxBytes: 100 }, chunksOf("pewter"));
  expect(await next.uploads.finish("a", id, sha256("struck in pewter"))).toEqual({ size: 16 });
  expect(await next.uploads.cancel("a", idle)).toBe(true);
});

test("B15: an upload is written by the process that began it, while that lives", async () => {
  const { backend, open, home } = await registryHome();
  const other = open();
  const id = await backend.uploads.begin("a");
  await backend.uploads.append("a", id, anywhere, chunksOf("struck"));
  expect(await other.uploads.received("a", id)).toBe(6);
  expect(await codeOf(other.uploads.append("a", id, anywhere, chunksOf("x")))).toBe("REGISTRY_UPLOAD_BUSY");
  expect(await codeOf(other.uploads.finish("a", id, sha256("struck")))).toBe("REGISTRY_UPLOAD_BUSY");
  expect(await backend.uploads.finish("a", id, sha256("struck"))).toEqual({ size: 6 });
  await backend.close();
  await other.close();
  // Directories of processes that are no more go with what was in them.
  const last = open();
  await last.collect({ untagged: true, graceSeconds: 0, dryRun: false });
  expect(readdirSync(join(home.paths.registry, "uploads")).length).toBe(1);
});

test("B15: processes that push one image at once all succeed, and store it once", { timeout: 120_000 }, async () => {
  const { backend, home, content } = await registryHome();
  const push = async () => {
    const child = spawn(process.execPath, [scenario, "push", home.path], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    await once(child, "close");
    return output.trim().split("\n").at(-1);
  };
  expect(await Promise.all(Array.from({ length: 4 }, push))).toEqual(Array(4).fill("done"));
  expect(await backend.repositories({ limit: 10 })).toEqual(["a", "b"]);
  expect(await backend.fsck()).toEqual([]);
  let count = 0;
  for await (const _ of content.list()) count++;
  expect(count).toBe(2);
});

test("B5: a tag to what is not there is refused, and no repository comes of it", async () => {
  const { backend } = await registryHome();
  const set = backend.tags.set("a", "latest", sha256("nothing"), false);
  expect(await codeOf(set)).toBe("REGISTRY_BACKEND_TARGET_MISSING");
  expect(await backend.repositories({ limit: 10 })).toEqual([]);
});

test("B6: of processes that set an immutable tag at once one wins", async () => {
  const { backend, open } = await registryHome();
  const all = [backend, open(), open(), open()];
  const codes = await Promise.all(
    all.map((one, at) => codeOf(one.manifests.put("a", manifest(`${at}`), { name: "v1", immutable: true }))),
  );
  expect(codes.filter((code) => code === "REGISTRY_TAG_IMMUTABLE").length).toBe(3);
});

test("B11: who refers to what was collected just now is told to push it again", async () => {
  const { backend, clock } = await registryHome();
  const layer = sha256("layer");
  await backend.uploads.put("a", layer, 100, chunksOf("layer"));
  const image = manifest("image", [layer]);
  // The client saw the layer there, and so did the server.
  expect((await backend.blobs.open("a", layer))?.size).toBe(5);
  clock.set(new Date(clock.now().getTime() + 3_600_000));
  expect((await backend.collect({ untagged: true, graceSeconds: 60, dryRun: false })).deletedBlobs).toEqual([layer]);
  const tag = { name: "latest", immutable: false };
  expect(await codeOf(backend.manifests.put("a", image, tag))).toBe("REGISTRY_BACKEND_COLLECTED");
  expect(await backend.tags.resolve("a", "latest")).toBeUndefined();
  await backend.uploads.put("a", layer, 100, chunksOf("layer"));
  await backend.manifests.put("a", image, tag);
  expect(await backend.fsck()).toEqual([]);
});

test("B16: what runs refer to survives a collection, what the registry has survives a prune", async () => {
  const { backend, home, content, clock } = await registryHome();
  const trees = await openTreeStore(home);
  const runs = openRunStore(home);
  const artifact = sha256("artifact");
  const layer = sha256("layer");
  await content.put(Buffer.from("artifact"));
  const run = await runs.create({ project: "p", pipeline: "default" });
  const row = { name: "a.tgz", kind: "file", digest: artifact, size: 8, bundles: [] };
  await run.finish("succeeded", { artifacts: [row] });
  for (const text of ["artifact", "layer"]) await backend.uploads.put("a", sha256(text), 100, chunksOf(text));
  await backend.manifests.put("a", manifest("image", [artifact, layer]), { name: "latest", immutable: false });
  clock.set(new Date(clock.now().getTime() + 7 * 86_400_000));
  expect((await prune({ home, content, trees, runs }, { clock })).blobs).toEqual([]);
  await backend.tags.delete("a", "latest");
  const report = await backend.collect({ untagged: true, graceSeconds: 60, dryRun: false });
  expect(report.deletedBlobs).toEqual([layer, manifest("image", [artifact, layer]).digest].sort());
  expect([await content.has(artifact), await content.has(layer)]).toEqual([true, false]);
  expect(await backend.repositories({ limit: 10 })).toEqual([]);
});

test("B16: content is stored once for factory and registry, and comes back from a backup with both", async () => {
  const { backend, home, content, directory } = await registryHome();
  await content.put(Buffer.from("layer"));
  await backend.uploads.put("a", sha256("layer"), 100, chunksOf("layer"));
  let count = 0;
  for await (const _ of content.list()) count++;
  expect(count).toBe(1);
  const image = manifest("image", [sha256("layer")]);
  await backend.manifests.put("a", image, { name: "latest", immutable: false });
  const { file } = await backup(home, join(directory, "backup.tar"));
  await restore(file, join(directory, "other"));
  const other = await openHome(join(directory, "other"));
  const restored = fileRegistryBackend({ home: other, content: await openContentStore(other) });
  expect(await restored.tags.resolve("a", "latest")).toBe(image.digest);
  expect(await restored.fsck()).toEqual([]);
  expect(await restored.uploads.put("a", sha256("x"), 10, chunksOf("x"))).toEqual({ size: 1 });
  await restored.close();
  await other.close();
});

test("B16: a database that is damaged, newer, or has tables of another hand is refused", async () => {
  const { backend, home, open } = await registryHome();
  await backend.close();
  const path = join(home.paths.registry, "registry.db");
  const alter = (sql: string) => {
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
  };
  for (const [change, undo] of [
    ["PRAGMA user_version = 9", "PRAGMA user_version = 1"],
    ["CREATE TRIGGER t AFTER INSERT ON tags BEGIN DELETE FROM tags; END", "DROP TRIGGER t"],
    ["DROP VIEW content; CREATE VIEW content (digest) AS SELECT 'x'", "DROP VIEW content"],
  ] as const) {
    alter(change);
    expect([change, await codeOf(open)]).toEqual([change, "REGISTRY_BACKEND_DATABASE_FOREIGN"]);
    alter(undo);
  }
  writeFileSync(path, "no database at all ".repeat(100));
  expect(await codeOf(open)).toBe("REGISTRY_BACKEND_DATABASE_FOREIGN");
});
