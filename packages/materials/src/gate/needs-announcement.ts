import type { GateRules } from "./rules.ts";

/**
 * True when a rule needs what only an index says of a version: when it was published, by whom, whether it is withdrawn.
 * Clients with a lockfile often ask for no index; then whoever asks the gate must fetch it.
 */
export function needsAnnouncement(rules: GateRules): boolean {
  return (
    rules.minimumAge.seconds > 0 ||
    rules.asOf !== undefined ||
    rules.withdrawn === "refuse" ||
    rules.newPublisher === "refuse"
  );
}
