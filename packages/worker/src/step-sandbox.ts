import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type ControlGroup, makeControlGroup } from "./control-group.ts";
import type { SeccompFilter } from "./filter.ts";
import { type HostUser, takeHostUser } from "./host-user.ts";
import type { StepJob } from "./job.ts";
import { checkHidden, checkJob } from "./job-check.ts";
import { type LaunchOperation, launchCommand, resource } from "./launcher.ts";
import { type MountPlan, planMounts } from "./mount-plan.ts";
import { removeScratch, scratchName } from "./reclaim.ts";
import type { Degradation, MountRow } from "./result.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { descriptor, sandboxCommand, sandboxOptions, stepConstants } from "./sandbox-options.ts";
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
export async function makeStepSandbox(host: SandboxHost, job: StepJob, interactive: boolean): Promise<StepSandbox> {
  checkJob(job);
  const toolchains = resolveToolchains(job.view.toolchains);
  const constants = { ...stepConstants(job, toolchains.path), ...toolchains.environment };
  const view = host.views.view(job.network, job.environment);
  const token = randomBytes(8).toString("hex");
  const scratch = join(host.directory, "steps", scratchName(token));
  const filter = host.filter(job.network);
  const temporaryBytes = job.limits.temporaryBytes ?? Math.max(4096, Math.floor(job.limits.memoryBytes / 2));
  let own: HostUser | null = null;
  let group: ControlGroup | null = null;
  const dispose = async (): Promise<void> => {
    await group?.remove();
    own?.release();
    await removeScratch(scratch);
  };
  try {
    own = host.root ? takeHostUser() : null;
    const user = own ?? { user: process.getuid?.() ?? inside.user, group: process.getgid?.() ?? inside.group };
    const system = [...view.rows, ...toolchains.rows];
    const ours = [...job.mounts, ...(job.provided ?? []), job.output].map(({ host }) => host);
    const shown = system.flatMap((row) => (row.kind === "link" || row.source === null ? [] : [row.source]));
    if (job.bridge !== undefined) checkHidden(job.bridge.socket, [...shown, ...ours]);
    mkdirSync(scratch, { mode: 0o700 });
    const plan = await planMounts(job, system, scratch, user, host.abilities);
    // Two processes of the sandbox program stand beside the step's.
    group =
      host.groups && makeControlGroup(host.groups, scratchName(token), { ...job.limits, pids: job.limits.pids + 2 });
    const options = sandboxOptions({
      job,
      environment: { ...constants, ...job.environment },
      binds: plan.options,
      temporaryBytes,
      newSession: !interactive,
    });
    return {
      token,
      argv: commandLine(host, job, { plan, group, filter, user, token, temporaryBytes }),
      options: Buffer.from(`${options.join("\0")}\0`),
      filter,
      filterFile: host.recorder === null ? host.filterFile(filter) : host.openFilterFile,
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

interface Parts {
  readonly plan: MountPlan;
  readonly group: ControlGroup | null;
  readonly filter: SeccompFilter;
  readonly user: { readonly user: number; readonly group: number };
  readonly token: string;
  readonly temporaryBytes: number;
}

/**
 * Outside in: a launcher that ties us to the step and makes private mounts; the tracer, if there is one; a launcher
 * that joins the control groups, installs the filter and becomes the step's user; the sandbox program. Without a
 * tracer the two launchers are one.
 */
function commandLine(host: SandboxHost, job: StepJob, parts: Parts): string[] {
  const fileBytes = Math.max(job.limits.outputBytes, parts.temporaryBytes) + 1;
  const first: LaunchOperation[] = [
    ["parent", process.pid],
    ["only", host.recorder === null ? descriptor.hold + 1 : descriptor.hold],
    ...parts.plan.operations,
  ];
  const second: LaunchOperation[] = [
    ["umask", "022"],
    ...(parts.group?.joinFiles ?? []).map((file): LaunchOperation => ["join", file]),
    ["limit", resource.core, 0],
    ["limit", resource.fileSize, fileBytes],
    ["limit", resource.openFiles, 65_536],
    ...(job.network === "open" && host.scope ? [["scope"] as const] : []),
    ...(host.recorder === null
      ? []
      : [["filter", host.filterFile(parts.filter), host.recorder.path, parts.token] as const]),
    ...(host.root ? [["become", parts.user.user, parts.user.group] as const] : []),
  ];
  const launch = (operations: readonly LaunchOperation[], command: readonly string[]): string[] =>
    launchCommand(host.perl, host.architecture, operations, command);
  const withPids = parts.group?.controllers.includes("pids") ?? false;
  const sandbox = sandboxCommand(host.bwrap, job.command, {
    processLimit: withPids ? null : job.limits.pids + 1,
    wait: host.recorder === null,
  });
  // Becoming another user has undone the tie to the parent: it is made again, last.
  if (job.tracer === undefined) return launch([...first, ...second, ["parent", process.pid]], sandbox);
  const traced = job.tracer.wrap(launch([...second, ["parent", 0]], sandbox));
  return launch(job.tracer.directory === undefined ? first : [...first, ["enter", job.tracer.directory]], traced);
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
