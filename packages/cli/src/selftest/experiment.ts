import type { Bench } from "./bench.ts";

/** What one experiment does to a factory that is otherwise in order. */
export interface Experiment {
  /** Stable name, for reports and `--only`. */
  readonly id: string;
  /** A violation in the source, a control switched off, a component stopped, or evidence altered. */
  readonly kind: "violation" | "control-off" | "stopped" | "altered";
  /** The control that must hold. */
  readonly control: string;
  /** What is tried, for people. */
  readonly attempt: string;
  /** Requirements of the field that it tests. */
  readonly practices: readonly string[];
  /** Why it cannot be tried on this pipeline or host; undefined when it can. */
  readonly skip?: (bench: Bench) => string | undefined;
  /** Tries it. What it changed it puts back. */
  readonly attack: (bench: Bench) => Promise<Attempt>;
}

/** What came of it. */
export interface Attempt {
  readonly exitCode: number;
  /** Everything that the command said. */
  readonly words: string;
  /** What must not exist afterwards: artifacts that a run released, or an acceptance. */
  readonly passed: boolean;
}

/** One experiment's result, as it is signed. */
export interface ExperimentResult {
  readonly id: string;
  readonly kind: Experiment["kind"];
  readonly control: string;
  readonly attempt: string;
  readonly practices: readonly string[];
  /** `held`: refused. `leaked`: it came through. `broken`: the command failed as no refusal may. */
  readonly outcome: "held" | "leaked" | "broken" | "skipped";
  /** Code of the refusal, or why it was skipped. */
  readonly detail: string;
}

/** Judges an attempt: nothing may have passed, and a failure must be a refusal with a name, no crash. */
export function judge(experiment: Experiment, { exitCode, words, passed }: Attempt): ExperimentResult {
  const { id, kind, control, attempt, practices } = experiment;
  const row = { id, kind, control, attempt, practices };
  const code = /\b(?!TOUCHMARK_)([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+): /.exec(words)?.[1];
  if (passed || exitCode === 0) return { ...row, outcome: "leaked", detail: `exit ${exitCode}` };
  if (/\bBUG\b/.test(words)) return { ...row, outcome: "broken", detail: words.trim().slice(0, 500) };
  return { ...row, outcome: "held", detail: code ?? `exit ${exitCode}` };
}
