import type { FactoryError } from "@touchmark/core";

/** What happens in a proxy, for a progress line and a log. Addresses have no user information. */
export type ProxyEvent =
  | { readonly kind: "request"; readonly method: string; readonly url: string }
  | {
      readonly kind: "answered";
      readonly method: string;
      readonly url: string;
      readonly status: number;
      readonly bytes: number;
    }
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly url?: string }
  | { readonly kind: "retry"; readonly url: string; readonly attempt: number; readonly reason: string }
  /** A defect of this program; whoever listens shows it loudly. */
  | { readonly kind: "bug"; readonly code: string; readonly error: unknown; readonly url?: string };

/** What a proxy has done so far, and is doing. */
export interface ProxyCounts {
  readonly requests: number;
  readonly answered: number;
  /** Refused or failed, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Body bytes from upstream, as they came over the network. */
  readonly bytesIn: number;
  /** Body bytes to clients. */
  readonly bytesOut: number;
  readonly connections: number;
  /** Bodies that stream from upstream at this moment. */
  readonly bodies: number;
  /** Requests that carried credentials of the step, which went nowhere. */
  readonly droppedCredentials: number;
}

/** Counts of one proxy. */
export class ProxyTally {
  requests = 0;
  answered = 0;
  bytesIn = 0;
  bytesOut = 0;
  bodies = 0;
  droppedCredentials = 0;
  readonly #refused = new Map<string, number>();
  readonly #listener: ((event: ProxyEvent) => void) | undefined;

  constructor(listener: ((event: ProxyEvent) => void) | undefined) {
    this.#listener = listener;
  }

  tell(event: ProxyEvent): void {
    try {
      this.#listener?.(event);
    } catch {
      // A listener that fails must not let anything in or keep anything out.
    }
  }

  refuse(error: FactoryError, url?: URL): void {
    this.#refused.set(error.code, (this.#refused.get(error.code) ?? 0) + 1);
    const where = url === undefined ? {} : { url: url.href };
    this.tell({ kind: "refused", code: error.code, message: error.message, ...where });
    if (error.nature === "bug") this.tell({ kind: "bug", code: error.code, error: error.cause ?? error, ...where });
  }

  counts(connections: number): ProxyCounts {
    return {
      requests: this.requests,
      answered: this.answered,
      refused: Object.fromEntries(this.#refused),
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      connections,
      bodies: this.bodies,
      droppedCredentials: this.droppedCredentials,
    };
  }
}
