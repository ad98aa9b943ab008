import { type Json, sha256 } from "@touchmark/core";
import { ARTIFACT, mintBundle, mintKey, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { batchVerifier } from "./index.ts";

const world = mintWorld();
const key = mintKey();
const files: Record<string, Uint8Array> = {
  "a.txt": ARTIFACT,
  "b.txt": Buffer.from("another"),
  "good.json": mintBundle(world).bytes,
  "message.json": mintBundle(world, { content: "message" }).bytes,
  "key.json": mintBundle(world, { key, hint: "k" }).bytes,
  "bad.json": Buffer.from("{"),
  "root.json": trustedRootBytes(world),
  "no-root.json": Buffer.from("{}"),
  "key.pem": Buffer.from(key.pem),
  policy: Buffer.from("quorum none\n"),
};
const read = (path: string): Uint8Array => {
  const bytes = files[path];
  if (bytes === undefined) throw new Error("no such file");
  return bytes;
};
const verify = batchVerifier({ bytes: read, digest: (path) => sha256(read(path)) }, { now: world.at });
const answer = (given: Json) => verify(JSON.stringify(given));

const base = {
  artifact: "a.txt",
  bundle: "good.json",
  trustRoot: "root.json",
  identity: world.identity,
  issuer: world.issuer,
};

test("V12: a good case is accepted, with the facts, its id echoed", () => {
  expect(answer({ id: "case 1", ...base })).toMatchObject({
    id: "case 1",
    verdict: "accepted",
    code: null,
    identity: world.identity,
    artifact: sha256(ARTIFACT),
    times: [{ source: "timestamp" }],
    logEntries: [{ origin: world.log.origin }],
  });
  expect(answer({ id: { any: [1] }, ...base, artifact: sha256(ARTIFACT) })).toMatchObject({
    id: { any: [1] },
    verdict: "accepted",
  });
  expect(answer({ ...base, bundle: "message.json" })).toMatchObject({
    id: null,
    verdict: "accepted",
    predicateType: null,
  });
});

test("V12: null stands for absent", () => {
  const nothing = {
    predicateType: null,
    key: null,
    keyHint: null,
    logThreshold: null,
    allowLogTime: null,
    witnessPolicy: null,
  };
  expect(answer({ ...base, ...nothing })).toMatchObject({ verdict: "accepted" });
  expect(answer({ ...base, identity: null })).toMatchObject({ verdict: "error", code: "EXPECTATION_MISSING" });
});

test("V12: key and policy are files", () => {
  const { identity, issuer, ...rest } = base;
  expect(answer({ ...rest, bundle: "key.json", key: "key.pem", keyHint: "k", witnessPolicy: "policy" })).toMatchObject({
    verdict: "accepted",
    identity: null,
    keyHint: "k",
  });
});

const cases: readonly (readonly [string, string, Json])[] = [
  ["refused", "SUBJECT_MISMATCH", { ...base, artifact: "b.txt" }],
  ["refused", "JSON_MALFORMED", { ...base, bundle: "bad.json" }],
  ["refused", "IDENTITY_MISMATCH", { ...base, identity: "someone" }],
  ["error", "FILE_UNREADABLE", { ...base, artifact: "absent" }],
  ["error", "FILE_UNREADABLE", { ...base, bundle: "absent" }],
  ["error", "FILE_UNREADABLE", { ...base, trustRoot: "absent" }],
  ["error", "FILE_UNREADABLE", { ...base, witnessPolicy: "absent" }],
  ["error", "TRUSTED_ROOT_MALFORMED", { ...base, trustRoot: "no-root.json" }],
  ["error", "EXPECTATION_MISSING", { ...base, bundle: null }],
  ["error", "EXPECTATION_INVALID", { ...base, Identity: "x" }],
  ["error", "EXPECTATION_INVALID", { ...base, unknown: null }],
  ["error", "EXPECTATION_INVALID", { ...base, logThreshold: "1" }],
  ["error", "EXPECTATION_INVALID", { ...base, logThreshold: 0 }],
  ["error", "EXPECTATION_CONFLICT", { ...base, key: "key.pem" }],
  ["error", "ARTIFACT_CONTENT_NEEDED", { ...base, bundle: "message.json", artifact: sha256(ARTIFACT) }],
  ["error", "EXPECTATION_INVALID", [1, 2]],
];

test.each(cases)("V12: %s: %s", (verdict, code, given) => {
  expect(answer(given)).toMatchObject({ verdict, code });
});

test("V12: a line that is no case is answered too", () => {
  expect(verify("{")).toMatchObject({ id: null, verdict: "error", code: "JSON_MALFORMED" });
  expect(verify('{"id":7,"artifact":1}')).toMatchObject({ id: 7, verdict: "error", code: "EXPECTATION_INVALID" });
  expect(verify('{"id":1,"id":2}')).toMatchObject({ id: null, verdict: "error", code: "JSON_DUPLICATE_KEY" });
});

test("V12: what is no error of this project is an error of ours, and accepts nothing", () => {
  const broken = batchVerifier({
    bytes: read,
    digest: () => {
      throw new TypeError("broken");
    },
  });
  expect(broken(JSON.stringify(base))).toMatchObject({ verdict: "error", code: "FILE_UNREADABLE" });
});
