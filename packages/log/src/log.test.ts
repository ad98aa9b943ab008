import { verify } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock, leafHash, merkleRoot, verifyConsistency, verifyInclusion } from "@touchmark/core";
import { openCheckpoint, parseTilePath, signedEntryTimestampMessage } from "@touchmark/formats/log";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import {
  createLogKeys,
  directorySource,
  fsckLog,
  httpSource,
  type LogKeys,
  openLog,
  openLogKeys,
  openLogReader,
} from "./index.ts";

const made: string[] = [];
const fresh = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-log-"));
  made.push(directory);
  return directory;
};
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});
const newLog = (): { directory: string; keys: LogKeys; home: string } => {
  const home = fresh();
  return { home, directory: join(home, "log"), keys: createLogKeys(join(home, "keys"), { origin: "log.example" }) };
};
const body = (n: number) => Buffer.from(`entry ${n}`);
const code = async (act: Promise<unknown> | (() => unknown)): Promise<string> => {
  try {
    await (typeof act === "function" ? act() : act);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "accepted";
};

test("A1: an acknowledged entry stands at its index, proven, in this process and the next", async () => {
  const { directory, keys } = newLog();
  const log = await openLog({ directory, keys, origin: "log.example" });
  for (let n = 0; n < 5; n++) {
    const inclusion = await log.append(body(n));
    expect(inclusion.index).toBe(n);
    const head = openCheckpoint(inclusion.checkpoint, { log: keys.signer });
    expect(head.size).toBe(inclusion.treeSize);
    expect(head.root).toEqual(inclusion.rootHash);
    expect(inclusion.logId).toEqual(keys.signer.keyHash);
    verifyInclusion(n, head.size, leafHash(body(n)), inclusion.hashes, head.root);
  }
  await log.close();
  const again = await openLog({ directory, keys: openLogKeys(join(directory, "../keys")) });
  expect((await again.append(body(5))).index).toBe(5);
  expect(Buffer.from(await again.entry(5)).toString()).toBe("entry 5");
  await again.close();
});

test("A2: the tree is that of the entries in order, whatever the batches; partial tiles are of published sizes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 }), async (batches) => {
      const { directory, keys } = newLog();
      const log = await openLog({ directory, keys });
      const sizes = [0];
      for (const batch of batches) {
        const start = sizes.at(-1) as number;
        const inclusions = await Promise.all(Array.from({ length: batch }, (_, n) => log.append(body(start + n))));
        for (const [n, { index, treeSize, rootHash, hashes }] of inclusions.entries()) {
          expect(index).toBe(start + n);
          verifyInclusion(index, treeSize, leafHash(body(index)), hashes, rootHash);
        }
        sizes.push(start + batch);
      }
      const size = sizes.at(-1) as number;
      const head = openCheckpoint(await log.checkpoint(), { log: keys.signer });
      const leaves = Array.from({ length: size }, (_, n) => leafHash(body(n)));
      expect(head.root).toEqual(merkleRoot(leaves));
      await log.close();
      expect((await fsckLog(directory, log.verifierKey)).entries).toBe(size);
      for (const name of readdirSync(join(directory, "tile"), { recursive: true, encoding: "utf8" })) {
        if (!statSync(join(directory, "tile", name)).isFile()) continue;
        const tile = parseTilePath(`tile/${name}`);
        // Full tiles have no partial ones beside them.
        expect(existsSync(join(directory, `tile/${name}.p`))).toBe(false);
        if (tile.width === 256) continue;
        const span = 256 ** (tile.level === "entries" ? 0 : tile.level);
        expect(sizes.some((known) => Math.floor(known / span) === tile.index * 256 + tile.width)).toBe(true);
      }
    }),
    { numRuns: 12 },
  );
});

test("A3: an entry that is too large is refused, and harms no other of its batch", async () => {
  const { directory, keys } = newLog();
  const log = await openLog({ directory, keys });
  const [small, large, largest] = await Promise.allSettled([
    log.append(body(0)),
    log.append(new Uint8Array(65_536)),
    log.append(new Uint8Array(65_535)),
  ]);
  expect(small).toMatchObject({ status: "fulfilled", value: { index: 0, treeSize: 2 } });
  expect(large).toMatchObject({ status: "rejected", reason: { code: "ENTRY_TOO_LARGE" } });
  expect(largest).toMatchObject({ status: "fulfilled", value: { index: 1, treeSize: 2 } });
  // The caller may use its buffer again at once.
  const buffer = Buffer.from("before");
  const pending = log.append(buffer);
  buffer.fill("x");
  expect(Buffer.from(await log.entry((await pending).index)).toString()).toBe("before");
  await log.close();
});

test("A8: a log takes no entry after its closing time, or once it was closed", async () => {
  const { directory, keys } = newLog();
  const clock = fixedClock("2026-11-21T10:00:00Z");
  const log = await openLog({ directory, keys: { ...keys, closesAt: new Date("2026-12-01T00:00:00Z") }, clock });
  await log.append(body(0));
  clock.set("2026-12-01T00:00:00Z");
  expect(await code(log.append(body(1)))).toBe("LOG_CLOSED");
  const waiting = newLog();
  const slow = await openLog({
    ...waiting,
    keys: { ...waiting.keys, closesAt: new Date("2026-12-02T00:00:00Z") },
    clock,
  });
  const pending = slow.append(body(1));
  clock.set("2026-12-02T00:00:00Z");
  expect(await code(pending)).toBe("LOG_CLOSED");
  await log.close();
  await slow.close();
  const closed = await openLog({ directory, keys });
  await closed.close();
  expect(await code(closed.append(body(1)))).toBe("LOG_CLOSED");
});

test("P1: the P-256 checkpoint is over the same tree, with an origin of its own, signed under the host's name", async () => {
  const { directory, keys } = newLog();
  const log = await openLog({ directory, keys });
  const { signer, origin } = keys.compatible as NonNullable<LogKeys["compatible"]>;
  const inclusion = await log.append(body(0), { profile: "v1" });
  expect(origin).toMatch(/^log\.example - [1-9][0-9]*$/);
  const head = openCheckpoint(inclusion.checkpoint, { log: signer, origin });
  expect(head.root).toEqual(openCheckpoint(await log.checkpoint(), { log: keys.signer }).root);
  expect(await log.checkpoint("v1")).toContain(`\n\n— log.example `);
  expect(inclusion.logId).toEqual(signer.keyHash);
  await log.close();
  const { compatible: _, ...plain } = keys;
  const without = await openLog({ directory, keys: plain });
  expect(await code(without.append(body(1), { profile: "v1" }))).toBe("LOG_KEYS_INVALID");
  expect(await code(() => without.checkpoint("v1"))).toBe("LOG_KEYS_INVALID");
  await without.close();
});

test("P2: the signed entry timestamp verifies over entry, time, index and log id", async () => {
  const { directory, keys } = newLog();
  const clock = fixedClock("2026-11-21T10:42:31.900Z");
  const log = await openLog({ directory, keys, clock });
  const appended = await log.append(body(0), { profile: "v1" });
  const proven = await log.prove(0, 1, { profile: "v1" });
  for (const { integratedTime, signedEntryTimestamp, logId, index } of [appended, proven]) {
    expect(integratedTime).toBe(1795257751);
    const message = (canonicalizedBody: Buffer) =>
      signedEntryTimestampMessage({ canonicalizedBody, integratedTime: integratedTime ?? 0, logId, logIndex: index });
    const key = keys.compatible?.signer.publicKey;
    const signature = signedEntryTimestamp ?? new Uint8Array();
    expect(key && verify("sha256", message(body(0)), key, signature)).toBe(true);
    expect(key && verify("sha256", message(body(1)), key, signature)).toBe(false);
  }
  await log.close();
});

test("P3: keys are created once, readable by their owner alone, and refused when they are not whole", async () => {
  const home = fresh();
  const keys = createLogKeys(join(home, "keys"), { origin: "log.example" });
  if (process.platform !== "win32") expect(statSync(join(home, "keys/log-keys.json")).mode & 0o777).toBe(0o600);
  expect(await code(() => createLogKeys(join(home, "keys"), { origin: "log.example" }))).toBe("LOG_KEYS_EXIST");
  expect(openLogKeys(join(home, "keys")).signer.keyId).toBe(keys.signer.keyId);
  expect(readdirSync(join(home, "keys"))).toEqual(["log-keys.json"]);
  for (const origin of ["", "a b", "a+b", "a\nb"]) {
    expect(await code(() => createLogKeys(join(home, "other"), { origin }))).toBe("LOG_ORIGIN_INVALID");
  }
  expect(await code(openLog({ directory: join(home, "log"), keys, origin: "x" }))).toBe("LOG_ORIGIN_INVALID");
  expect(await code(() => openLogKeys(join(home, "missing")))).toBe("LOG_KEYS_INVALID");
  writeFileSync(join(home, "keys/log-keys.json"), '{"origin":"log.example"}');
  expect(await code(() => openLogKeys(join(home, "keys")))).toBe("LOG_KEYS_INVALID");
});

test("R1: a reader checks all that it returns, and never goes back in time", async () => {
  const { directory, keys } = newLog();
  const reader = openLogReader({ source: directorySource(directory), verifier: keys.signer });
  expect(await code(reader.checkpoint())).toBe("LOG_NOT_FOUND");
  const log = await openLog({ directory, keys });
  await Promise.all(Array.from({ length: 300 }, (_, n) => log.append(body(n))));
  const old = await log.checkpoint();
  expect((await reader.checkpoint()).size).toBe(300);
  for (const index of [0, 255, 256, 299]) {
    const proof = await reader.prove(index);
    verifyInclusion(index, 300, leafHash(body(index)), proof.hashes, proof.rootHash);
    expect(Buffer.from(await reader.entry(index)).toString()).toBe(`entry ${index}`);
  }
  expect(await code(reader.entry(300))).toBe("LOG_INDEX_OUT_OF_RANGE");
  expect(await code(reader.prove(5, 5))).toBe("LOG_INDEX_OUT_OF_RANGE");
  expect(await code(reader.prove(0, 301))).toBe("LOG_INDEX_OUT_OF_RANGE");
  expect(await code(reader.consistency(3, 2))).toBe("LOG_INDEX_OUT_OF_RANGE");
  await log.append(body(300));
  expect((await reader.checkpoint()).size).toBe(301);
  writeFileSync(join(directory, "checkpoint"), old);
  expect(await code(reader.checkpoint())).toBe("LOG_ROLLED_BACK");
  await log.close();
});

test("R2: proofs for earlier sizes are those of that tree, under a checkpoint of that size", async () => {
  const { directory, keys } = newLog();
  const log = await openLog({ directory, keys });
  const size = 520;
  await Promise.all(Array.from({ length: size }, (_, n) => log.append(body(n))));
  const leaves = Array.from({ length: size }, (_, n) => leafHash(body(n)));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: size }), fc.nat(), fc.nat(), async (to, a, b) => {
      const index = a % to;
      const from = b % (to + 1);
      const proof = await log.prove(index, to);
      const root = merkleRoot(leaves.slice(0, to));
      verifyInclusion(index, to, leaves[index] as Uint8Array, proof.hashes, root);
      expect(openCheckpoint(proof.checkpoint, { log: keys.signer }).root).toEqual(root);
      verifyConsistency(from, to, await log.consistency(from, to), merkleRoot(leaves.slice(0, from)), root);
    }),
    { numRuns: 40 },
  );
  await log.close();
});

test("A5: the directory holds the log and nothing else", async () => {
  const { directory, keys } = newLog();
  const log = await openLog({ directory, keys });
  await log.append(body(0));
  await log.close();
  expect(readdirSync(directory).sort()).toEqual(["checkpoint", "lock", "tile"]);
  expect(statSync(join(directory, "lock")).size).toBe(0);
  expect(readFileSync(join(directory, "tile/entries/000.p/1"))).toEqual(Buffer.from("\u0000\u0007entry 0"));
  expect(readFileSync(join(directory, "tile/0/000.p/1"))).toEqual(leafHash(body(0)));
});

test("R1: a log at an address is read as one in a directory, within limits", async () => {
  const { directory, keys } = newLog();
  const log = await openLog({ directory, keys });
  await Promise.all(Array.from({ length: 300 }, (_, n) => log.append(body(n))));
  await log.close();
  const { createServer } = await import("node:http");
  const server = createServer((request, response) => {
    const path = join(directory, request.url ?? "");
    if (request.url === "/broken/checkpoint") response.writeHead(500).end();
    else if (request.url === "/endless/checkpoint") response.end(Buffer.alloc(20 << 20));
    else if (existsSync(path)) response.end(readFileSync(path));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const readerAt = (prefix: string) =>
    openLogReader({ source: httpSource(`http://127.0.0.1:${port}${prefix}`), verifier: log.verifierKey });
  expect(Buffer.from(await readerAt("").entry(299)).toString()).toBe("entry 299");
  expect((await fsckLog(httpSource(`http://127.0.0.1:${port}/`), log.verifierKey)).entries).toBe(300);
  expect(await code(readerAt("/nothing").checkpoint())).toBe("LOG_NOT_FOUND");
  expect(await code(readerAt("/broken").checkpoint())).toBe("LOG_UNREACHABLE");
  expect(await code(readerAt("/endless").checkpoint())).toBe("LOG_UNREACHABLE");
  await new Promise((resolve) => server.close(resolve));
});
