import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { deleteIndex, findBundles, openContentStore, openIndex, openRunStore } from "@touchmark/store";
import { expect, test } from "vitest";
import { codeOf, freshDirectory, freshHome } from "./fixture.ts";

const bytes = Buffer.from("the artifact that was reviewed");

async function stored() {
  const home = await freshHome();
  const content = await openContentStore(home);
  const { digest } = await content.put(bytes);
  return { home, content, digest, path: content.path(digest) };
}

test("attack: one bit of a stored blob is flipped", async () => {
  const { content, digest, path } = await stored();
  const flipped = Buffer.from(bytes);
  flipped[0] = (flipped[0] as number) ^ 1;
  chmodSync(path, 0o600);
  writeFileSync(path, flipped);
  // Naive: a file named by its digest is read as if the name proved anything.
  expect(readFileSync(path)).toEqual(flipped);
  expect(await codeOf(content.get(digest))).toBe("STORE_BLOB_CORRUPT");
  expect(await content.has(digest)).toBe(false);
});

test("attack: a stored blob is truncated", async () => {
  const { content, digest, path } = await stored();
  chmodSync(path, 0o600);
  truncateSync(path, 5);
  expect(readFileSync(path, "utf8")).toBe("the a");
  expect(await codeOf(content.get(digest))).toBe("STORE_BLOB_CORRUPT");
});

test("attack: a stored blob is replaced by a symbolic link to a file that still has its bytes", async () => {
  const { content, digest, path } = await stored();
  const elsewhere = join(freshDirectory(), "mine");
  writeFileSync(elsewhere, bytes);
  rmSync(path);
  symlinkSync(elsewhere, path);
  // Naive: hashing through the link finds the right bytes, which their owner changes a moment later.
  expect(sha256(readFileSync(path))).toBe(digest);
  expect(await codeOf(content.get(digest))).toBe("STORE_BLOB_CORRUPT");
  expect(await content.has(digest)).toBe(false);
  expect(existsSync(elsewhere)).toBe(true);
});

test("attack: content is delivered under the digest of other content", async () => {
  const { content } = await stored();
  const expected = sha256("the artifact that was asked for");
  // Naive: the name that came with it is believed.
  expect(sha256(bytes)).not.toBe(expected);
  expect(await codeOf(content.put(bytes, { expected }))).toBe("STORE_BLOB_MISMATCH");
});

test("attack: a blob is larger than its reader can hold", async () => {
  const { content } = await stored();
  const { digest } = await content.put(Buffer.alloc(2_000_000));
  expect(readFileSync(content.path(digest)).length).toBe(2_000_000);
  expect(await codeOf(content.get(digest, { maxBytes: 1_000_000 }))).toBe("STORE_BLOB_TOO_LARGE");
});

test("attack: the index is poisoned to show evidence of another artifact", async () => {
  const { home, content, digest } = await stored();
  const statement = {
    subject: [{ name: "good", digest: { sha256: sha256("good").slice(7) } }],
    predicateType: "https://slsa.dev/provenance/v1",
  };
  const bundle = await content.put(
    Buffer.from(
      JSON.stringify({
        mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
        dsseEnvelope: { payload: Buffer.from(JSON.stringify(statement)).toString("base64") },
      }),
    ),
  );
  const runs = openRunStore(home);
  deleteIndex(home);
  const index = await openIndex(home);
  index.putBundle(bundle.digest, {
    predicateType: "https://slsa.dev/provenance/v1",
    subjects: [{ name: "evil", digest }],
    logIndex: 1,
    mentions: new Set(),
  });
  // Naive: the row says that there is provenance for the artifact.
  expect(index.bundlesAbout(digest).map((one) => one.digest)).toEqual([bundle.digest]);
  expect(await findBundles({ content, runs, index }, digest)).toEqual([]);
  expect((await findBundles({ content, runs, index }, sha256("good"))).map((one) => one.digest)).toEqual([
    bundle.digest,
  ]);
  expect(index.bundlesAbout(digest)).toEqual([]);
});
