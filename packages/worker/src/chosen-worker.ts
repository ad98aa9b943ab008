import { type BubblewrapSettings, bubblewrapWorker } from "./bubblewrap.ts";
import type { StepJob } from "./job.ts";
import { ociRuntimeWorker } from "./oci-runtime.ts";
import type { WorkerBackend } from "./result.ts";
import type { Worker, WorkerProbe } from "./worker.ts";

/** Backends that make a sandbox, in the order in which they are taken: the cheapest for a step first. */
export const sandboxBackends = ["bubblewrap", "crun", "runc"] as const satisfies readonly WorkerBackend[];
export type SandboxBackend = (typeof sandboxBackends)[number];

/** Which backend was taken, and why. */
export interface WorkerChoice {
  /** Of the backend that was taken; its tier is null when none works. */
  readonly probe: WorkerProbe;
  readonly why: string;
  /** What the backends before it said, which do not work here. */
  readonly passed: readonly WorkerProbe[];
}

/** A worker that takes a backend at the first need. */
export interface ChosenWorker extends Required<Worker> {
  choice(): Promise<WorkerChoice>;
}

/** Settings of a worker of whichever backend. */
export interface ChosenWorkerSettings {
  readonly stateDirectory: string;
  /** The one to take, whether it works or not; absent: the first that works. */
  readonly backend?: SandboxBackend;
  /** Programs to use instead of those on `PATH`. */
  readonly programs?: BubblewrapSettings["programs"];
}

/** The worker of one backend. */
export function backendWorker(
  backend: SandboxBackend,
  stateDirectory: string,
  programs: BubblewrapSettings["programs"] = {},
): Required<Worker> {
  if (backend === "bubblewrap") return bubblewrapWorker({ stateDirectory, programs });
  return ociRuntimeWorker({ runtime: backend, stateDirectory });
}

/** Makes a worker of the backend that was asked for, or of the first that works on this host (SPEC W17). */
export function chosenWorker(settings: ChosenWorkerSettings): ChosenWorker {
  const workers = new Map<SandboxBackend, Required<Worker>>();
  const workerOf = (backend: SandboxBackend): Required<Worker> => {
    const worker = workers.get(backend) ?? backendWorker(backend, settings.stateDirectory, settings.programs);
    workers.set(backend, worker);
    return worker;
  };
  let chosen: Promise<{ readonly backend: SandboxBackend; readonly choice: WorkerChoice }> | undefined;
  const choose = async (): Promise<{ backend: SandboxBackend; choice: WorkerChoice }> => {
    const { backend } = settings;
    if (backend !== undefined) {
      return { backend, choice: { probe: await workerOf(backend).probe(), why: "it was asked for", passed: [] } };
    }
    const passed: WorkerProbe[] = [];
    for (const candidate of sandboxBackends) {
      const probe = await workerOf(candidate).probe();
      if (probe.tier !== null) {
        const why =
          passed.length === 0
            ? "it works here, and costs a step least"
            : `it works here, and ${passed.map((row) => row.backend).join(" and ")} cannot`;
        return { backend: candidate, choice: { probe, why, passed } };
      }
      passed.push(probe);
    }
    const [probe, ...others] = passed;
    if (probe === undefined) throw new TypeError("there are backends to take");
    return { backend: "bubblewrap", choice: { probe, why: "no backend works here", passed: others } };
  };
  const taken = (): NonNullable<typeof chosen> => {
    chosen ??= choose();
    return chosen;
  };
  const worker = async (): Promise<Required<Worker>> => workerOf((await taken()).backend);
  return {
    choice: async () => (await taken()).choice,
    probe: async () => (await taken()).choice.probe,
    run: async (job: StepJob) => (await worker()).run(job),
    shell: async (job: StepJob) => (await worker()).shell(job),
    close: async () => {
      for (const each of workers.values()) await each.close();
    },
  };
}
