import type { Digest } from "@touchmark/core";
import type { SeverityClass } from "@touchmark/formats/findings";

/** How a step ended. `refused`: our side said no (evidence, limits, cache); `failed`: the step's own command did. */
export type StepStatus = "succeeded" | "failed" | "refused" | "skipped" | "cancelled";

/** What happens during a run, in order; for progress displays. Nothing here is evidence. */
export type RunEvent =
  | { readonly type: "run-started"; readonly run: string; readonly pipeline: string; readonly steps: readonly string[] }
  | { readonly type: "source-fetched"; readonly commit: string; readonly files: number; readonly durationMs: number }
  | {
      readonly type: "step-started";
      readonly step: string;
      readonly network: "none" | "fetch";
      readonly unsealed: boolean;
    }
  | { readonly type: "step-output"; readonly step: string; readonly chunk: Uint8Array }
  | {
      readonly type: "materials";
      readonly step: string;
      /** So far. */
      readonly packages: number;
      readonly bytes: number;
      readonly requests: number;
    }
  | {
      readonly type: "step-finished";
      readonly step: string;
      readonly status: StepStatus;
      readonly cached: boolean;
      readonly durationMs: number;
      readonly summary: string;
    }
  /** What a fetch step was allowed and got, in a line. */
  | { readonly type: "reconciled"; readonly step: string; readonly summary: string }
  | { readonly type: "note"; readonly text: string }
  /** What is known of an artifact's content; without `findings`, vulnerabilities were not evaluated. */
  | {
      readonly type: "analysed";
      readonly artifact: string;
      readonly components: number;
      readonly findings?: Readonly<Record<SeverityClass, number>>;
      readonly verdict: "passed" | "refused" | "not-evaluated";
      readonly warnings: readonly string[];
    }
  | { readonly type: "artifact"; readonly name: string; readonly digest: Digest; readonly bytes: number }
  | {
      readonly type: "published";
      readonly artifact: string;
      readonly reference: string;
      readonly tags: readonly string[];
      readonly bundles: number;
    }
  | { readonly type: "run-finished"; readonly status: StepStatus; readonly durationMs: number };

/** Receives events; must not throw. */
export type RunListener = (event: RunEvent) => void;
