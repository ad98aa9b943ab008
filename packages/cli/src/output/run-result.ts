import type { RunOutcome, StepError, StepReport } from "@touchmark/pipeline";
import { oneLine, printable, type Terminal } from "../terminal.ts";
import { duration } from "./quantity.ts";

/** Shows how a run ended, and what to do next. */
export function showOutcome(outcome: RunOutcome, terminal: Terminal): void {
  const { style } = terminal;
  showFailures(outcome, terminal);
  if (outcome.error !== undefined) showError(outcome.error, "", terminal);
  const cached = outcome.steps.filter((step) => step.cached).length;
  const count = `${outcome.steps.length} steps${cached === 0 ? "" : `, ${cached} of them cached`}`;
  if (outcome.status !== "succeeded") {
    terminal.note(`${style.bad(outcome.status)}: ${count}, ${duration(outcome.durationMs)}; run ${outcome.run}`);
    return;
  }
  terminal.note(`${style.good("succeeded")}: ${count}, ${duration(outcome.durationMs)}`);
  for (const artifact of outcome.artifacts) terminal.print(`${artifact.digest}  ${artifact.name}`);
  const [first] = outcome.artifacts;
  if (first === undefined) return;
  if (outcome.error !== undefined) terminal.note(`next: touchmark publish ${outcome.run}   (goes on where it stopped)`);
  terminal.note(`next: touchmark verify ${first.digest}`);
  terminal.note(`      touchmark show ${outcome.run}`);
  terminal.note(`      touchmark export ${first.digest} --out DIR`);
}

function showError(error: StepError, where: string, terminal: Terminal): void {
  const { style } = terminal;
  terminal.note(`${style.bad(error.nature)} ${error.code}: ${where}${printable(error.message)}`);
  if (error.hint !== undefined) terminal.note(`  ${style.dim("what to do:")} ${printable(error.hint)}`);
}

/** Shows every step that failed or was refused. */
export function showFailures(outcome: RunOutcome, terminal: Terminal): void {
  for (const step of outcome.steps) {
    if (step.status === "failed" || step.status === "refused") showFailure(outcome, step, terminal);
  }
}

/** What the reader needs to mend a failed step, without another command. */
function showFailure(outcome: RunOutcome, step: StepReport, terminal: Terminal): void {
  const { style } = terminal;
  if (step.error !== undefined) {
    showError(step.error, `step ${step.name}: `, terminal);
    return;
  }
  terminal.note(
    style.bold(`step ${step.name}: ${step.outcome === "failed" ? `exit code ${step.exitCode}` : step.outcome}`),
  );
  for (const line of step.lastLines ?? []) terminal.note(`  | ${oneLine(line)}`);
  const { touched } = step;
  if (touched !== undefined) {
    terminal.note(
      `  it read ${touched.read} files, wrote ${touched.written.length === 0 ? "none" : touched.written.map(oneLine).join(", ")}`,
    );
    if (touched.network.length > 0) terminal.note(`  network attempts: ${touched.network.map(oneLine).join("; ")}`);
    if (touched.refused.length > 0) terminal.note(`  refused calls: ${touched.refused.map(oneLine).join("; ")}`);
  }
  terminal.note(`  more: touchmark logs ${outcome.run} ${step.name}      touchmark debug ${outcome.run} ${step.name}`);
}
