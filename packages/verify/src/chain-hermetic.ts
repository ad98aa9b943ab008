import type { Digest } from "@touchmark/core";
import { type ChainStatement, isOf, subjectDigest } from "./chain-statements.ts";
import type { VerifiedStep } from "./chain-steps.ts";

/** Origins of files that a step shares with the world: what it made itself needs no digest to be accounted for. */
const foreign: ReadonlySet<string> = new Set(["input", "toolchain"]);

/**
 * Why a chain is not hermetic, in words; empty when it is. Hermetic is measured, never declared: every step was
 * observed completely, every file of others that it read has a digest, and it had no network, or only one whose every
 * answer was recorded, admitted and reconciled with what was declared.
 */
export function notHermetic(
  chain: readonly ChainStatement[],
  run: string,
  steps: readonly VerifiedStep[],
): readonly string[] {
  const reasons: string[] = [];
  for (const step of steps) {
    if (!step.observed) reasons.push(`step ${step.name} was not observed completely`);
    if (step.network === "open") reasons.push(`step ${step.name} had an open network`);
    if (step.network === "proxy") reasons.push(...notAccounted(chain, step));
    if (step.unaccounted > 0) reasons.push(`step ${step.name} read ${step.unaccounted} files that have no digest`);
  }
  if (!steps.some((step) => step.network === "proxy")) return reasons;
  const reconciled = chain.filter(isOf("reconciliation")).filter((each) => each.run === run);
  const [only, ...more] = reconciled;
  if (only === undefined || more.length > 0) reasons.push("nothing compares what was declared, fetched and used");
  else if (!only.predicate.hermetic) {
    const differing = only.predicate.steps.flatMap((step) => step.differences.filter((each) => each.effect !== "note"));
    const names = [...new Set(differing.map((each) => each.name))].join(", ");
    reasons.push(`what was declared, fetched and used differs${names === "" ? "" : `: ${names}`}`);
  }
  return reasons;
}

function notAccounted(chain: readonly ChainStatement[], step: VerifiedStep): string[] {
  const about = chain
    .filter(isOf("materials"))
    .filter((each) => each.run === step.run && each.predicate.step === step.name && isAbout(each, step.output));
  const [only, ...more] = about;
  if (only === undefined || more.length > 0) return [`nothing says what came into step ${step.name}`];
  return only.predicate.accounted ? [] : [`not everything that came into step ${step.name} is accounted for`];
}

function isAbout(statement: ChainStatement, output: Digest): boolean {
  return subjectDigest(statement) === output;
}

/** Files of others in a trace that have no digest. */
export function unaccountedFiles(trace: ChainStatement<"runtime-trace">): number {
  const files = trace.predicate.monitorLog.fileAccess ?? [];
  return files.filter((file) => foreign.has(String(file.annotations?.["origin"])) && file.digest === undefined).length;
}
