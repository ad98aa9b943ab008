import type { ControlGroup } from "./control-group.ts";
import type { SeccompFilter } from "./filter.ts";
import type { StepJob } from "./job.ts";
import { type LaunchOperation, launchCommand, resource } from "./launcher.ts";
import type { MountPlan } from "./mount-plan.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { descriptor, sandboxCommand, sandboxOptions } from "./sandbox-options.ts";
import type { StepUser } from "./staging.ts";
import { checkShell } from "./step-start.ts";

/** What one step's sandbox is started with. */
export interface SandboxParts {
  readonly plan: MountPlan;
  readonly group: ControlGroup | null;
  readonly filter: SeccompFilter;
  readonly user: StepUser;
  readonly token: string;
  readonly temporaryBytes: number;
  readonly environment: Readonly<Record<string, string>>;
  /** True for a shell on the caller's terminal. */
  readonly interactive: boolean;
}

/** A command line that starts a sandbox, and what it is given by descriptor. */
export interface SandboxCommand {
  /** Outermost program first. */
  readonly argv: readonly string[];
  /** For the options descriptor. */
  readonly options: Uint8Array;
  /** File for the filter descriptor. */
  readonly filterFile: string;
}

/** Processes of the sandbox program's own that stand beside the step's, in its control group. */
export const processesBeside = 2;

/**
 * Outside in: a launcher that ties us to the step and makes private mounts; the tracer, if there is one; a launcher
 * that joins the control groups, installs the filter and becomes the step's user; the sandbox program. Without a
 * tracer the two launchers are one.
 */
export function bubblewrapCommand(host: SandboxHost, job: StepJob, parts: SandboxParts): SandboxCommand {
  const { plan, temporaryBytes, environment } = parts;
  const options = sandboxOptions({
    job,
    environment,
    root: plan.root,
    shown: plan.shown,
    temporaryBytes,
    newSession: !parts.interactive,
  });
  return {
    argv: commandLine(host, job, parts),
    options: Buffer.from(`${options.join("\0")}\0`),
    filterFile: host.recorder === null ? host.filterFile(parts.filter) : host.openFilterFile,
  };
}

function commandLine(host: SandboxHost, job: StepJob, parts: SandboxParts): string[] {
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
  const duties = { processLimit: withPids ? null : job.limits.pids + 1, wait: host.recorder === null };
  if (job.rootfs !== undefined && (duties.wait || duties.processLimit !== null)) checkShell(job, job.rootfs.directory);
  const sandbox = sandboxCommand(host.bwrap, job.command, duties);
  // Becoming another user has undone the tie to the parent: it is made again, last.
  if (job.tracer === undefined) return launch([...first, ...second, ["parent", process.pid]], sandbox);
  const traced = job.tracer.wrap(launch([...second, ["parent", 0]], sandbox));
  return launch(job.tracer.directory === undefined ? first : [...first, ["enter", job.tracer.directory]], traced);
}
