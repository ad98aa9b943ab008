import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** A module of the tests, as OPA compiled it (fixture/build.sh). */
export function moduleBytes(name: "release" | "clock"): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(join(import.meta.dirname, "fixture", `${name}.wasm.gz`))));
}

const peers = process.env["TOUCHMARK_PEERS"] ?? join(homedir(), ".cache", "touchmark-peers");
const program = join(peers, "bin", "opa");
/** OPA itself, where bench/peers/install.sh put it. */
export const opa: string | undefined = existsSync(program) ? program : undefined;

/** What OPA says of a rule of release.rego; undefined: it has no value. */
export function askOpa(rule: string, input: string): unknown {
  const source = join(import.meta.dirname, "fixture", "release.rego");
  const words = ["eval", "--format", "json", "--stdin-input", "--data", source, `data.release.${rule}`];
  const answer = JSON.parse(execFileSync(opa ?? "opa", words, { input, encoding: "utf8" })) as {
    readonly result?: readonly [{ readonly expressions: readonly [{ readonly value: unknown }] }];
  };
  return answer.result?.[0].expressions[0].value;
}
