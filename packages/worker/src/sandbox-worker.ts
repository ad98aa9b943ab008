import { rmSync } from "node:fs";
import { isFactoryError } from "@touchmark/core";
import type { StepJob } from "./job.ts";
import type { Degradation, StepResult } from "./result.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { runStep } from "./step-run.ts";
import { runShell } from "./step-shell.ts";
import type { Worker, WorkerProbe } from "./worker.ts";

/**
 * A worker over a host that is opened at the first need, and again when its recorder has died.
 *
 * @param openHost tries what the host can do
 * @param unable what the probe says of a host that cannot be opened
 */
export function sandboxWorker(
  openHost: () => Promise<SandboxHost>,
  unable: (message: string, hint: string | undefined) => WorkerProbe,
): Required<Worker> {
  let opened: Promise<SandboxHost> | null = null;
  const open = async (): Promise<SandboxHost> => {
    opened ??= openHost();
    const current = opened;
    const host = await current.catch((error: unknown) => {
      // What is missing may be installed meanwhile.
      if (opened === current) opened = null;
      throw error;
    });
    if (host.recorder === null || host.recorder.alive()) return host;
    if (opened === current) opened = null;
    return open();
  };
  return {
    probe: async () => {
      try {
        return describe(await open());
      } catch (error) {
        if (!isFactoryError(error)) throw error;
        return unable(error.message, error.hint);
      }
    },
    run: async (job: StepJob): Promise<StepResult> => runStep(await open(), job),
    shell: async (job: StepJob): Promise<number> => runShell(await open(), job),
    close: async () => {
      const host = await opened?.catch(() => null);
      opened = null;
      if (host) closeHost(host);
    },
  };
}

/** Ends the recorder and removes the pipes. */
export function closeHost(host: SandboxHost): void {
  host.recorder?.close();
  rmSync(host.pipes.directory, { recursive: true, force: true });
}

function describe(host: SandboxHost): WorkerProbe {
  const degraded: Degradation[] = [];
  const missing: { name: string; why: string; remedy: string }[] = [];
  const lack = (code: Degradation["code"], name: string, why: string, remedy: string): void => {
    degraded.push({ code, detail: why });
    missing.push({ name, why, remedy });
  };
  if (!host.root)
    lack("SAME_USER", "a user per step", "steps run as the factory's own user", "run the factory as root");
  const groups = "run as root, or delegate control groups: systemd-run --user --scope -p Delegate=yes touchmark …";
  if (!host.groups?.parents.memory)
    lack("NO_MEMORY_CGROUP", "memory control group", "memory is polled, not bounded by the kernel", groups);
  if (!host.groups?.parents.pids)
    lack("NO_PIDS_CGROUP", "pids control group", "processes are bounded by a resource limit only", groups);
  if (!host.groups?.parents.cpu) lack("NO_CPU_CGROUP", "cpu control group", "processor time cannot be bounded", groups);
  if (host.recorder === null) {
    lack(
      "REFUSALS_UNRECORDED",
      "seccomp user notification",
      "refused calls are denied, but not recorded",
      "use Linux 5.9 or later",
    );
  }
  if (!host.abilities.overlay) {
    lack(
      "INPUT_COPIED",
      "overlay mounts",
      "private views of inputs are whole copies",
      "keep the state directory on ext4, xfs or btrfs",
    );
  }
  return {
    backend: host.runtime?.name ?? "bubblewrap",
    backendVersion: host.runtime?.version ?? host.bwrapVersion,
    tier: host.root ? "sandbox-own-user" : "sandbox-same-user",
    degraded,
    missing,
    facts: {
      architecture: host.architecture,
      "control groups":
        host.groups === null
          ? "none"
          : `version ${host.groups.version}: ${Object.keys(host.groups.parents).join(", ")}`,
      "private views": host.abilities.overlay ? "overlay" : "copy",
      "owner mapping": host.abilities.idmap ? "yes" : "no",
      "refused calls": host.recorder === null ? "denied" : "denied and recorded",
      "abstract sockets": host.scope ? "cut by Landlock" : "shared when the network is open",
    },
  };
}
