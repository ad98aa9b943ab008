import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestHex, fixedClock, sha256 } from "@touchmark/core";
import { s3RegistryBackend } from "@touchmark/registry";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { findProgram } from "../program.ts";
import { type ObjectServer, objectServerProgram, startObjectServer } from "./object-server.ts";
import { registryBackendContract } from "./registry-contract.ts";
import { codeOf } from "./registry-fixture.ts";
import { inChunks, putBlob, readBlob, sampleManifest } from "./sample-registry.ts";

let server: ObjectServer | undefined;
let count = 0;

// Skipped with the reason that the program is not installed.
describe.skipIf(findProgram(objectServerProgram) === undefined)("against a real object storage", () => {
  beforeAll(async () => {
    server = await startObjectServer();
  });
  afterAll(() => server?.close());

  registryBackendContract("s3", async () => {
    if (server === undefined) throw new TypeError("no object storage");
    const clock = fixedClock(new Date());
    const prefix = `test-${count++}`;
    const backend = await s3RegistryBackend({ ...server, prefix, clock });
    onTestFinished(() => backend.close());
    const { directory } = server;
    return {
      backend,
      clock,
      corrupt: async (digest, bytes) => {
        const content = join(directory, prefix, "content", "sha256", digestHex(digest));
        // A manifest is an object of its repository, with its bytes in it.
        const record = join(directory, prefix, "repositories", "a", "manifests", digestHex(digest));
        const path = existsSync(content) ? content : record;
        if (bytes === undefined) return rmSync(path);
        if (path === content) return writeFileSync(path, bytes);
        const text = JSON.parse(readFileSync(path, "utf8")) as object;
        return writeFileSync(path, JSON.stringify({ ...text, bytes: Buffer.from(bytes).toString("base64") }));
      },
    };
  });

  /** Two processes that share a registry. */
  const pair = async () => {
    if (server === undefined) throw new TypeError("no object storage");
    const clock = fixedClock(new Date());
    const options = { ...server, prefix: `test-${count++}`, clock };
    const both = [await s3RegistryBackend(options), await s3RegistryBackend(options)] as const;
    onTestFinished(async () => {
      for (const one of both) await one.close();
    });
    return { both, clock };
  };
  const large = Buffer.alloc(20 * 1024 * 1024 + 3, "struck in pewter");

  test("B17: s3: a blob of many parts is whole, whether its digest is known before or after", async () => {
    const { both } = await pair();
    const [one, two] = both;
    const digest = await putBlob(one, "a", large);
    expect((await readBlob(two, "a", digest))?.equals(large)).toBe(true);
    const other = Buffer.concat([large, Buffer.from("!")]);
    const id = await one.uploads.begin("b");
    await one.uploads.append("b", id, { offset: 0, maxBytes: 1e9 }, inChunks(other.subarray(0, 9_000_000), 7));
    await one.uploads.append("b", id, { offset: 9_000_000, maxBytes: 1e9 }, inChunks(other.subarray(9_000_000), 7));
    expect(await one.uploads.finish("b", id, sha256(other))).toEqual({ size: other.length });
    expect((await readBlob(two, "b", sha256(other)))?.equals(other)).toBe(true);
    expect((await readBlob(two, "b", sha256(other), { start: 9_000_000, end: 9_000_010 }))?.length).toBe(10);
    const wrong = one.uploads.put("a", sha256("another"), 1e9, inChunks(large, 9));
    expect(await codeOf(wrong)).toBe("REGISTRY_DIGEST_MISMATCH");
    expect(await two.blobs.open("a", sha256("another"))).toBeUndefined();
    expect(await one.fsck()).toEqual([]);
  });

  test("B17: s3: parts that a process left behind go by age", async () => {
    const { both, clock } = await pair();
    const [one, two] = both;
    const id = await one.uploads.begin("a");
    await one.uploads.append("a", id, { offset: 0, maxBytes: 1e9 }, inChunks(large, 9));
    const options = { untagged: true, graceSeconds: 3600, dryRun: false };
    expect((await two.collect(options)).abandonedUploads).toBe(0);
    clock.set(new Date(clock.now().getTime() + 7_200_000));
    expect((await two.collect({ ...options, dryRun: true })).abandonedUploads).toBe(1);
    expect((await two.collect(options)).abandonedUploads).toBe(1);
    expect(await codeOf(one.uploads.finish("a", id, sha256(large)))).toBe("REGISTRY_UPLOAD_UNKNOWN");
    expect(await two.blobs.open("a", sha256(large))).toBeUndefined();
  });

  test("B6: s3: of processes that set an immutable tag at once one wins", async () => {
    const { both } = await pair();
    for (let round = 0; round < 5; round++) {
      const tag = { name: `v${round}`, immutable: true };
      const all = [0, 1, 2, 3].map((at) => sampleManifest({ word: `${round} ${at}` }));
      const codes = await Promise.all(
        all.map((one, at) => codeOf((both[at % 2] ?? both[0]).manifests.put("a", one, tag))),
      );
      expect(codes.filter((code) => code === "REGISTRY_TAG_IMMUTABLE").length).toBe(3);
      expect(await both[0].tags.resolve("a", tag.name)).toBe(all[codes.indexOf("no error")]?.digest);
    }
  });
});
