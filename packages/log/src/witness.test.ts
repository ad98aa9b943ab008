import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyRoot, fixedClock } from "@touchmark/core";
import {
  noteSigner,
  openCheckpoint,
  openNote,
  parseNote,
  signCheckpoint,
  signNote,
  witnessQuorum,
} from "@touchmark/formats/log";
import { afterAll, expect, test } from "vitest";
import {
  addCheckpointRequest,
  createLogKeys,
  httpWitness,
  type LogKeys,
  openLog,
  openWitness,
  serveWitness,
  type TransparencyLog,
  type Witness,
  type WitnessClient,
} from "./index.ts";

const made: string[] = [];
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});
const clock = fixedClock("2026-11-21T10:00:00Z");
const fresh = () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-log-"));
  made.push(directory);
  return directory;
};
const witnessKey = (name = "w.example") =>
  noteSigner(name, "cosignature/v1", generateKeyPairSync("ed25519").privateKey);
const setUp = async (): Promise<{ home: string; keys: LogKeys; log: TransparencyLog; witness: Witness }> => {
  const home = fresh();
  const keys = createLogKeys(join(home, "keys"), { origin: "log.example" });
  const log = await openLog({ directory: join(home, "log"), keys, clock });
  const logs = [{ origin: "log.example", verifiers: [keys.signer] }];
  const witness = await openWitness({ directory: join(home, "witness"), signer: witnessKey(), logs, clock });
  closing.push(log.close.bind(log), witness.close.bind(witness));
  return { home, keys, log, witness };
};
const appendSome = (log: TransparencyLog, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => log.append(Buffer.from(`entry ${n}`))));

test("W1: the witness cosigns what extends what it cosigned, and answers all else with its status", async () => {
  const { keys, log, witness } = await setUp();
  await appendSome(log, 3);
  const three = await log.checkpoint();
  const first = await witness.addCheckpoint(addCheckpointRequest(0, [], three));
  expect(first).toMatchObject({ status: 200 });
  expect(openNote(`${parseNote(three).text}\n${first.body}`, [witness.verifier]).signatures[0]?.time).toBe(1795255200n);
  // The same once more is fine, from the size that it has.
  expect((await witness.addCheckpoint(addCheckpointRequest(3, [], three))).status).toBe(200);
  await appendSome(log, 2);
  const five = await log.checkpoint();
  const proof = await log.consistency(3, 5);
  const [head = new Uint8Array()] = proof;
  const signed = (size: number, root: Uint8Array, origin = "log.example") =>
    signCheckpoint({ origin, size, root }, [keys.signer]);
  const bad = signNote(parseNote(five).text, [
    noteSigner("log.example", "ed25519", generateKeyPairSync("ed25519").privateKey),
  ]);
  const cases: [string, string, number][] = [
    ["stale size", addCheckpointRequest(0, [], five), 409],
    ["larger old size", addCheckpointRequest(6, [], five), 400],
    ["no proof", addCheckpointRequest(3, [], five), 422],
    ["bad proof", addCheckpointRequest(3, [head, ...proof.slice(1).map(() => head)], five), 422],
    ["other root of the same size", addCheckpointRequest(3, [], signed(3, head)), 422],
    ["unknown log", addCheckpointRequest(3, proof, signed(5, head, "other.example")), 404],
    ["unknown key", addCheckpointRequest(3, proof, bad), 403],
    ["altered text", addCheckpointRequest(3, proof, five.replace("\n5\n", "\n6\n")), 403],
    ["no blank line", "old 3\n", 400],
    ["size not canonical", addCheckpointRequest(3, proof, five).replace("old 3", "old 03"), 400],
    ["hash too short", addCheckpointRequest(3, [new Uint8Array(31)], five), 400],
    ["hash not base64", addCheckpointRequest(3, proof, five).replace("\n", "\n!\n"), 400],
    ["64 hashes", addCheckpointRequest(3, Array<Uint8Array>(64).fill(head), five), 400],
    ["no checkpoint", "old 3\n\nhello\n", 400],
    ["not a checkpoint", `old 3\n\n${signNote("hello\n", [keys.signer])}`, 400],
  ];
  for (const [name, request, status] of cases) {
    const answer = await witness.addCheckpoint(request);
    expect(answer.status, `${name}: ${answer.body}`).toBe(status);
    if (status === 409) expect(answer).toMatchObject({ contentType: "text/x.tlog.size", body: "3\n" });
  }
  expect((await witness.addCheckpoint(addCheckpointRequest(3, proof, five))).status).toBe(200);
});

test("W1: the empty tree has one root, and a first checkpoint brings no proof", async () => {
  const { keys, witness } = await setUp();
  const empty = (root: Uint8Array) => signCheckpoint({ origin: "log.example", size: 0, root }, [keys.signer]);
  expect((await witness.addCheckpoint(addCheckpointRequest(0, [], empty(new Uint8Array(32))))).status).toBe(422);
  expect((await witness.addCheckpoint(addCheckpointRequest(0, [emptyRoot], empty(emptyRoot)))).status).toBe(422);
  expect((await witness.addCheckpoint(addCheckpointRequest(0, [], empty(emptyRoot)))).status).toBe(200);
});

test("W2: what was cosigned is on disk by then, and requests at once never roll it back", async () => {
  const { home, keys, log, witness } = await setUp();
  await appendSome(log, 4);
  const notes: string[] = [];
  for (const size of [2, 3, 4]) notes.push((await log.prove(0, size)).checkpoint);
  const answers = await Promise.all(notes.map((note) => witness.addCheckpoint(addCheckpointRequest(0, [], note))));
  // One came first; for it the others were no longer from the size that they thought.
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409, 409]);
  const kept = witness.checkpoint("log.example") ?? "";
  expect(
    openCheckpoint(kept, { log: keys.signer, witnesses: witnessQuorum([witness.verifier], 1), now: clock.now() }).size,
  ).toBe(2);
  const [hash = ""] = readdirSync(join(home, "witness")).filter((name) => /^[0-9a-f]{64}$/.test(name));
  expect(readFileSync(join(home, "witness", hash, "checkpoint"), "utf8")).toBe(kept);
  writeFileSync(join(home, "witness", hash, "checkpoint"), kept.replace("\n2\n", "\n1\n"));
  await expect(witness.addCheckpoint(addCheckpointRequest(1, [], notes[0] ?? ""))).rejects.toMatchObject({
    code: "WITNESS_STATE_INVALID",
  });
});

test("W3: both sides of a fork are kept as evidence", async () => {
  const { home, keys, log, witness } = await setUp();
  await appendSome(log, 2);
  const ours = await log.checkpoint();
  await witness.addCheckpoint(addCheckpointRequest(0, [], ours));
  const { memory: _, ...copied } = keys;
  const fork = await openLog({ directory: join(home, "fork"), keys: copied, clock });
  await Promise.all([1, 2, 3].map((n) => fork.append(Buffer.from(`forged ${n}`))));
  const forged = addCheckpointRequest(2, await fork.consistency(2, 3), await fork.checkpoint());
  expect((await witness.addCheckpoint(forged)).status).toBe(422);
  const [name = ""] = readdirSync(join(home, "witness/evidence"));
  const evidence = JSON.parse(readFileSync(join(home, "witness/evidence", name), "utf8"));
  expect(Buffer.from(evidence.request, "base64").toString()).toBe(forged);
  for (const note of [evidence.known, await fork.checkpoint()]) openCheckpoint(note, { log: keys.signer });
  expect(parseNote(evidence.known).text).toBe(parseNote(ours).text);
  await fork.close();
});

test("W4: the log asks witnesses over HTTP, starts again from the size they name, and publishes what they gave", async () => {
  const { home, keys, log, witness } = await setUp();
  await appendSome(log, 3);
  await witness.addCheckpoint(addCheckpointRequest(0, [], await log.checkpoint()));
  const server = serveWitness(witness, ["log.example"]);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients = [httpWitness({ url, verifier: witness.verifier })];
  const witnessed = await openLog({ directory: join(home, "log"), keys, clock, witnesses: { clients, quorum: 1 } });
  const witnesses = witnessQuorum([witness.verifier], 1);
  for (let n = 0; n < 3; n++) {
    const { checkpoint, treeSize } = await witnessed.append(Buffer.from(`more ${n}`));
    expect(openCheckpoint(checkpoint, { log: keys.signer, witnesses, now: clock.now() }).size).toBe(treeSize);
    expect(readFileSync(join(home, "log/checkpoint"), "utf8")).toBe(checkpoint);
  }
  expect(await witnessed.cosign()).toBe(await witnessed.checkpoint());
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256").update("log.example").digest("hex");
  expect(parseNote(await (await fetch(`${url}/${hash}/checkpoint`)).text()).text).toBe(
    parseNote(await log.checkpoint()).text,
  );
  expect((await fetch(`${url}/${"0".repeat(64)}/checkpoint`)).status).toBe(404);
  expect((await fetch(`${url}/add-checkpoint`)).status).toBe(405);
  expect(
    (await fetch(`${url}/add-checkpoint`, { method: "POST", body: "x".repeat(200_000) }).catch(() => ({ status: 413 })))
      .status,
  ).toBe(413);
  await witnessed.close();
});

test("W5: when the quorum is missed the append fails, and says why; without a quorum it succeeds", async () => {
  const { home, keys, witness } = await setUp();
  const unreachable = httpWitness({
    url: "http://127.0.0.1:1/",
    verifier: witnessKey("gone.example"),
    timeoutMs: 2000,
  });
  const answering = (name: string, status: number, body: string): WitnessClient => ({
    verifier: witnessKey(name),
    addCheckpoint: async () => ({ status, contentType: "text/plain", body }),
  });
  const clients = [
    { verifier: witness.verifier, addCheckpoint: witness.addCheckpoint },
    unreachable,
    answering("no.example", 422, "never\n"),
    answering("odd.example", 200, "— odd.example AAAAAAA=\n"),
    answering("ahead.example", 409, "999\n"),
  ];
  mkdirSync(join(home, "strict"));
  const log = await openLog({
    directory: join(home, "strict"),
    keys: { origin: "log.example", signer: keys.signer },
    clock,
    witnesses: { clients, quorum: 2 },
  });
  const error = await log.append(Buffer.from("one")).catch((cause) => cause);
  expect(error.code).toBe("WITNESS_QUORUM_MISSING");
  expect(error.message).toMatch(/gone\.example/);
  expect(error.cause.errors.map((cause: { code: string }) => cause.code).sort()).toEqual([
    "WITNESS_REFUSED",
    "WITNESS_REFUSED",
    "WITNESS_UNREACHABLE",
    "WITNESS_UNREACHABLE",
  ]);
  await log.close();
  const lax = await openLog({
    directory: join(home, "strict"),
    keys: { origin: "log.example", signer: keys.signer },
    clock,
    witnesses: { clients },
  });
  const { checkpoint } = await lax.append(Buffer.from("two"));
  const witnesses = witnessQuorum([witness.verifier], 1);
  expect(openCheckpoint(checkpoint, { log: keys.signer, witnesses, now: clock.now() }).cosignatures).toHaveLength(1);
  await lax.close();
});
