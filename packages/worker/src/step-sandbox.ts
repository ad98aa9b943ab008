import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bubblewrapCommand, processesBeside } from "./bubblewrap-command.ts";
import { type ControlGroup, makeControlGroup, removeContainerGroup } from "./control-group.ts";
import type { SeccompFilter } from "./filter.ts";
import { type HostUser, takeHostUser } from "./host-user.ts";
import type { StepJob } from "./job.ts";
import { checkHidden, checkJob } from "./job-check.ts";
import { type MountPlan, planMounts } from "./mount-plan.ts";
import { runtimeCommand } from "./oci-runtime-command.ts";
import { removeScratch, scratchName } from "./reclaim.ts";
import { runtimeStep } from "./recorder.ts";
import type { Degradation, MountRow } from "./result.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { stepConstants } from "./sandbox-options.ts";
import { checkStart } from "./step-start.ts";
import { stepView } from "./step-view.ts";
import { inside } from "./system-view.ts";
import { resolveToolchains } from "./toolchains.ts";

/** Everything that one step's sandbox is made of, made and not yet started. */
export interface StepSandbox {
  readonly token: string;
  /** Command line that starts it, outermost program first. */
  readonly argv: readonly string[];
  /** What its options descriptor must give. */
  readonly options: Uint8Array;
  readonly filter: SeccompFilter;
  /** File for its filter descriptor. */
  readonly filterFile: string;
  readonly user: { readonly user: number; readonly group: number };
  readonly group: ControlGroup | null;
  readonly plan: MountPlan;
  readonly rows: readonly MountRow[];
  readonly constants: Readonly<Record<string, string>>;
  readonly temporaryBytes: number;
  readonly degraded: readonly Degradation[];
  /** Frees the user, the control group and the private views. The sandbox must be dead. */
  dispose(): Promise<void>;
}

/** Makes the sandbox of a job. What it took is given back when it fails half-way. */
export async function makeStepSandbox(host: SandboxHost, asked: StepJob, interactive: boolean): Promise<StepSandbox> {
  checkJob(asked);
  const toolchains = resolveToolchains(asked.view.toolchains);
  const constants = { ...stepConstants(asked, toolchains.path), ...toolchains.environment };
  const environment = { ...constants, ...asked.environment };
  const view = stepView(host, asked, toolchains.rows);
  const job = { ...asked, directory: checkStart(asked, view, environment.PATH ?? "") };
  const token = `${host.runtime === null ? "" : runtimeStep}${randomBytes(8).toString("hex")}`;
  const scratch = join(host.directory, "steps", scratchName(token));
  const filter = host.filter(job.network);
  const temporaryBytes = job.limits.temporaryBytes ?? Math.max(4096, Math.floor(job.limits.memoryBytes / 2));
  let own: HostUser | null = null;
  let second: HostUser | null = null;
  let group: ControlGroup | null = null;
  const dispose = async (): Promise<void> => {
    await group?.remove();
    own?.release();
    second?.release();
    if (host.runtime !== null) await removeContainerGroup(scratchName(token));
    await removeScratch(scratch);
  };
  try {
    own = host.root ? takeHostUser() : null;
    // An OCI runtime has a root of the container's, whom nobody is on the host either.
    second = host.root && host.runtime !== null ? takeHostUser() : null;
    const user = own ?? { user: process.getuid?.() ?? inside.user, group: process.getgid?.() ?? inside.group };
    const ours = [...job.mounts, ...(job.provided ?? []), job.output].map(({ host }) => host);
    const shown = view.rows.flatMap((row) => (row.kind === "link" || row.source === null ? [] : [row.source]));
    if (job.bridge !== undefined)
      checkHidden(job.bridge.socket, [...shown, ...ours, ...(view.image === null ? [] : [view.image])]);
    mkdirSync(scratch, { mode: 0o700 });
    const plan = await planMounts(job, view, scratch, user, host.abilities);
    const beside = host.runtime === null ? processesBeside : 0;
    group =
      host.groups &&
      makeControlGroup(host.groups, scratchName(token), { ...job.limits, pids: job.limits.pids + beside });
    const parts = { plan, group, filter, user, token, temporaryBytes, environment, interactive };
    return {
      token,
      ...(host.runtime === null
        ? bubblewrapCommand(host, job, parts)
        : runtimeCommand(host, host.runtime, job, { ...parts, scratch, root: second?.user ?? null })),
      filter,
      user,
      group,
      plan,
      rows: plan.rows,
      constants,
      temporaryBytes,
      degraded: [...degradations(host, job, group), ...plan.degraded],
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function degradations(host: SandboxHost, job: StepJob, group: ControlGroup | null): Degradation[] {
  const found: Degradation[] = [];
  const add = (code: Degradation["code"], detail: string): void => {
    found.push({ code, detail });
  };
  const has = (name: "memory" | "pids" | "cpu"): boolean => group?.controllers.includes(name) ?? false;
  if (!host.root)
    add("SAME_USER", "the step runs as the factory's own user; run the factory as root for a user per step");
  if (!has("memory")) add("NO_MEMORY_CGROUP", "memory is polled ten times a second, not bounded by the kernel");
  if (!has("pids")) add("NO_PIDS_CGROUP", "processes are bounded by a resource limit, not counted for the step");
  if (job.limits.cpus !== undefined && !has("cpu")) add("NO_CPU_CGROUP", "processor time is not bounded");
  if (host.recorder === null) add("REFUSALS_UNRECORDED", "refused calls are denied, but not recorded");
  if (job.network === "open") {
    add("OPEN_NETWORK", `the step shares the host's network${host.scope ? "" : ", abstract Unix sockets included"}`);
  }
  return found;
}
