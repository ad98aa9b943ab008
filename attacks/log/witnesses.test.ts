import { existsSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint, parseNote, witnessQuorum } from "@touchmark/formats";
import { addCheckpointRequest, askWitness, openWitness, verifyLogged, type Witness } from "@touchmark/log";
import { expect, test } from "vitest";
import { carelessHead, codeOf, forkOf, type Scene, sceneOf, witnessKey } from "./scene.ts";

const witnessOf = async (scene: Scene): Promise<Witness> => {
  const witness = await openWitness({
    directory: join(scene.home, "witness"),
    signer: witnessKey("w.example"),
    logs: [{ origin: scene.keys.origin, verifiers: [scene.keys.signer] }],
  });
  return witness;
};
const cosigning = (witness: Witness) => ({ verifier: witness.verifier, addCheckpoint: witness.addCheckpoint });

test("W3: a log shows its witness a second history: WITNESS_REFUSED after 422, both sides kept", async () => {
  const scene = await sceneOf(2);
  const witness = await witnessOf(scene);
  await witness.addCheckpoint(addCheckpointRequest(0, [], await scene.log.checkpoint()));
  const fork = await forkOf(scene, "fork", ["forged 0", "forged 1", "forged 2"]);
  const note = await fork.checkpoint();
  // Whoever remembers nothing believes it: the signature is the log's own.
  expect(carelessHead(note, scene.keys.signer).size).toBe(3);
  const answer = await witness.addCheckpoint(addCheckpointRequest(2, await fork.consistency(2, 3), note));
  expect(answer.status).toBe(422);
  const request = {
    head: { size: 3, note },
    clients: [],
    quorum: 1,
    proof: (from: number) => fork.consistency(from, 3),
    now: new Date(),
  };
  expect(await codeOf(() => askWitness(cosigning(witness), request))).toBe("WITNESS_REFUSED");
  expect(existsSync(join(scene.home, "witness/evidence"))).toBe(true);
  await witness.close();
});

test("W1: a stale old size hides that the witness knows more: 409 with the size, then WITNESS_REFUSED", async () => {
  const scene = await sceneOf(5);
  const witness = await witnessOf(scene);
  const old = (await scene.log.prove(0, 2)).checkpoint;
  await witness.addCheckpoint(addCheckpointRequest(0, [], await scene.log.checkpoint()));
  // Asking from zero needs no proof at all: who lets the log choose where to start cosigns anything.
  expect(carelessHead(old, scene.keys.signer).size).toBe(2);
  expect(await witness.addCheckpoint(addCheckpointRequest(0, [], old))).toMatchObject({ status: 409, body: "5\n" });
  const request = { head: { size: 2, note: old }, clients: [], quorum: 1, proof: async () => [], now: new Date() };
  expect(await codeOf(() => askWitness(cosigning(witness), request))).toBe("WITNESS_REFUSED");
  await witness.close();
});

test("K4: two verifiers are shown two histories, one of them without its witness: WITNESS_QUORUM_MISSING", async () => {
  const scene = await sceneOf(2);
  const witness = await witnessOf(scene);
  const { body } = await witness.addCheckpoint(addCheckpointRequest(0, [], await scene.log.checkpoint()));
  const fork = await forkOf(scene, "fork", ["entry 0", "forged 1"]);
  const [shownToOne, shownToTwo] = [(await scene.log.checkpoint()) + body, await fork.checkpoint()];
  const inclusion = await fork.prove(1);
  const logs = [{ verifier: scene.keys.signer, operator: "us" }];
  const times = { at: new Date(), now: new Date() };
  // Each of the two, without witnesses, is content; together they would see that the roots differ.
  expect(openCheckpoint(shownToOne, { log: scene.keys.signer }).root).not.toEqual(
    openCheckpoint(shownToTwo, { log: scene.keys.signer }).root,
  );
  expect(verifyLogged(Buffer.from("forged 1"), [inclusion], { logs, ...times })).toEqual(["us"]);
  const witnesses = witnessQuorum([witness.verifier], 1);
  const strict = { logs: logs.map((log) => ({ ...log, witnesses })), ...times };
  expect(await codeOf(() => verifyLogged(Buffer.from("forged 1"), [inclusion], strict))).toBe("WITNESS_QUORUM_MISSING");
  // The cosignature of the true history does not fit the other.
  const moved = { ...inclusion, checkpoint: inclusion.checkpoint + body };
  expect(await codeOf(() => verifyLogged(Buffer.from("forged 1"), [moved], strict))).toBe("NOTE_SIGNATURE_INVALID");
  const honest = { ...(await scene.log.prove(1)), checkpoint: shownToOne };
  expect(verifyLogged(Buffer.from("entry 1"), [honest], strict)).toEqual(["us"]);
  expect(parseNote(shownToOne).signatures).toHaveLength(2);
  await witness.close();
});
