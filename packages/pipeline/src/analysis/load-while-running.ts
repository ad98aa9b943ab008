import type { RunSession } from "../run-session.ts";

/** How long a first step is given to be on its way, in milliseconds. */
const HEAD_START_MS = 30;

/** Loads what looks into artifacts while steps run, where there are any left: then nobody waits for it afterwards. */
export function loadWhileRunning({ plan, reports }: RunSession): void {
  if (!plan.pipeline.analyse.wanted || plan.steps.every((step) => reports.has(step.name))) return;
  setTimeout(() => void import("./analyse-run.ts").catch(() => undefined), HEAD_START_MS).unref();
}
