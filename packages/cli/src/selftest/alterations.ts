import { chmodSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import type { Attempt, Experiment } from "./experiment.ts";

/** Verifies the artifact of the good run. */
async function verify(bench: Bench): Promise<Attempt> {
  const { exitCode, words } = await bench.tell(["verify", bench.artifact]);
  return { exitCode, words, passed: exitCode === 0 };
}

/** Blobs of the store that are evidence, by their paths. */
function bundles(bench: Bench): readonly string[] {
  const directory = join(bench.home, "store", "blobs", "sha256");
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).size < 1_000_000 && readFileSync(path, "latin1").includes("dsseEnvelope"));
}

const altered = (row: Pick<Experiment, "id" | "control" | "attempt">, attack: Experiment["attack"]): Experiment => ({
  ...row,
  kind: "altered",
  practices: ["validate-step-signatures", "cryptographically-guarantee-policy-adherence"],
  attack,
});

/** Evidence and artifacts altered after a good run: nothing may be accepted any more. */
export const alterations: readonly Experiment[] = [
  altered(
    {
      id: "altered-artifact",
      control: "an artifact is what its evidence speaks of",
      attempt: "one byte is added to the released artifact",
    },
    async (bench) => {
      const from = join(bench.home, "store", "blobs", "sha256", bench.artifact.slice("sha256:".length));
      const copy = join(bench.home, "..", "altered");
      writeFileSync(copy, Buffer.concat([readFileSync(from), Buffer.from("x")]));
      const { exitCode, words } = await bench.tell(["verify", copy]);
      return { exitCode, words, passed: exitCode === 0 };
    },
  ),
  altered(
    {
      id: "altered-evidence",
      control: "evidence counts only as it was signed",
      attempt: "a byte of every bundle is changed",
    },
    async (bench) => {
      const changed = bundles(bench).map((path) => ({ path, bytes: readFileSync(path), mode: statSync(path).mode }));
      for (const { path, bytes } of changed) {
        chmodSync(path, 0o600);
        const at = Math.floor(bytes.length / 2);
        writeFileSync(
          path,
          Buffer.concat([bytes.subarray(0, at), Buffer.from([(bytes[at] ?? 0) ^ 1]), bytes.subarray(at + 1)]),
        );
      }
      try {
        return await verify(bench);
      } finally {
        for (const { path, bytes, mode } of changed) {
          writeFileSync(path, bytes);
          chmodSync(path, mode);
        }
      }
    },
  ),
  altered(
    { id: "missing-evidence", control: "absence never passes", attempt: "one bundle after the other is taken away" },
    async (bench) => {
      // Without a bundle nothing was tried, and nothing held.
      let last: Attempt = { exitCode: 0, words: "no bundle of the run was found", passed: true };
      for (const path of await evidenceOf(bench)) {
        renameSync(path, `${path}.aside`);
        try {
          last = await verify(bench);
        } finally {
          renameSync(`${path}.aside`, path);
        }
        if (last.passed) return last;
      }
      return last;
    },
  ),
];

/** Bundles of the good run: its record names them. */
async function evidenceOf(bench: Bench): Promise<readonly string[]> {
  const record = await bench.tell(["show", bench.artifact, "--json"]);
  const named = new Set(record.out.match(/sha256:[0-9a-f]{64}/g) ?? []);
  return bundles(bench).filter((path) => named.has(`sha256:${path.slice(-64)}`));
}
