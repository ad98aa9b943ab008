import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { isFactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { regoModule } from "./rego-module.ts";

/** A module of the tests, as OPA compiled it (fixture/build.sh). */
function moduleBytes(name: "release" | "clock"): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(join(import.meta.dirname, "fixture", `${name}.wasm.gz`))));
}

const peers = process.env["TOUCHMARK_PEERS"] ?? join(homedir(), ".cache", "touchmark-peers");
const program = join(peers, "bin", "opa");
/** OPA itself, where bench/peers/install.sh put it. */
const opa: string | undefined = existsSync(program) ? program : undefined;

/** What OPA says of a rule of release.rego; undefined: it has no value. */
function askOpa(rule: string, input: string): unknown {
  const source = join(import.meta.dirname, "fixture", "release.rego");
  const words = ["eval", "--format", "json", "--stdin-input", "--data", source, `data.release.${rule}`];
  const answer = JSON.parse(execFileSync(opa ?? "opa", words, { input, encoding: "utf8" })) as {
    readonly result?: readonly [{ readonly expressions: readonly [{ readonly value: unknown }] }];
  };
  return answer.result?.[0].expressions[0].value;
}

const release = moduleBytes("release");
const facts = (critical: number) => ({
  subject: { name: "app" },
  attestations: { scan: [{ predicate: { critical } }] },
  params: { most: 1 },
  now: "2026-11-22T12:00:00Z",
});
const ask = (rule: string, input: unknown = facts(0), bytes = release) =>
  regoModule(bytes).ask(`release/${rule}`, JSON.stringify(input));

/** The code of what is thrown, which nothing else but errors of ours may be. */
function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isFactoryError(error)) return error.code;
    throw error;
  }
  return "none";
}

/** The module with a section put after its header. */
const withSection = (...section: readonly number[]) =>
  Uint8Array.from([...release.subarray(0, 8), ...section, ...release.subarray(8)]);
const moduleOf = (...sections: readonly number[]) => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]);
/** `(import "env" "memory" (memory PAGES))`. */
const memoryOf = (...limits: readonly number[]) => {
  const entry = [1, 3, ...Buffer.from("env"), 6, ...Buffer.from("memory"), 2, ...limits];
  return [2, entry.length, ...entry];
};

test("M1: a module that OPA compiled says true, false, or nothing; each question has an instance of its own", () => {
  const module = regoModule(release);
  for (let i = 0; i < 3; i++) {
    expect(module.ask("release/allow", JSON.stringify(facts(1)))).toBe(true);
    expect(module.ask("release/allow", JSON.stringify(facts(2)))).toBeUndefined();
    expect(module.ask("release/refused", "{}")).toBe(false);
  }
});

test("M1: anything else is no answer: text, sets, documents, contradictions, an unknown entrypoint, no JSON", () => {
  for (const rule of ["text", "reasons", "document"]) expect(codeOf(() => ask(rule))).toBe("REGO_ANSWER");
  expect(codeOf(() => ask("conflict"))).toBe("REGO_ABORTED");
  expect(codeOf(() => ask("nothing"))).toBe("REGO_ENTRYPOINT");
  expect(codeOf(() => ask("toString"))).toBe("REGO_ENTRYPOINT");
});

test("M1: an input that the module cannot read is refused: it is not judged without one", () => {
  for (const input of ["", "{", "nothing"]) {
    expect(codeOf(() => regoModule(release).ask("release/refused", input))).toBe("REGO_INPUT");
  }
  // Half of a pair of surrogates stands for no character.
  expect(codeOf(() => ask("refused", { half: "\ud800" }))).toBe("REGO_ABORTED");
  const strange = { ['\u0000\u0001\b\f\n\r\t"\\\u007f\u2028\u{1f600}']: [1e300, -0.5, 1e-7, null, true, {}] };
  expect(ask("refused", strange)).toBe(false);
});

test("M2: a module that wants a function of its host is refused by the name of the function", () => {
  expect(codeOf(() => regoModule(moduleBytes("clock")).ask("clock/allow", "{}"))).toBe("REGO_FUNCTION");
  expect(() => regoModule(moduleBytes("clock")).ask("clock/allow", "{}")).toThrow("time.now_ns");
});

test("M2: memory is bounded: what outgrows it stops, and the next question is answered", () => {
  expect(codeOf(() => ask("large"))).toBe("REGO_ABORTED");
  expect(codeOf(() => ask("allow", { large: "x".repeat(80 * 1024 * 1024) }))).toBe("REGO_ABORTED");
  expect(ask("allow")).toBe(true);
});

test("M2: memories, tags and heap types of its own, and what is no module of OPA, are refused", () => {
  const refused: readonly Uint8Array[] = [
    new Uint8Array(),
    Buffer.from("package release"),
    new Uint8Array(5 * 1024 * 1024),
    release.subarray(0, release.length - 1000),
    withSection(5, 3, 1, 0, 1),
    moduleOf(5, 3, 1, 0, 1),
    moduleOf(13, 1, 0),
    // A structure, and a function of references.
    moduleOf(1, 3, 1, 0x5f, 0),
    moduleOf(1, 5, 1, 0x60, 1, 0x70, 0),
    moduleOf(),
    moduleOf(...memoryOf(0, 0x81, 0x08)),
    // Shared memory.
    moduleOf(...memoryOf(3, 1, 1)),
  ];
  for (const bytes of refused) expect(codeOf(() => regoModule(bytes))).toBe("REGO_MODULE");
  // It starts, and has none of the functions.
  expect(codeOf(() => regoModule(moduleOf(...memoryOf(0, 1))).ask("a", "{}"))).toBe("REGO_MODULE");
});

test("M2: a damaged module is refused or answers; it breaks nothing", () => {
  // Its sections before the code: what is damaged there could not loop.
  const known = new Set(["none", "REGO_MODULE", "REGO_FUNCTION", "REGO_ENTRYPOINT", "REGO_ABORTED", "REGO_ANSWER"]);
  fc.assert(
    fc.property(fc.nat(200), fc.nat(255), (at, byte) => {
      const damaged = release.slice();
      damaged[at] = byte;
      expect(known).toContain(codeOf(() => regoModule(damaged)));
    }),
    { numRuns: 60 },
  );
});

test.skipIf(opa === undefined)("M1: OPA itself says the same (opa is not installed: skipped)", () => {
  const questions: readonly unknown[] = [
    ...[0, 1, 2, 1.5, -1].map(facts),
    {},
    { ...facts(0), now: "2031-01-01T00:00:00Z" },
    { ...facts(0), subject: { name: "äpp \u{1f600}" } },
    { ...facts(0), attestations: { scan: [] } },
  ];
  for (const input of questions) {
    expect(ask("allow", input)).toBe(askOpa("allow", JSON.stringify(input)));
    expect(ask("refused", input)).toBe(askOpa("refused", JSON.stringify(input)));
  }
});
