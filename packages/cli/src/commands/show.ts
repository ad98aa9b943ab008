import type { RunRecord } from "@touchmark/pipeline";
import { type Command, given } from "../command.ts";
import { duration, size } from "../output/quantity.ts";
import { registryOptions } from "../registry-options.ts";
import { printable, type Terminal } from "../terminal.ts";

/** `touchmark show`: what is recorded of a run or an artifact. Verifying is another command's part. */
export const command: Command = {
  name: "show",
  summary: "show what is known of an artifact or a run",
  arguments: [
    {
      name: "what",
      description: "a file, sha256:<digest>, a run, latest, HOST/NAME@<digest>, or HOST/NAME:TAG",
      required: true,
    },
  ],
  options: [...registryOptions, { flags: "--json", description: "machine-readable output" }],
  examples: [
    ["touchmark show dist/app.tgz", "source, steps and evidence of a file"],
    ["touchmark show latest", "the newest run"],
    ["touchmark show registry.example.com/app:1.0", "what a registry lists beside it; nothing is verified"],
  ],
  async run(invocation, terminal) {
    const { findRun, isDigestOrFile, namedArtifact, openFactory, pipelineErrors, runsOf } = await import(
      "@touchmark/pipeline"
    );
    const [what = "latest"] = invocation.arguments;
    if (what.includes("/") && !isDigestOrFile(what) && (await import("../image-source.ts")).isRegistryText(what)) {
      const { showInRegistry } = await import("../show-registry.ts");
      return showInRegistry(what, invocation, terminal);
    }
    const factory = await openFactory();
    try {
      let records: RunRecord[];
      let digest: string | undefined;
      if (isDigestOrFile(what)) {
        const artifact = await namedArtifact(what);
        digest = artifact.digest;
        records = await runsOf(factory, artifact.digest);
        if (records.length === 0) {
          throw pipelineErrors.make(
            "EVIDENCE_MISSING",
            `expected a run of this factory that made ${digest}, found none`,
          );
        }
      } else records = [await findRun(factory, what)];
      if (given(invocation, "json")) {
        terminal.print(
          JSON.stringify(digest === undefined ? records[0] : { artifact: digest, runs: records }, undefined, 2),
        );
        return 0;
      }
      if (digest !== undefined) {
        const times = records.length === 1 ? "once" : `${records.length} times`;
        terminal.print(
          `${terminal.style.bold("artifact")} ${digest}\n  made ${times} by this factory; the newest run:`,
        );
      }
      if (records[0] !== undefined) showRun(records[0], terminal);
      return 0;
    } finally {
      await factory.close();
    }
  },
};

interface RunDetails {
  readonly source?: { readonly uri?: string; readonly commit?: string; readonly treeDigest?: string };
  readonly request?: { readonly parameters?: Record<string, unknown>; readonly insecureOptions?: readonly string[] };
}

interface StepDetails {
  readonly exitCode?: number | null;
  readonly outcome?: string;
  readonly isolation?: string;
  readonly network?: string;
  readonly observation?: { readonly tier: string; readonly complete: boolean };
  readonly error?: { readonly code: string; readonly message: string };
  readonly materials?: {
    readonly packages: number;
    readonly bytes: number;
    readonly mirrored: number;
    readonly requests: number;
  };
}

/** Without a sandbox nothing keeps a step from the network; with one, what it fetches is recorded. */
function networkWords({ isolation, network }: StepDetails, style: Terminal["style"]): string {
  if (isolation === "process") return style.warn("open network");
  return network === "fetch" ? "recorded network" : "no network";
}

function showRun(run: RunRecord, terminal: Terminal): void {
  const { style } = terminal;
  const details = run.details as RunDetails;
  terminal.print(`${style.bold("run")} ${run.id}  ${run.state}  ${run.project}/${run.pipeline}  ${run.startedAt}`);
  terminal.print(`  source     ${printable(details.source?.uri ?? "unknown")}`);
  terminal.print(`  commit     ${details.source?.commit ?? "unknown"}`);
  terminal.print(`  tree       ${details.source?.treeDigest ?? "unknown"}`);
  const parameters = Object.entries(details.request?.parameters ?? {});
  if (parameters.length > 0)
    terminal.print(`  parameters ${printable(parameters.map(([k, v]) => `${k}=${String(v)}`).join(" "))}`);
  for (const option of details.request?.insecureOptions ?? []) terminal.print(`  ${style.bad(option)}`);
  for (const step of run.steps) {
    const facts = (step.details ?? {}) as StepDetails;
    const mark = step.status === "succeeded" ? style.good("ok") : style.bad(step.status);
    const time = step.cached ? "cached" : step.durationMs === null ? "" : duration(step.durationMs);
    const observed =
      facts.observation === undefined
        ? ""
        : `${facts.observation.tier}, ${facts.observation.complete ? "complete" : "INCOMPLETE"}`;
    const network = networkWords(facts, style);
    terminal.print(
      `  ${style.bold("step")} ${step.name.padEnd(12)} ${mark}  ${time.padStart(8)}  ${facts.isolation ?? ""}; ${network}; ${observed}`,
    );
    if (facts.materials !== undefined) {
      const { packages, bytes, mirrored, requests } = facts.materials;
      const from = mirrored === 0 ? "" : `, ${mirrored} from the mirror`;
      terminal.print(`    fetched ${packages} packages${from}; ${size(bytes)} in ${requests} requests`);
    }
    if (facts.error !== undefined) terminal.print(`    ${facts.error.code}: ${printable(facts.error.message)}`);
  }
  for (const artifact of run.artifacts) {
    terminal.print(`  ${style.bold("artifact")} ${artifact.name}  ${size(artifact.size)}  ${artifact.digest}`);
  }
  terminal.print(`  ${style.bold("evidence")} ${run.bundles.length} bundles`);
  for (const bundle of run.bundles) {
    const entry = bundle.logIndex === null ? "" : `log entry ${bundle.logIndex}`;
    terminal.print(
      `    ${bundle.digest.slice(0, 19)}…  ${shortType(bundle.predicateType).padEnd(24)} ${(bundle.step ?? "").padEnd(12)} ${entry}`,
    );
  }
}

function shortType(type: string): string {
  return type.replace(/^https:\/\/(touchmark\.dev\/predicates|in-toto\.io\/attestation|slsa\.dev)\//, "");
}
