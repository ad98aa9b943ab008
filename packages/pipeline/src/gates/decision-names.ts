import type { RecordedBundle } from "../evidence/recorder.ts";

/** Names of the statements of gates in a run. */
export const decisionNames = {
  request: "decision/request",
  step: (step: string) => `step/${step}/decision`,
  dependencies: (step: string) => `step/${step}/dependencies`,
  publish: (artifact: string) => `decision/publish/${artifact}`,
} as const;

/** A bundle of a gate. */
export const isDecision = ({ name }: RecordedBundle): boolean =>
  name.startsWith("decision/") || /^step\/[^/]+\/(decision|dependencies)$/.test(name);
