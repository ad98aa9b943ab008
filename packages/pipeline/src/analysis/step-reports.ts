import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import type { ReportDefinition } from "@touchmark/formats/pipeline";
import { type Predecessor, type StepReportStatement, statementOf, subjectOf } from "@touchmark/formats/predicates";
import { type ReadReport, readStepReport, reportBytes } from "@touchmark/formats/step-reports";
import type { TreeStore } from "@touchmark/store";
import { chainOf, type RunFacts } from "../evidence/run-facts.ts";
import { type StepOutcomeFacts, signerIds } from "../evidence/run-statements.ts";
import type { PlannedStep } from "../plan.ts";
import type { RunSession } from "../run-session.ts";
import { analysisErrors } from "./errors.ts";

/** A report as it lies in a step's output. */
interface FoundReport {
  readonly definition: ReportDefinition;
  readonly digest: Digest;
  readonly bytes: number;
  readonly report: ReadReport;
}

/**
 * The reports that a step declares, read from its output by the control plane once the worker is dead. One that need
 * not be there is left out when it is not, and when it cannot be read.
 * @throws STEP_REPORT_MISSING | STEP_REPORT_MALFORMED
 */
export async function readReports(
  trees: TreeStore,
  step: PlannedStep,
  output: Digest,
): Promise<readonly FoundReport[]> {
  if (step.definition.reports.length === 0) return [];
  const entries = await trees.entries(output);
  return step.definition.reports.flatMap((definition): FoundReport[] => {
    const { path, kind, required } = definition;
    const entry = entries.find((each) => each.path === path);
    try {
      if (entry === undefined || (entry.kind !== "file" && entry.kind !== "executable")) {
        throw analysisErrors.make(
          "STEP_REPORT_MISSING",
          `step ${step.name}: expected a report at ${path} in its output, found ${entry?.kind ?? "nothing"}`,
        );
      }
      const bytes = readEntry(join(trees.root(output), path), entry.digest, `step ${step.name}: ${path}`);
      return [{ definition, digest: entry.digest, bytes: bytes.length, report: readStepReport(bytes, kind) }];
    } catch (cause) {
      if (!isFactoryError(cause) || cause.nature === "bug") throw cause;
      if (!required) return [];
      if (cause.code === "STEP_REPORT_MISSING") throw cause;
      throw analysisErrors.make("STEP_REPORT_MALFORMED", `step ${step.name}: ${path}: ${cause.message}`, { cause });
    }
  });
}

/** Bytes of a file of a tree, bounded before they are read, and of the digest that the tree says. */
function readEntry(path: string, digest: Digest, what: string): Uint8Array {
  const { size } = lstatSync(path);
  if (size > reportBytes) {
    throw analysisErrors.make("STEP_REPORT_MALFORMED", `${what}: expected at most ${reportBytes} bytes, found ${size}`);
  }
  const bytes = readFileSync(path);
  if (sha256(bytes) !== digest)
    throw analysisErrors.make("STEP_REPORT_MALFORMED", `${what} is no longer what the step left`);
  return bytes;
}

/** Signs what the steps of a run reported: bound to file, output and revision, and labelled as their own word. */
export async function recordStepReports(session: RunSession, outcomes: readonly StepOutcomeFacts[]): Promise<void> {
  const { factory, facts, recorder } = session;
  const drafts = [];
  for (const { step, output } of outcomes) {
    const before = recorder.predecessors("source", `step/${step.name}/link`, `step/${step.name}/cache-hit`);
    for (const found of await readReports(factory.trees, step, output)) {
      drafts.push({
        name: `step/${step.name}/report/${found.definition.path}`,
        spiffeId: signerIds.builder(facts),
        statement: reportStatement(facts, before, step.name, output, found),
      });
    }
  }
  if (drafts.length > 0) await recorder.record(drafts);
}

function reportStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  step: string,
  output: Digest,
  { definition, digest, bytes, report }: FoundReport,
): Statement<unknown> {
  const { format, tool, summary, failures } = report;
  const predicate: Omit<StepReportStatement, "run" | "createdAt" | "predecessors"> = {
    label: "reported by the step",
    step,
    path: definition.path,
    kind: definition.kind,
    format,
    digest,
    bytes,
    output,
    revision: facts.source.commit,
    ...(tool === undefined ? {} : { tool }),
    summary: [...summary],
    failures: [...failures],
  };
  return statementOf("step-report", [subjectOf(definition.path, digest)], {
    ...chainOf(facts, predecessors),
    ...predicate,
  });
}
