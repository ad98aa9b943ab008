import type { AdvisoryDatabase } from "@touchmark/advisories";
import type { Digest, Nature } from "@touchmark/core";
import type { FactoryIdentity } from "@touchmark/identity";
import type { Observer } from "@touchmark/observer";
import type { OpenRun, RunStep } from "@touchmark/store";
import type { TrustRoot } from "@touchmark/verify";
import type { Worker } from "@touchmark/worker";
import type { EvidenceRecorder } from "./evidence/recorder.ts";
import type { RunFacts } from "./evidence/run-facts.ts";
import type { StepOutcomeFacts } from "./evidence/run-statements.ts";
import type { Factory } from "./factory.ts";
import type { RunGates } from "./gates/run-gates.ts";
import type { HostFiles } from "./host-files.ts";
import type { RunImages } from "./images/run-images.ts";
import type { FetchSummary } from "./materials/fetch-report.ts";
import type { RunMaterials } from "./materials/run-materials.ts";
import type { UsedFiles } from "./materials/used-files.ts";
import type { Plan, PlannedStep } from "./plan.ts";
import type { RunListener, StepStatus } from "./progress.ts";

/** Why our side ended a step or a run. */
export interface StepError {
  readonly code: string;
  readonly nature: Nature;
  readonly message: string;
  readonly hint?: string;
}

/** A step's result as `run --json` prints it. */
export interface StepReport {
  readonly name: string;
  readonly status: StepStatus;
  readonly cached: boolean;
  readonly durationMs: number;
  readonly exitCode: number | null;
  /** How the worker says that it ended; undefined when it never ran. */
  readonly outcome?: string;
  readonly output?: Digest;
  readonly network: "none" | "fetch";
  readonly observation?: { readonly tier: string; readonly complete: boolean; readonly losses: readonly string[] };
  readonly isolation?: string;
  /** What a fetch step brought. */
  readonly materials?: FetchSummary;
  readonly bundles: readonly Digest[];
  /** Why it was refused. */
  readonly error?: StepError;
  /** The last lines that a failed step printed. */
  readonly lastLines?: readonly string[];
  /** What a failed step touched, in short. */
  readonly touched?: {
    readonly read: number;
    readonly written: readonly string[];
    readonly network: readonly string[];
    readonly refused: readonly string[];
  };
}

/** Everything that the parts of one run share. */
export interface RunSession {
  readonly factory: Factory;
  readonly identity: FactoryIdentity;
  readonly trustRoot: TrustRoot;
  /** Certificates that this process had issued before the run. */
  readonly issuedBefore: number;
  readonly plan: Plan;
  readonly facts: RunFacts;
  readonly run: OpenRun;
  readonly recorder: EvidenceRecorder;
  /** Where policies decide before something is done. */
  readonly gates: RunGates;
  /** The worker, tried on this host at the first call. @throws ISOLATION_BELOW_DEMAND */
  readonly ready: () => Promise<Worker>;
  /** For steps that ask for no sandbox; absent unless the caller allowed them. */
  readonly unsealed?: Worker;
  readonly observe: (traceDirectory: string) => Promise<Observer>;
  readonly hostFiles: HostFiles;
  /** Digest of the sandbox's profile: what decides a step beside its definition. */
  readonly profile: () => Promise<Digest>;
  readonly clientEnvironment: Readonly<Record<string, string>>;
  /** The advisory data of this factory, opened by who asks first; undefined where there is none. */
  readonly advisories: () => Promise<AdvisoryDatabase | undefined>;
  /** What fetch steps share; opened by the first of them. */
  readonly materials: () => Promise<RunMaterials>;
  /** Files of fetch steps' outputs that other steps read, by the fetching step. */
  readonly used: UsedFiles;
  /** Images of steps and artifacts; undefined while, or where, there are none. */
  images?: RunImages;
  readonly useCache: boolean;
  readonly signal: AbortSignal;
  readonly listener: RunListener;
  /** Trees by name: `source`, and each step that is done. */
  readonly trees: Map<string, Digest>;
  readonly outcomes: Map<string, StepOutcomeFacts>;
  readonly reports: Map<string, StepReport>;
}

/** Writes the state of all steps into the run's record. */
export async function recordSteps(session: RunSession, running: ReadonlySet<string>): Promise<void> {
  await session.run.update({
    steps: session.plan.steps.map((step): RunStep => {
      const report = session.reports.get(step.name);
      if (report === undefined) {
        const status = running.has(step.name) ? "running" : "pending";
        return { name: step.name, status, cached: false, durationMs: null, output: null };
      }
      return {
        name: step.name,
        status: report.status,
        cached: report.cached,
        durationMs: Math.round(report.durationMs),
        output: report.output ?? null,
        details: JSON.parse(JSON.stringify({ ...report, bundles: report.bundles })),
      };
    }),
    bundles: session.recorder.bundles.map(({ digest, predicateType, logIndex, name }) => ({
      digest,
      predicateType,
      step: /^step\/([^/]+)\//.exec(name)?.[1] ?? null,
      logIndex,
    })),
  });
}

/** Names of the steps that read a step's output. */
export function readersOf(session: RunSession, step: PlannedStep): string[] {
  return session.plan.steps.filter((other) => other.after.includes(step.name)).map((other) => other.name);
}
