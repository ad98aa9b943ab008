import { createHash } from "node:crypto";
import type { Digest } from "@touchmark/core";
import type { BundleJson } from "./bundle.ts";
import type { MintWorld } from "./world.ts";

/** A statement of a minted run, before it is signed. Loosely typed: tests put anything anywhere. */
export interface RunStatement {
  readonly name: string;
  /** SPIFFE id. */
  signer: string;
  issuer?: string;
  statement: BundleJson;
  /** Names of earlier statements that it lists. */
  predecessors: string[];
}

/** The steps of the run, with their inputs and network. */
export const runSteps = [
  { name: "fetch", inputs: ["source"], network: "open" },
  { name: "build", inputs: ["source", "fetch"], network: "none" },
] as const;

/** Digest of a text. */
export const digestOf = (text: string): Digest => `sha256:${createHash("sha256").update(text).digest("hex")}`;
/** Hexadecimal digits of a digest. */
export const hex = (digest: Digest): string => digest.slice(7);
/** A subject by name and digest. */
export const subject = (name: string, digest: Digest) => ({ name, digest: { sha256: hex(digest) } });
/** Type of a predicate of our own. */
export const own = (name: string): string => `https://touchmark.dev/predicates/${name}/v1`;

/** What the run is about. */
export const runFacts = {
  run: "run-1",
  project: "demo",
  pipeline: "default",
  source: "git+https://git.example/demo",
  commit: "0123456789abcdef0123456789abcdef01234567",
  sourceTree: digestOf("source tree"),
  outputs: { fetch: digestOf("output of fetch"), build: digestOf("output of build") } as Record<string, Digest>,
  artifact: digestOf("app.tgz"),
} as const;

/** A statement before it is signed. */
export function draft(
  name: string,
  signer: string,
  type: string,
  subjects: unknown[],
  predicate: unknown,
  predecessors: string[],
): RunStatement {
  const statement = { _type: "https://in-toto.io/Statement/v1", subject: subjects, predicateType: type, predicate };
  return { name, signer, statement, predecessors };
}

/** Link, trace, storage and workload of a step. */
export function stepDrafts(
  world: MintWorld,
  run: string,
  step: { name: string; inputs: readonly string[]; network: string },
): RunStatement[] {
  const builder = `spiffe://${world.trustDomain}/builder`;
  const { name } = step;
  const id = `spiffe://${world.trustDomain}/project/${runFacts.project}/pipeline/${runFacts.pipeline}/step/${name}`;
  const output = runFacts.outputs[name] as Digest;
  const inputOf = (input: string): Digest =>
    input === "source" ? runFacts.sourceTree : (runFacts.outputs[input] as Digest);
  const before = [
    "trigger",
    "source",
    "node",
    ...step.inputs.filter((each) => each !== "source").map((each) => `step/${each}/link`),
  ];
  const products = name === "build" ? [subject("app.tgz", runFacts.artifact)] : [];
  const outputSubject = subject(`output/${name}`, output);
  return [
    draft(
      `step/${name}/workload`,
      builder,
      own("workload-attestation"),
      [outputSubject],
      {
        node: `spiffe://${world.trustDomain}/node`,
        workloads: [
          { step: name, spiffeId: id, attestedAt: "2026-06-01T12:00:00Z", selectors: [], keyHolder: "control-plane" },
        ],
      },
      before,
    ),
    draft(
      `step/${name}/link`,
      id,
      "https://in-toto.io/attestation/link/v0.3",
      [outputSubject, ...products],
      {
        name,
        command: ["make"],
        materials: step.inputs.map((input) => ({ name: input, digest: { sha256: hex(inputOf(input)) } })),
        byproducts: { "return-value": 0 },
        environment: { key: digestOf(`key of ${name}`) },
      },
      before,
    ),
    draft(
      `step/${name}/trace`,
      id,
      "https://in-toto.io/attestation/runtime-trace/v0.2",
      [outputSubject],
      {
        monitor: { type: "https://touchmark.dev/monitors/strace/v1" },
        monitoredProcess: { hostID: "node", type: "x:y", event: `run/${run}/step/${name}` },
        monitorLog: {},
        touchmark_trace: {
          tier: "strace",
          complete: true,
          losses: [],
          coverage: {},
          notCovered: [],
          events: {},
          written: [],
          deleted: [],
          transient: { count: 0, sample: [] },
          directories: { count: 0, sample: [] },
          refused: [],
        },
      },
      before,
    ),
    draft(
      `step/${name}/mounts`,
      builder,
      own("mounts-and-network"),
      [outputSubject],
      {
        steps: [
          {
            step: name,
            mounts: step.inputs.map((input) => ({
              at: `/work/${input}`,
              kind: "input",
              from: input,
              access: "read-only",
              digest: inputOf(input),
            })),
            output: { at: "/work/output", digest: output, sharedWith: [] },
            network: {
              declared: step.network === "open" ? "fetch" : "none",
              enforced: step.network,
              attempts: 0,
              recorded: false,
            },
          },
        ],
        hermetic: step.network === "none",
      },
      before,
    ),
  ];
}
