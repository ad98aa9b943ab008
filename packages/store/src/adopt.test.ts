import { existsSync, mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { openContentStore } from "./backends/file-content-store.ts";
import { codeOf, temporaryHome } from "./temporary-home.ts";

/** A file beside the store, as one that was written there lies. */
async function written(content: string) {
  const home = await temporaryHome();
  const store = await openContentStore(home);
  const directory = join(home.path, "incoming");
  mkdirSync(directory);
  const file = (name: string) => {
    writeFileSync(join(directory, name), content, { mode: 0o600 });
    return join(directory, name);
  };
  return { store, file, known: { digest: sha256(content), size: content.length } };
}

test("C7: a file whose digest is known is moved in, read-only and young", async () => {
  const { store, file, known } = await written("struck in pewter");
  const path = file("one");
  utimesSync(path, 5, 5);
  expect(await store.adopt(path, known)).toBe(false);
  expect(existsSync(path)).toBe(false);
  expect(Buffer.from(await store.get(known.digest)).toString()).toBe("struck in pewter");
  expect(Date.now() - (store.usedAt(known.digest) ?? 0)).toBeLessThan(60_000);
  if (process.platform !== "win32") expect(statSync(store.path(known.digest)).mode & 0o777).toBe(0o400);
});

test("C7: what is there already is used, and counts as put now", async () => {
  const { store, file, known } = await written("struck in pewter");
  await store.put(Buffer.from("struck in pewter"));
  utimesSync(store.path(known.digest), 5, 5);
  expect(await store.adopt(file("one"), known)).toBe(true);
  expect(Date.now() - (store.usedAt(known.digest) ?? 0)).toBeLessThan(60_000);
  const many = Array.from({ length: 20 }, (_, at) => store.adopt(file(`many-${at}`), known));
  expect(new Set(await Promise.all(many))).toEqual(new Set([true]));
});

test("C7: a file of another size is refused, and a reader refuses other bytes", async () => {
  const { store, file, known } = await written("struck in pewter");
  expect(await codeOf(store.adopt(file("one"), { ...known, size: 15 }))).toBe("STORE_BLOB_MISMATCH");
  expect(await store.has(known.digest)).toBe(false);
  await store.adopt(file("two"), { digest: sha256("Struck in pewter"), size: 16 });
  expect(await codeOf(store.get(sha256("Struck in pewter")))).toBe("STORE_BLOB_CORRUPT");
});
