import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { openContentStore } from "./backends/file-content-store.ts";
import { codeOf, temporaryDirectory, temporaryHome } from "./temporary-home.ts";

const bytes = Buffer.from("a blob");
const digest = sha256(bytes);

test("C1: the directory is an OCI image layout", async () => {
  const home = await temporaryHome();
  const store = await openContentStore(home);
  await store.put(bytes);
  const read = (name: string) => JSON.parse(readFileSync(join(store.directory, name), "utf8"));
  expect(read("oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
  expect(read("index.json")).toMatchObject({ schemaVersion: 2, manifests: [] });
  expect(readFileSync(join(store.directory, "blobs", "sha256", digest.slice(7)))).toEqual(bytes);
  expect(store.path(digest)).toBe(join(store.directory, "blobs", "sha256", digest.slice(7)));
  writeFileSync(join(store.directory, "oci-layout"), '{"imageLayoutVersion":"2.0.0"}');
  expect(await codeOf(openContentStore(home))).toBe("STORE_LAYOUT_INVALID");
});

test("C1: a file is copied, or moved when asked, and its digest is that of the stored bytes", async () => {
  const store = await openContentStore(await temporaryHome());
  const file = join(temporaryDirectory(), "file");
  writeFileSync(file, bytes);
  expect(await store.put({ file })).toEqual({ digest, size: bytes.length });
  expect(existsSync(file)).toBe(true);
  expect(await store.put({ file, move: true })).toEqual({ digest, size: bytes.length });
  expect(existsSync(file)).toBe(false);
  expect(Buffer.from(await store.get(digest))).toEqual(bytes);
  mkdirSync(file);
  expect(await codeOf(store.put({ file }))).toBe("STORE_TREE_SPECIAL_FILE");
  expect(await codeOf(store.put({ file: join(file, "none") }))).toBe("STORE_IO");
});

test("C3: a damaged blob is moved to the quarantine", async () => {
  const home = await temporaryHome();
  const store = await openContentStore(home);
  await store.put(bytes);
  rmSync(store.path(digest));
  writeFileSync(store.path(digest), "another");
  expect(await codeOf(store.get(digest))).toBe("STORE_BLOB_CORRUPT");
  const [name] = readdirSync(home.paths.quarantine);
  expect(readFileSync(join(home.paths.quarantine, name as string), "utf8")).toBe("another");
});

test("C3: the last chunk of a large stream comes only after verification", async () => {
  const store = await openContentStore(await temporaryHome());
  const large = Buffer.alloc(3 * 1024 * 1024, 7);
  const { digest: name } = await store.put(large);
  rmSync(store.path(name));
  large[0] = 8;
  writeFileSync(store.path(name), large);
  let seen = 0;
  const read = async () => {
    for await (const part of store.stream(name)) seen += part.length;
  };
  expect(await codeOf(read())).toBe("STORE_BLOB_CORRUPT");
  expect(seen).toBeLessThan(large.length);
});

test("C4: a stored blob is read-only, and using it makes it young", async () => {
  const store = await openContentStore(await temporaryHome());
  await store.put(bytes);
  if (process.platform !== "win32") expect(statSync(store.path(digest)).mode & 0o777).toBe(0o400);
  const at = store.usedAt(digest) as number;
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await store.use(digest)).toBe(true);
  expect(store.usedAt(digest)).toBeGreaterThan(at);
  expect(await store.deleteUnused(digest, at)).toBe(0);
  expect(await store.deleteUnused(digest, Date.now() + 1000)).toBe(bytes.length);
  expect([await store.use(digest), store.usedAt(digest)]).toEqual([false, undefined]);
});
