import { leafHash, rootFromInclusion } from "@touchmark/core";
import { openCheckpoint } from "@touchmark/formats";
import { verifyLogged } from "@touchmark/log";
import { expect, test } from "vitest";
import { codeOf, sceneOf } from "./scene.ts";

const now = new Date("2026-11-21T10:00:00Z");
const entry = (n: number) => Buffer.from(`entry ${n}`);

test("A1: a proof for another entry, or of the same entry at another index: PROOF_INVALID", async () => {
  const { keys, log } = await sceneOf(5);
  const proof = await log.prove(2);
  const logs = [{ verifier: keys.signer, operator: "us" }];
  const check = (body: Buffer, more: object) =>
    codeOf(() => verifyLogged(body, [{ ...proof, ...more }], { logs, at: now, now }));
  expect(await check(entry(2), {})).toBe("accepted");
  // A careless reader checks the checkpoint, and believes that the proof belongs to what it was given.
  expect(openCheckpoint(proof.checkpoint, { log: keys.signer }).size).toBe(5);
  expect(rootFromInclusion(2, 5, leafHash(entry(2)), proof.hashes)).toEqual(proof.rootHash);
  expect(await check(Buffer.from("never logged"), {})).toBe("PROOF_INVALID");
  expect(await check(entry(2), { index: 3 })).toBe("PROOF_INVALID");
  expect(await check(entry(2), { index: 7 })).toBe("PROOF_INVALID");
  expect(await check(entry(2), { hashes: proof.hashes.slice(1) })).toBe("PROOF_INVALID");
});

test("R4: a proof under the checkpoint of a smaller tree: LOG_TREE_MISMATCH", async () => {
  const { keys, log } = await sceneOf(5);
  const proof = await log.prove(4);
  const older = (await log.prove(0, 3)).checkpoint;
  expect(rootFromInclusion(4, 5, leafHash(entry(4)), proof.hashes)).toEqual(proof.rootHash);
  expect(openCheckpoint(older, { log: keys.signer }).size).toBe(3);
  const logs = [{ verifier: keys.signer, operator: "us" }];
  const moved = { ...proof, checkpoint: older };
  expect(await codeOf(() => verifyLogged(entry(4), [moved], { logs, at: now, now }))).toBe("LOG_TREE_MISMATCH");
});

test("R4: an entry is logged with a key after the log was closed: LOG_WINDOW_MISSED", async () => {
  const { keys, log } = await sceneOf(1);
  const proof = await log.prove(0);
  const open = [{ verifier: keys.signer, operator: "us" }];
  const closed = [{ verifier: keys.signer, operator: "us", validUntil: new Date("2026-11-01T00:00:00Z") }];
  const notYet = [{ verifier: keys.signer, operator: "us", validFrom: new Date("2026-12-01T00:00:00Z") }];
  expect(await codeOf(() => verifyLogged(entry(0), [proof], { logs: open, at: now, now }))).toBe("accepted");
  for (const logs of [closed, notYet]) {
    expect(await codeOf(() => verifyLogged(entry(0), [proof], { logs, at: now, now }))).toBe("LOG_WINDOW_MISSED");
  }
});

test("R4: two logs of one operator, or one log twice, fill a threshold of two: LOG_THRESHOLD_MISSED", async () => {
  const [one, two, three] = await Promise.all(
    ["one.example", "two.example", "three.example"].map((name) => sceneOf(1, name)),
  );
  const proofOf = async (scene: typeof one) => scene?.log.prove(0);
  const proofs = (await Promise.all([one, two, three].map(proofOf))).filter((proof) => proof !== undefined);
  const logs = [one, two, three].flatMap((scene, n) =>
    scene ? [{ verifier: scene.keys.signer, operator: n < 2 ? "us" : "them" }] : [],
  );
  const check = (chosen: number[]) =>
    codeOf(() =>
      verifyLogged(
        entry(0),
        chosen.flatMap((n) => proofs[n] ?? []),
        { logs, threshold: 2, at: now, now },
      ),
    );
  // A careless count of good proofs comes to two in each case.
  for (const chosen of [[0, 1], [0, 0], [0]]) {
    expect(
      chosen.every(
        (n) => openCheckpoint(proofs[n]?.checkpoint ?? "", { log: logs.map((log) => log.verifier) }).size === 1,
      ),
    ).toBe(true);
    expect(await check(chosen)).toBe("LOG_THRESHOLD_MISSED");
  }
  expect(await check([0, 2])).toBe("accepted");
});
