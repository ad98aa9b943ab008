import { generateKeyPairSync } from "node:crypto";
import { emptyRoot, encodeBase64, leafHash } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkpointText, openCheckpoint, parseCheckpointText, signCheckpoint } from "./checkpoint.ts";
import { noteSigner, signatureLine, signNote, verifierKeyText } from "./note.ts";
import { parseWitnessPolicy, witnessQuorum } from "./witness-policy.ts";

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "accepted";
};
const key = () => generateKeyPairSync("ed25519").privateKey;
const log = noteSigner("log.example", "ed25519", key());
const root = leafHash(Buffer.from("one"));
const now = new Date("2026-11-21T10:00:00Z");
const text = checkpointText({ origin: "log.example", size: 1, root });

test("K1: every checkpoint is read as it was written, and the example of the specification is read", () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[!-~]{1,40}$/),
      fc.maxSafeNat(),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.array(fc.stringMatching(/^[ -~]{1,20}$/)),
      (origin, size, hash, extensions) => {
        const read = parseCheckpointText(checkpointText({ origin, size, root: hash, extensions }));
        expect({ ...read, root: encodeBase64(read.root) }).toEqual({
          origin,
          size,
          root: encodeBase64(hash),
          extensions,
        });
      },
    ),
  );
  const example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  expect(parseCheckpointText(example).size).toBe(20852163);
});

test("K2: a tree size has one spelling, and a checkpoint at least three lines", () => {
  const good = encodeBase64(emptyRoot);
  for (const bad of [
    ...[
      "",
      "00",
      "01",
      "+1",
      "-1",
      "1.0",
      "1e3",
      "0x10",
      " 1",
      "1 ",
      "١",
      "9007199254740992",
      "99999999999999999999",
    ].map((size) => `o\n${size}\n${good}\n`),
    `o\n1\n${good}`,
    `o\n1\n`,
    `\n1\n${good}\n`,
    `o\n1\n${good}\n\n`,
    `o\n1\n${good.slice(0, -1)}\n`,
    `o\n1\n${encodeBase64(new Uint8Array(31))}\n`,
  ]) {
    expect(
      codeOf(() => parseCheckpointText(bad)),
      JSON.stringify(bad),
    ).toBe("CHECKPOINT_MALFORMED");
  }
});

test("K3: a checkpoint of another origin is refused, though the right key signed it", () => {
  const other = signCheckpoint({ origin: "other.example", size: 1, root }, [log]);
  expect(codeOf(() => openCheckpoint(other, { log }))).toBe("CHECKPOINT_ORIGIN_MISMATCH");
  expect(openCheckpoint(other, { log, origin: "other.example" }).size).toBe(1);
  expect(openCheckpoint(signNote(text, [log]), { log: [noteSigner("x", "ed25519", key()), log] }).size).toBe(1);
});

test("K4: a quorum counts each witness key once, never without a time, never from the future", () => {
  const witnesses = ["a", "b", "c"].map((name) => noteSigner(`${name}.example`, "cosignature/v1", key()));
  const [a, b] = witnesses as [(typeof witnesses)[0], (typeof witnesses)[0]];
  const cosign = (signer: typeof a, at = now) => signatureLine(signer, signer.sign(text, at));
  const open = (lines: string, quorum: number) =>
    openCheckpoint(signNote(text, [log]) + lines, { log, witnesses: witnessQuorum(witnesses, quorum), now });
  expect(open(cosign(a) + cosign(b), 2).cosignatures.map((line) => line.at)).toEqual([now, now]);
  expect(codeOf(() => open(cosign(a) + cosign(a), 2))).toBe("WITNESS_QUORUM_MISSING");
  expect(codeOf(() => open(cosign(a), 2))).toBe("WITNESS_QUORUM_MISSING");
  expect(codeOf(() => open(cosign(a) + cosign(b, new Date(0)), 2))).toBe("WITNESS_QUORUM_MISSING");
  expect(codeOf(() => open(cosign(a) + cosign(b, new Date("2030-01-01T00:00:00Z")), 2))).toBe("WITNESS_QUORUM_MISSING");
  expect(open("", 0).cosignatures).toEqual([]);
  // One key listed twice is one witness.
  const twice = witnessQuorum([a, noteSigner("alias.example", "cosignature/v1", key()), a], 2);
  expect(twice.witnesses).toHaveLength(2);
  expect(() => openCheckpoint(signNote(text, [log]), { log, witnesses: twice })).toThrow(TypeError);
  // A cosignature alone does not make a checkpoint of the log.
  const cosignedOnly = signNote(text, [a], now);
  const expected = { log, witnesses: witnessQuorum(witnesses, 1), now };
  expect(codeOf(() => openCheckpoint(cosignedOnly, expected))).toBe("NOTE_UNTRUSTED");
});

test("K5: groups of a policy are counted as the policy file says", () => {
  const witnesses = ["x1", "x2", "x3", "y1"].map((name) => noteSigner(`${name}.example`, "cosignature/v1", key()));
  const lines = witnesses
    .map((witness, n) => `witness w${n} ${verifierKeyText(witness)} https://w${n}.example/\n`)
    .join("");
  const head = `# policy\n\nlog ${verifierKeyText(log)} https://log.example/\n${lines}`;
  const policy = parseWitnessPolicy(`${head}group X 2 w0 w1 w2\ngroup Y any w3\ngroup XY all X Y\nquorum XY\n`);
  const open = (...signers: typeof witnesses) => {
    const note =
      signNote(text, [log]) + signers.map((signer) => signatureLine(signer, signer.sign(text, now))).join("");
    return codeOf(() => openCheckpoint(note, { log, witnesses: policy, now }));
  };
  const [x1, x2, x3, y1] = witnesses as [typeof log, typeof log, typeof log, typeof log];
  expect(open(x1, x3, y1)).toBe("accepted");
  expect(open(x1, x2, x3)).toBe("WITNESS_QUORUM_MISSING");
  expect(open(x1, y1)).toBe("WITNESS_QUORUM_MISSING");
  expect(parseWitnessPolicy("quorum none\n").quorum).toBe("none");
  expect(policy.logs[0]?.url).toBe("https://log.example/");
  for (const bad of [
    "",
    head,
    `${head}quorum nobody\n`,
    `${head}group none any w0\nquorum w0\n`,
    `${head}group w0 any w1\nquorum w0\n`,
    `${head}group G 4 w0 w1 w2\nquorum G\n`,
    `${head}group G 0 w0 w1\nquorum G\n`,
    `${head}group G 1 w0 w0\nquorum G\n`,
    `${head}group G any H\nquorum G\n`,
    `${head}quorum w0\nquorum w0\n`,
    `${head}wibble\nquorum w0\n`,
    `log ${verifierKeyText(x1)}\nquorum none\n`,
    `witness w ${verifierKeyText(log)}\nquorum w\n`,
    `witness w nonsense\nquorum w\n`,
    `${head}witness again ${verifierKeyText(x1)}\nquorum w0\n`,
  ]) {
    expect(
      codeOf(() => parseWitnessPolicy(bad)),
      bad.slice(-40),
    ).toBe("WITNESS_POLICY_MALFORMED");
  }
});
