import { type Bridge, startBridge } from "./bridge.ts";
import type { StepJob } from "./job.ts";
import type { BridgeFacts } from "./result.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import type { HeldDuty, HeldFacts } from "./sandbox-process.ts";
import type { StepSandbox } from "./step-sandbox.ts";

/** What is done for a step while its sandbox is held, and undone when it is dead. */
export interface HeldDuties {
  /** Starts the bridge, for a job that has one. */
  readonly prepare: HeldDuty;
  /** Tells the caller. */
  readonly announce: HeldDuty;
  /** What the bridge found; null without one. */
  facts(): BridgeFacts | null;
  /** Ends the bridge. */
  close(): Promise<void>;
}

/** The duties of one job (SPEC W13, W14). */
export function heldDuties(host: SandboxHost, job: StepJob, sandbox: Pick<StepSandbox, "user" | "group">): HeldDuties {
  let bridge: Bridge | null = null;
  return {
    prepare: async (held) => {
      // A runtime makes the container before it is bounded: what that takes is not the step's.
      if (host.runtime !== null) sandbox.group?.add(held.pid);
      if (job.bridge !== undefined) {
        bridge = await startBridge(host, job.bridge, step(held), host.root ? sandbox.user : null);
      }
    },
    announce: async (held) => job.onHeld?.(step(held)),
    facts: () => bridge?.facts ?? null,
    close: async () => bridge?.close(),
  };
}

function step(held: HeldFacts): { pid: number; startTime: string; namespaces: HeldFacts["namespaces"] } {
  return { pid: held.pid, startTime: held.began, namespaces: held.namespaces };
}
