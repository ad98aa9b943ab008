import type { Observation } from "@touchmark/observer";
import type { StepReport } from "./run-session.ts";

const LAST_LINES = 20;
const SOME = 10;

/** The last lines that a step printed. */
export function lastLines(log: Uint8Array): string[] {
  const lines = Buffer.from(log.subarray(-64 * 1024))
    .toString("utf8")
    .split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(-LAST_LINES);
}

/** What an observation says about itself. */
export function shortObservation(observation: Observation): NonNullable<StepReport["observation"]> {
  return { tier: observation.tier, complete: observation.complete, losses: observation.losses };
}

/** What a step touched, for the reader who wonders why it failed. */
export function touchedBy(observation: Observation): NonNullable<StepReport["touched"]> {
  return {
    read: observation.files.read.length,
    written: observation.files.written.slice(0, SOME).map((file) => file.path),
    network: observation.network
      .slice(0, SOME)
      .map(
        (attempt) =>
          `${attempt.call} ${attempt.address ?? attempt.family}${attempt.port === undefined ? "" : `:${attempt.port}`} ${attempt.result}`,
      ),
    refused: observation.refused.slice(0, SOME).map((call) => `${call.call} (${call.answer})`),
  };
}
