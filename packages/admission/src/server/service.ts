import type { WebhookParts } from "../webhook/webhook.ts";
import type { AdmissionMetrics } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";

/** What the service's handler rests on. */
export interface AdmissionService extends WebhookParts {
  readonly metrics: AdmissionMetrics;
  readonly readiness: () => Readiness;
  /** True: only callers with a certificate of a known authority may ask. */
  readonly demandsCallers: boolean;
  readonly limits: AdmissionLimits;
  /** Gauges of whoever runs it, for /metrics. */
  readonly gauges?: () => Promise<Readonly<Record<string, number>>>;
  /** Told of faults of ours. */
  readonly failed: (error: unknown) => void;
}

/** What the service bounds. */
export interface AdmissionLimits {
  /** Questions under way. Default 256. */
  readonly questions: number;
  /** Bytes of their bodies together. Default 64 MiB. */
  readonly bytes: number;
}

export const defaultLimits: AdmissionLimits = { questions: 256, bytes: 64 * 2 ** 20 };
