import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { leafHash } from "@touchmark/core";
import { encodeEntryBundle, openCheckpoint, parseEntryBundle } from "@touchmark/formats";
import { directorySource, fsckLog, openLog, openLogReader } from "@touchmark/log";
import { expect, test } from "vitest";
import { carelessHead, codeOf, forkOf, sceneOf } from "./scene.ts";

const bundlePath = "tile/entries/000.p/5";

test("R3: an entry is exchanged on disk: LOG_ENTRY_ALTERED, with its position", async () => {
  const { directory, keys } = await sceneOf(5);
  const entries = parseEntryBundle(readFileSync(join(directory, bundlePath)), 5);
  entries[3] = Buffer.from("forged!");
  writeFileSync(join(directory, bundlePath), encodeEntryBundle(entries));
  // The checkpoint still verifies, and who reads entries without the tree reads the forged one.
  expect(carelessHead(readFileSync(join(directory, "checkpoint"), "utf8"), keys.signer).size).toBe(5);
  await expect(fsckLog(directory, keys.signer)).rejects.toMatchObject({
    code: "LOG_ENTRY_ALTERED",
    message: expect.stringContaining("entry 3 "),
  });
  const reader = openLogReader({ source: directorySource(directory), verifier: keys.signer });
  expect(await codeOf(() => reader.entry(3))).toBe("LOG_ENTRY_ALTERED");
  expect(await codeOf(() => reader.entry(2))).toBe("accepted");
});

test("R3: a tile is altered so that a forged entry fits: LOG_TREE_MISMATCH from every reader, LOG_TILE_ALTERED from the check", async () => {
  const { directory, keys } = await sceneOf(5);
  const tile = readFileSync(join(directory, "tile/0/000.p/5"));
  const forged = Buffer.from("forged!");
  tile.set(leafHash(forged), 3 * 32);
  writeFileSync(join(directory, "tile/0/000.p/5"), tile);
  // Who compares entry and tile alone is content.
  expect(tile.subarray(96, 128)).toEqual(leafHash(forged));
  await expect(fsckLog(directory, keys.signer)).rejects.toMatchObject({
    code: "LOG_TILE_ALTERED",
    message: expect.stringContaining("hash 3 of tile/0/000.p/5"),
  });
  const reader = openLogReader({ source: directorySource(directory), verifier: keys.signer });
  expect(await codeOf(() => reader.prove(0))).toBe("LOG_TREE_MISMATCH");
});

test("R3: an entry bundle is cut short: ENTRY_BUNDLE_MALFORMED", async () => {
  const { directory, keys } = await sceneOf(5);
  truncateSync(join(directory, bundlePath), 20);
  // A careless reader stops where the bytes stop, and has two entries of five.
  expect(readFileSync(join(directory, bundlePath)).subarray(2, 9).toString()).toBe("entry 0");
  expect(await codeOf(() => fsckLog(directory, keys.signer))).toBe("ENTRY_BUNDLE_MALFORMED");
  const fresh = await openLog({ directory, keys });
  expect(await codeOf(() => fresh.append(Buffer.from("next")))).toBe("ENTRY_BUNDLE_MALFORMED");
  await fresh.close();
});

test("F1: the log is rolled back to an older backup under its writer: LOG_ROLLED_BACK", async () => {
  const scene = await sceneOf(3);
  const { directory, keys, log, home } = scene;
  cpSync(directory, join(home, "backup"), { recursive: true });
  const lost = await log.append(Buffer.from("an embarrassing entry"));
  rmSync(directory, { recursive: true });
  cpSync(join(home, "backup"), directory, { recursive: true });
  // Every signature and every hash of the backup is good, and a key without memory signs a second entry 3.
  expect((await fsckLog(directory, keys.signer)).size).toBe(3);
  cpSync(join(home, "backup"), join(home, "fork"), { recursive: true });
  const fork = await forkOf(scene, "fork", ["another entry"]);
  expect(openCheckpoint(await fork.checkpoint(), { log: keys.signer }).root).not.toEqual(lost.rootHash);
  expect(await codeOf(() => log.append(Buffer.from("another entry")))).toBe("LOG_ROLLED_BACK");
  expect(await codeOf(() => openLog({ directory, keys }))).toBe("LOG_ROLLED_BACK");
  await fork.close();
});

test("F2: the log on disk is exchanged for a forked one that is longer: LOG_FORKED", async () => {
  const scene = await sceneOf(3);
  const fork = await forkOf(scene, "fork", ["entry 0", "entry 1", "forged 2", "entry 3"]);
  await fork.close();
  cpSync(join(scene.home, "fork"), scene.directory, { recursive: true, force: true });
  expect((await fsckLog(scene.directory, scene.keys.signer)).size).toBe(4);
  expect(await codeOf(() => scene.log.append(Buffer.from("next")))).toBe("LOG_FORKED");
});

test("A3: an entry longer than its length can say: ENTRY_TOO_LARGE", async () => {
  const { log } = await sceneOf(1);
  const long = Buffer.alloc(65_536 + 5, "x");
  // Written with a length of 16 bits that overflows, the bundle reads back as another entry.
  const careless = Buffer.alloc(2);
  careless.writeUInt16BE(long.length & 0xffff);
  expect(parseEntryBundle(Buffer.concat([careless, long]).subarray(0, 7), 1)[0]).toHaveLength(5);
  expect(await codeOf(() => log.append(long))).toBe("ENTRY_TOO_LARGE");
});
