import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeBase64, leafHash, merkleRoot } from "@touchmark/core";
import { checkpointText, encodeEntryBundle, noteSigner, signCheckpoint, signNote } from "@touchmark/formats/log";
import { afterAll, expect, test } from "vitest";
import { createLogKeys, fsckLog, type LogKeys, openLog } from "./index.ts";

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});
const logOf = async (
  size: number,
): Promise<{ home: string; directory: string; keys: LogKeys; verifierKey: string }> => {
  const home = mkdtempSync(join(tmpdir(), "touchmark-log-"));
  made.push(home);
  const directory = join(home, "log");
  const keys = createLogKeys(join(home, "keys"), { origin: "log.example" });
  const log = await openLog({ directory, keys });
  await Promise.all(Array.from({ length: size }, (_, n) => log.append(Buffer.from(`entry ${n}`))));
  await log.close();
  return { home, directory, keys, verifierKey: log.verifierKey };
};
const code = async (act: Promise<unknown>): Promise<string> => {
  try {
    await act;
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "accepted";
};
const appendTo = async (directory: string, keys: LogKeys): Promise<string> => {
  let opened: Awaited<ReturnType<typeof openLog>>;
  try {
    opened = await openLog({ directory, keys });
  } catch (error) {
    return (error as { code: string }).code;
  }
  const result = await code(opened.append(Buffer.from("next")));
  await opened.close();
  return result;
};
const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
};
/** Without memory: a key that was copied elsewhere. */
const forgetful = ({ memory: _, ...keys }: LogKeys): LogKeys => keys;

test("F1: an older log is refused by the process that signed a newer one, and by any later process", async () => {
  const { home, directory, keys } = await logOf(3);
  cpSync(directory, join(home, "backup"), { recursive: true });
  const log = await openLog({ directory, keys });
  await log.append(Buffer.from("three"));
  rmSync(directory, { recursive: true });
  cpSync(join(home, "backup"), directory, { recursive: true });
  expect(await code(log.append(Buffer.from("fork")))).toBe("LOG_ROLLED_BACK");
  expect(await code(log.checkpoint())).toBe("LOG_ROLLED_BACK");
  await log.close();
  expect(await appendTo(directory, keys)).toBe("LOG_ROLLED_BACK");
  rmSync(join(directory, "checkpoint"));
  expect(await appendTo(directory, keys)).toBe("LOG_ROLLED_BACK");
  // Without memory the missing checkpoint still shows: tiles do not come before one.
  expect(await appendTo(directory, forgetful(keys))).toBe("LOG_ROLLED_BACK");
});

test("F2: a validly signed tree that does not extend the last one is refused, whether larger or of the same size", async () => {
  for (const size of [3, 5, 300]) {
    const { directory, keys } = await logOf(3);
    const other = await logOf(0);
    const fork = await openLog({ directory: other.directory, keys: forgetful(keys) }).catch(() => undefined);
    expect(fork).toBeUndefined();
    rmSync(other.directory, { recursive: true });
    const forger = await openLog({ directory: other.directory, keys: forgetful(keys) });
    await Promise.all(Array.from({ length: size }, (_, n) => forger.append(Buffer.from(`forged ${n}`))));
    await forger.close();
    const running = await openLog({ directory, keys });
    cpSync(other.directory, directory, { recursive: true, force: true });
    expect(await code(running.append(Buffer.from("next")))).toBe("LOG_FORKED");
    expect(await code(running.checkpoint())).toBe("LOG_FORKED");
    await running.close();
    expect(await appendTo(directory, keys)).toBe("LOG_FORKED");
  }
});

test("F3: nothing is signed on top of tiles or entries that do not lead to the checkpoint", async () => {
  const cases: [string, (directory: string) => void, string][] = [
    ["tile of the edge", (d) => flip(join(d, "tile/0/001.p/44"), 40), "LOG_TREE_MISMATCH"],
    ["tile above", (d) => flip(join(d, "tile/1/000.p/1"), 0), "LOG_TREE_MISMATCH"],
    ["tile missing", (d) => rmSync(join(d, "tile/1/000.p/1")), "LOG_TILE_MISSING"],
    ["tile truncated", (d) => writeFileSync(join(d, "tile/0/001.p/44"), "short"), "TILE_MALFORMED"],
    ["entry of the edge", (d) => flip(join(d, "tile/entries/001.p/44"), 4), "LOG_ENTRY_ALTERED"],
    [
      "bundle truncated",
      (d) =>
        writeFileSync(join(d, "tile/entries/001.p/44"), readFileSync(join(d, "tile/entries/001.p/44")).subarray(0, -3)),
      "ENTRY_BUNDLE_MALFORMED",
    ],
    ["bundle missing", (d) => rmSync(join(d, "tile/entries/001.p/44")), "LOG_TILE_MISSING"],
  ];
  const { home, directory, keys } = await logOf(300);
  for (const [name, damage, expected] of cases) {
    const copy = join(home, name.replaceAll(" ", "-"));
    cpSync(directory, copy, { recursive: true });
    damage(copy);
    expect(await appendTo(copy, keys), name).toBe(expected);
  }
  expect(await appendTo(directory, keys)).toBe("accepted");
});

test("F4: a checkpoint by another key, of another origin or with a bad line is refused", async () => {
  const { directory, keys } = await logOf(1);
  const stranger = createLogKeys(join(directory, "../stranger"), { origin: "log.example" });
  const root = leafHash(Buffer.from("entry 0"));
  const good = readFileSync(join(directory, "checkpoint"), "utf8");
  const cases: [string, string][] = [
    [signCheckpoint({ origin: "log.example", size: 1, root }, [stranger.signer]), "NOTE_UNTRUSTED"],
    [signCheckpoint({ origin: "other.example", size: 1, root }, [keys.signer]), "CHECKPOINT_ORIGIN_MISMATCH"],
    [good.replace("\n1\n", "\n2\n"), "NOTE_SIGNATURE_INVALID"],
    ["", "NOTE_MALFORMED"],
    [
      signNote(checkpointText({ origin: "log.example", size: 1, root }).replace("\n1\n", "\n01\n"), [keys.signer]),
      "CHECKPOINT_MALFORMED",
    ],
  ];
  for (const [note, expected] of cases) {
    writeFileSync(join(directory, "checkpoint"), note);
    expect(await appendTo(directory, keys)).toBe(expected);
  }
  writeFileSync(join(directory, "checkpoint"), good);
  expect(await appendTo(directory, keys)).toBe("accepted");
});

test("R3: a check names the first altered entry or tile, wherever it stands", async () => {
  const { home, directory, verifierKey, keys } = await logOf(700);
  expect(await fsckLog(directory, verifierKey)).toMatchObject({
    origin: "log.example",
    size: 700,
    entries: 700,
    tiles: 4,
  });
  const bundle = (d: string, index: number) =>
    join(d, index === 2 ? "tile/entries/002.p/188" : `tile/entries/00${index}`);
  const entries = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => Buffer.from(`entry ${from + n}`));
  const forge = (d: string) => {
    const forged = entries(256, 512);
    forged[7] = Buffer.from("entry X");
    writeFileSync(bundle(d, 1), encodeEntryBundle(forged));
    writeFileSync(join(d, "tile/0/001"), Buffer.concat(forged.map(leafHash)));
    return merkleRoot(forged.map(leafHash));
  };
  const cases: [string, (d: string) => void, string, RegExp][] = [
    ["entry", (d) => flip(bundle(d, 1), 5), "LOG_ENTRY_ALTERED", /entry 256 \(number 0 of tile\/entries\/001\)/],
    ["edge entry", (d) => flip(bundle(d, 2), 5), "LOG_ENTRY_ALTERED", /entry 512 /],
    ["two entries", (d) => [1, 0].map((n) => flip(bundle(d, n), 5)), "LOG_ENTRY_ALTERED", /entry 0 /],
    ["tile", (d) => flip(join(d, "tile/0/001"), 33), "LOG_TILE_ALTERED", /hash 1 of tile\/0\/001/],
    ["edge tile", (d) => flip(join(d, "tile/0/002.p/188"), 64), "LOG_TILE_ALTERED", /hash 2 of tile\/0\/002\.p\/188/],
    ["tile above", (d) => flip(join(d, "tile/1/000.p/2"), 40), "LOG_TILE_ALTERED", /hash 1 of tile\/1\/000\.p\/2/],
    ["entry and tile alike", (d) => forge(d), "LOG_TILE_ALTERED", /tile\/0\/001/],
    [
      "all but the checkpoint",
      (d) => {
        const above = readFileSync(join(d, "tile/1/000.p/2"));
        above.set(forge(d), 32);
        writeFileSync(join(d, "tile/1/000.p/2"), above);
      },
      "LOG_TREE_MISMATCH",
      /root of the checkpoint/,
    ],
    [
      "entry and tile unalike",
      (d) => {
        flip(bundle(d, 1), 5);
        flip(join(d, "tile/0/001"), 700);
      },
      "LOG_TREE_MISMATCH",
      /tile\/0\/001/,
    ],
    [
      "truncated",
      (d) => writeFileSync(bundle(d, 2), readFileSync(bundle(d, 2)).subarray(0, 30)),
      "ENTRY_BUNDLE_MALFORMED",
      /entries from 512/,
    ],
    ["missing", (d) => rmSync(join(d, "tile/0/000")), "LOG_TILE_MISSING", /tile\/0\/000/],
    ["no checkpoint", (d) => rmSync(join(d, "checkpoint")), "LOG_NOT_FOUND", /checkpoint/],
  ];
  for (const [name, damage, expected, message] of cases) {
    const copy = join(home, name.replaceAll(" ", "-"));
    cpSync(directory, copy, { recursive: true });
    damage(copy);
    await expect(fsckLog(copy, keys.signer), name).rejects.toMatchObject({
      code: expected,
      message: expect.stringMatching(message),
    });
  }
  const stranger = noteSigner(
    "log.example",
    "ed25519",
    (await import("node:crypto")).generateKeyPairSync("ed25519").privateKey,
  );
  await expect(fsckLog(directory, stranger)).rejects.toMatchObject({ code: "NOTE_UNTRUSTED" });
  expect(encodeBase64((await fsckLog(directory, keys.signer)).root)).toHaveLength(44);
});
