import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { inChunks, putBlob, putImage, readBlob } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { backendVictim, codeOf } from "./backend-scene.ts";

const large = Buffer.alloc(3 * 1024 * 1024, "pewter");

test("attack: any byte of a stored layer is flipped, with size and time as before", async () => {
  const { backend, content, home } = await backendVictim();
  for (const at of [0, 1024 * 1024, large.length - 1]) {
    const digest = await putBlob(backend, "a", large);
    const path = content.path(digest);
    const altered = Buffer.from(large);
    altered[at] = (altered[at] as number) ^ 1;
    chmodSync(path, 0o600);
    writeFileSync(path, altered);
    utimesSync(path, 5, 5);
    const got: Uint8Array[] = [];
    const read = async () => {
      for await (const part of (await backend.blobs.open("a", digest))?.stream() ?? []) got.push(part);
    };
    expect(await codeOf(read())).toBe("REGISTRY_CONTENT_CORRUPT");
    // Naive: a client that does not verify has a whole layer. Here it never gets the last piece.
    expect(Buffer.concat(got).length).toBeLessThan(large.length);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(home.paths.quarantine).length).toBeGreaterThan(0);
  }
});

test("attack: the bytes of two layers are swapped", async () => {
  const { backend, content } = await backendVictim();
  const [one, two] = [await putBlob(backend, "a", "one"), await putBlob(backend, "a", "two")];
  renameSync(content.path(one), `${content.path(one)}.aside`);
  renameSync(content.path(two), content.path(one));
  renameSync(`${content.path(one)}.aside`, content.path(two));
  expect(readFileSync(content.path(one), "utf8")).toBe("two");
  for (const digest of [one, two]) {
    expect(await codeOf(readBlob(backend, "a", digest))).toBe("REGISTRY_CONTENT_CORRUPT");
  }
  expect((await backend.fsck()).map(({ code }) => code)).toEqual(["REGISTRY_FSCK_MISSING", "REGISTRY_FSCK_MISSING"]);
});

test("attack: a link is planted in the place of a layer, to a file that the server can read", async () => {
  const { backend, content, directory } = await backendVictim();
  const secret = join(directory, "secret");
  writeFileSync(secret, "what clients must not see");
  const digest = sha256("what clients must not see");
  await putBlob(backend, "a", "what clients must not see");
  renameSync(content.path(digest), join(directory, "aside"));
  symlinkSync(secret, content.path(digest));
  // Naive: the link leads to the very bytes, until its owner changes them.
  expect(readFileSync(content.path(digest), "utf8")).toBe("what clients must not see");
  const part = readBlob(backend, "a", digest, { start: 0, end: 4 });
  expect(await codeOf(part)).toBe("REGISTRY_CONTENT_CORRUPT");
  expect(await backend.blobs.open("a", digest)).toBeUndefined();
  symlinkSync(secret, content.path(digest));
  expect(await codeOf(readBlob(backend, "a", digest))).toBe("REGISTRY_CONTENT_CORRUPT");
});

test("attack: a layer grows for ever while it is read", async () => {
  const { backend, content } = await backendVictim();
  for (const text of ["small", large]) {
    const digest = await putBlob(backend, "a", text);
    chmodSync(content.path(digest), 0o600);
    writeFileSync(content.path(digest), Buffer.concat([Buffer.from(text as string), Buffer.alloc(1024)]));
    expect(await codeOf(readBlob(backend, "a", digest))).toBe("REGISTRY_CONTENT_CORRUPT");
  }
});

test("attack: the file of an upload is changed while it comes in, after its bytes were hashed", async () => {
  const { backend, home, content } = await backendVictim();
  const digest = sha256("struck in pewter");
  const id = await backend.uploads.begin("a");
  await backend.uploads.append("a", id, { offset: 0, maxBytes: 100 }, inChunks("struck in pewter"));
  const uploads = join(home.paths.registry, "uploads");
  const [file = ""] = readdirSync(uploads, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(id));
  writeFileSync(join(uploads, file), "Struck in pewter");
  await backend.uploads.finish("a", id, digest);
  // It was not read again, and it is in the store: what protects is that every reader verifies.
  expect(readFileSync(content.path(digest), "utf8")).toBe("Struck in pewter");
  expect(await codeOf(readBlob(backend, "a", digest))).toBe("REGISTRY_CONTENT_CORRUPT");
  await putBlob(backend, "a", "struck in pewter");
  expect((await readBlob(backend, "a", digest))?.toString()).toBe("struck in pewter");
});

test("attack: a manifest is changed in the database", async () => {
  const { backend, poison } = await backendVictim();
  const { manifest } = await putImage(backend, "a", "one", "latest");
  const altered = manifest.bytes.toString().replace("one", "two");
  poison("UPDATE documents SET bytes = CAST(? AS BLOB) WHERE digest = ?", altered, manifest.digest);
  expect(await codeOf(backend.manifests.get("a", manifest.digest))).toBe("REGISTRY_CONTENT_CORRUPT");
  expect((await backend.fsck()).map(({ code }) => code)).toEqual(["REGISTRY_FSCK_DAMAGED"]);
});

test("attack: a tag is turned in the database to a manifest of another repository, or to none", async () => {
  const { backend, poison } = await backendVictim();
  await putImage(backend, "a", "one", "latest");
  const { manifest } = await putImage(backend, "secret", "two", "latest");
  poison(
    "UPDATE tags SET digest = ? WHERE repository = (SELECT id FROM repositories WHERE name = 'a')",
    manifest.digest,
  );
  expect(await backend.tags.resolve("a", "latest")).toBe(manifest.digest);
  expect(await backend.manifests.get("a", manifest.digest)).toBeUndefined();
  expect((await backend.fsck()).map(({ code }) => code)).toEqual(["REGISTRY_FSCK_DANGLING"]);
});

test("attack: a row makes content of the factory readable that nobody pushed", async () => {
  const { backend, content, poison } = await backendVictim();
  const { digest } = await content.put(Buffer.from("evidence of a private run"));
  await putBlob(backend, "a", "something");
  // Naive: whatever lies in the shared store is a blob of every repository.
  expect(await content.has(digest)).toBe(true);
  expect(await backend.blobs.open("a", digest)).toBeUndefined();
  expect(await backend.blobs.mount(digest, "a", "b")).toBe(false);
  // A row with a wrong size, which would cut or stretch what is sent, is found out.
  poison("INSERT INTO blobs VALUES (1, ?, 3, 0)", digest);
  expect(await codeOf(readBlob(backend, "a", digest))).toBe("REGISTRY_CONTENT_CORRUPT");
});
