import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { digestHex } from "@touchmark/core";
import { openMirror, verifyMirror } from "@touchmark/materials";
import { commitMaterial, sampleMaterial } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { codeOf, documentOf, freshDirectory, sealed, victim } from "./mirror-scene.ts";

/** What a cache does that trusts its own disk. */
const naive = (path: string) => readFileSync(path, "utf8");

test("attack: bytes of a mirrored package are changed on disk", async () => {
  const { mirror, content, home } = await victim();
  const record = await commitMaterial(mirror, "struck in pewter");
  const path = content.path(record.digest);
  chmodSync(path, 0o600);
  writeFileSync(path, "Struck in pewter");
  expect(naive(path)).toBe("Struck in pewter");
  expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_CORRUPT");
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(home.paths.quarantine).length).toBe(1);
  expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_MISSING");
  await commitMaterial(mirror, "struck in pewter", record);
  expect(naive(await mirror.body(record))).toBe("struck in pewter");
});

test("attack: a package is changed after it was verified, with size and time as before", async () => {
  const { mirror, content } = await victim();
  const record = await commitMaterial(mirror, "struck in pewter");
  const path = await mirror.body(record);
  const { mtime, size } = lstatSync(path);
  chmodSync(path, 0o600);
  writeFileSync(path, "Struck in pewter");
  chmodSync(path, 0o400);
  utimesSync(path, mtime, mtime);
  // A cache that remembers what it verified by size and time sees the same file.
  expect([lstatSync(path).mtime, lstatSync(path).size]).toEqual([mtime, size]);
  expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_CORRUPT");
  expect(await content.has(record.digest)).toBe(false);
});

test("attack: another file is moved to the place of a verified one", async () => {
  const { mirror, content } = await victim();
  const record = await commitMaterial(mirror, "struck in pewter");
  const path = await mirror.body(record);
  const other = join(content.directory, "other");
  writeFileSync(other, "Struck in pewter");
  renameSync(other, path);
  expect(naive(path)).toBe("Struck in pewter");
  expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_CORRUPT");
});

test("attack: a record is changed on disk to name another package's bytes", async () => {
  const { mirror, options } = await victim();
  const good = await commitMaterial(mirror, "struck in pewter");
  const evil = await commitMaterial(mirror, "cast in lead", sampleMaterial("cast in lead", { path: "/lead" }));
  const path = documentOf(options, good);
  const text = naive(path);
  const altered = text.replace(good.digest, evil.digest).replace('"size":16', '"size":12');
  writeFileSync(path, altered);
  expect(JSON.parse(naive(path)).records[0].digest).toBe(evil.digest);
  expect(await codeOf(mirror.find(good.key))).toBe("MIRROR_RECORD_CORRUPT");
  // Moved aside: never served, and a fetch brings it again.
  expect(await mirror.find(good.key)).toBeUndefined();
  expect(readdirSync(join(options.directory, "quarantine"))).toEqual([expect.stringMatching(/^record-/)]);
  await commitMaterial(mirror, "struck in pewter", good);
  expect(await mirror.find(good.key)).toEqual(good);
});

test("attack: any byte of a record is flipped", async () => {
  const { mirror, options } = await victim();
  const record = await commitMaterial(mirror, "struck in pewter");
  const path = documentOf(options, record);
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 17) {
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] as number) ^ 4;
    writeFileSync(path, altered);
    expect([at, await codeOf(mirror.find(record.key))]).toEqual([at, "MIRROR_RECORD_CORRUPT"]);
  }
  const text = bytes.toString();
  for (const other of ["", "{}", `${text}\n`, text.trim(), text.replace("{", "{ ")]) {
    writeFileSync(path, other);
    expect([other.length, await codeOf(mirror.find(record.key))]).toEqual([other.length, "MIRROR_RECORD_CORRUPT"]);
  }
});

test("attack: a record with a right checksum names another's bytes, and keeps the digest that a lockfile has", async () => {
  const { mirror, options } = await victim();
  const good = await commitMaterial(mirror, "struck in pewter");
  const evil = await commitMaterial(mirror, "cast in lead", sampleMaterial("cast in lead", { path: "/lead" }));
  const lying = { ...good, digest: evil.digest, size: evil.size };
  writeFileSync(
    documentOf(options, good),
    sealed({ format: "touchmark mirror record v1", key: good.key, records: [lying] }),
  );
  // Naive: the record says that the locked SHA-512 held, and the body has the digest that the record names.
  const found = await mirror.find(good.key);
  expect(found?.expected).toEqual(good.expected);
  expect(naive(options.content.path(evil.digest))).toBe("cast in lead");
  expect((await verifyMirror(options)).faults.map(({ code }) => code)).toContain("MIRROR_BODY_MISMATCH");
  expect(await codeOf(mirror.body(lying))).toBe("MIRROR_BODY_MISMATCH");
  expect(await mirror.find(good.key)).toBeUndefined();
});

test("attack: a record is copied to the name of another request", async () => {
  const { mirror, options } = await victim();
  const good = await commitMaterial(mirror, "struck in pewter");
  const evil = await commitMaterial(mirror, "cast in lead", sampleMaterial("cast in lead", { path: "/lead" }));
  writeFileSync(documentOf(options, good), readFileSync(documentOf(options, evil)));
  expect(JSON.parse(naive(documentOf(options, good))).records[0].digest).toBe(evil.digest);
  expect(await codeOf(mirror.find(good.key))).toBe("MIRROR_RECORD_CORRUPT");
});

test("attack: the index of digests is turned to another package", async () => {
  const { mirror, options } = await victim();
  const good = await commitMaterial(mirror, "struck in pewter");
  const evil = await commitMaterial(mirror, "cast in lead", sampleMaterial("cast in lead", { path: "/lead" }));
  const value = good.expected[0]?.value ?? "";
  const found = readdirSync(join(options.directory, "digests"), { recursive: true, encoding: "utf8" })
    .map((name) => join(options.directory, "digests", name))
    .filter((path) => path.endsWith(".json") && naive(path).includes(value));
  const holders = [{ key: evil.key, digest: evil.digest }];
  for (const path of found) {
    writeFileSync(path, sealed({ format: "touchmark mirror digest v1", algorithm: "sha512", value, holders }));
  }
  expect(found.length).toBe(1);
  // The record that it points to does not have the digest, so that it is no answer.
  expect(await mirror.findByDigest({ algorithm: "sha512", value })).toBeUndefined();
});

test("attack: the ledger is damaged so that a changed version looks new", async () => {
  const { mirror, options } = await victim();
  await commitMaterial(mirror, "struck in pewter");
  const [page = ""] = readdirSync(join(options.directory, "seen"), { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".json"),
  );
  const path = join(options.directory, "seen", page);
  writeFileSync(path, naive(path).replace("pewter-1.0.0.tgz", "pewter-1.0.1.tgz"));
  const seen = () => mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz");
  // Naive: a cache that cannot read its memory begins a new one, and alarms nobody. Here it stays refused.
  for (let round = 0; round < 2; round++) expect(await codeOf(seen())).toBe("MIRROR_LEDGER_CORRUPT");
  const changed = commitMaterial(mirror, "cast in lead", sampleMaterial("cast in lead"));
  expect(await codeOf(changed)).toBe("MIRROR_LEDGER_CORRUPT");
  await verifyMirror(options, { repair: true });
  expect((await seen()).map(({ digest }) => digest)).toEqual([sampleMaterial("struck in pewter").digest]);
});

test("attack: links are planted in the mirror, to files and directories of the attacker", async () => {
  const { mirror, options, content } = await victim();
  const record = await commitMaterial(mirror, "struck in pewter");
  const elsewhere = freshDirectory();
  const plant = (path: string) => {
    renameSync(path, join(elsewhere, digestHex(record.digest)));
    symlinkSync(join(elsewhere, digestHex(record.digest)), path);
  };
  plant(content.path(record.digest));
  // Naive: the link leads to the very bytes, until its owner changes them.
  expect(naive(content.path(record.digest))).toBe("struck in pewter");
  expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_CORRUPT");
  plant(documentOf(options, record));
  expect(JSON.parse(naive(documentOf(options, record))).key).toBe(record.key);
  expect(await codeOf(mirror.find(record.key))).toBe("MIRROR_RECORD_CORRUPT");
  for (const part of ["records", "digests", "seen", "incoming", "locks", "quarantine"]) {
    const { options: fresh } = await victim();
    rmSync(join(fresh.directory, part), { recursive: true });
    symlinkSync(elsewhere, join(fresh.directory, part));
    expect([part, await codeOf(openMirror(fresh))]).toEqual([part, "MIRROR_DIRECTORY_UNSAFE"]);
  }
  const { options: fresh } = await victim();
  const shard = join(documentOf(fresh, record), "..");
  mkdirSync(join(elsewhere, "shard"));
  symlinkSync(join(elsewhere, "shard"), shard);
  const opened = await openMirror(fresh);
  expect(await codeOf(opened.find(record.key))).toBe("MIRROR_DIRECTORY_UNSAFE");
  expect(await codeOf(commitMaterial(opened, "struck in pewter"))).toBe("MIRROR_DIRECTORY_UNSAFE");
  expect(readdirSync(join(elsewhere, "shard"))).toEqual([]);
});

test.skipIf(process.platform === "win32")("attack: others may write in the mirror", async () => {
  const { options } = await victim();
  chmodSync(join(options.directory, "records"), 0o777);
  expect(await codeOf(openMirror(options))).toBe("MIRROR_DIRECTORY_UNSAFE");
});
