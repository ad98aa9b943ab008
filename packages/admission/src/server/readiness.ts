import type { AdmissionGate } from "../gate/types.ts";
import { askGate } from "../webhook/ask.ts";

/** Whether the service answers, and why it does not. */
export interface Readiness {
  readonly ready: boolean;
  /** Components that are not admitted, with why. */
  readonly problems: readonly string[];
}

/** A service that admits its own and the factory's components first. */
export interface SelfAdmission {
  state(): Readiness;
  /** Settled when every component was admitted, or when `close` was called. */
  readonly settled: Promise<void>;
  close(): void;
}

/** What is admitted first, and by whom. */
export interface SelfAdmissionSettings {
  readonly gate: AdmissionGate;
  /** References of the service's own image and of the factory's, by digest or by tag. */
  readonly components: readonly string[];
  /** Milliseconds between attempts. Default 5000. */
  readonly againMs?: number;
  /** Milliseconds that one attempt may take. Default 30000. */
  readonly withinMs?: number;
  readonly onProblem?: (message: string) => void;
}

/** Asks the gate about the components until it admits all: until then the service admits nobody. */
export function admitComponents(settings: SelfAdmissionSettings): SelfAdmission {
  const { gate, components, againMs = 5000, withinMs = 30_000, onProblem = () => undefined } = settings;
  const stopping = new AbortController();
  const unasked = components.map((component) => `${component}: not asked about yet`);
  let state: Readiness = { ready: components.length === 0, problems: unasked };
  let told = "";
  const attempt = async (): Promise<void> => {
    const facts = { operation: "SELF", kind: "component", environment: null, namespace: null };
    const context = { withinMs, signal: stopping.signal, dryRun: false, facts };
    const verdicts = [...(await askGate(gate, components, context)).values()];
    const problems = verdicts
      .filter(({ result }) => result !== "allow")
      .map(({ reference, message }) => `${reference}: ${message}`);
    state = { ready: problems.length === 0, problems };
    const text = problems.join("; ");
    if (text !== told && text !== "") onProblem(`components are not admitted: ${text}`);
    told = text;
  };
  const settled = (async () => {
    while (!state.ready && !stopping.signal.aborted) {
      await attempt();
      if (!state.ready) await pause(againMs, stopping.signal);
    }
  })();
  return { state: () => state, settled, close: () => stopping.abort() };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done, { once: true });
  });
}
