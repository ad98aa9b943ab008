import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { SandboxCommand, SandboxParts } from "./bubblewrap-command.ts";
import { controlGroupPrefix } from "./control-group.ts";
import type { StepJob } from "./job.ts";
import { type LaunchOperation, launchCommand, mountFlag, namespaceFlag } from "./launcher.ts";
import { containerConfig } from "./oci-runtime-config.ts";
import { creatorProgram, keeperProgram } from "./oci-runtime-keeper.ts";
import { seccompProfile } from "./oci-runtime-profile.ts";
import type { OciRuntime, SandboxHost } from "./sandbox-host.ts";
import { descriptor } from "./sandbox-options.ts";

/**
 * Outside in: a launcher that ties us to the step, makes private mounts and a pid namespace around all; in it the
 * keeper; the tracer, if there is one; a launcher that installs the filter; the runtime, which makes the container.
 *
 * @param parts `scratch`: directory of this run; `root`: host user of the container's root, or null
 */
export function runtimeCommand(
  host: SandboxHost,
  runtime: OciRuntime,
  job: StepJob,
  parts: SandboxParts & { readonly scratch: string; readonly root: number | null },
): SandboxCommand {
  const { scratch } = parts;
  const bundle = join(scratch, "bundle");
  for (const name of ["bundle", "runtime"]) mkdirSync(join(scratch, name), { mode: 0o700 });
  const name = `${controlGroupPrefix}${basename(scratch)}`;
  const seccomp = seccompProfile(host.architecture, job.network, "SCMP_ACT_TRACE");
  const config = containerConfig(job, { ...parts, seccomp, controlGroup: `/${name}` });
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config), { mode: 0o600 });
  return { argv: commandLine(host, runtime, job, parts, name), options: new Uint8Array(), filterFile: "/dev/null" };
}

function commandLine(
  host: SandboxHost,
  runtime: OciRuntime,
  job: StepJob,
  parts: SandboxParts & { readonly scratch: string },
  id: string,
): string[] {
  const at = (name: string): string => join(parts.scratch, name);
  const say = (...words: readonly string[]): string[] => [
    ...[runtime.path, "--root", at("runtime"), ...(runtime.name === "crun" ? ["--cgroup-manager=disabled"] : [])],
    ...words,
  ];
  const first: LaunchOperation[] = [
    ["parent", process.pid],
    ["only", descriptor.hold + 1],
    ...parts.plan.operations,
    ["namespaces", namespaceFlag.cgroup | namespaceFlag.pid],
    ["child"],
    ["mount", "proc", "/proc", "proc", mountFlag.noSetuid | mountFlag.noDevices | mountFlag.noPrograms, ""],
    // One hierarchy without controllers, whatever the host has: the step's bounds are in control groups of ours.
    ["mount", "cgroup2", "/sys/fs/cgroup", "cgroup2", mountFlag.noSetuid | mountFlag.noDevices, ""],
  ];
  const { recorder } = host;
  const second: LaunchOperation[] = [
    ["only", 3],
    ...(job.network === "open" && host.scope ? [["scope"] as const] : []),
    ...(recorder === null ? [] : [["filter", host.filterFile(parts.filter), recorder.path, parts.token] as const]),
  ];
  const launch = (operations: readonly LaunchOperation[], command: readonly string[]): string[] =>
    launchCommand(host.perl, host.architecture, operations, command);
  const create = say("create", "--bundle", at("bundle"), "--pid-file", at("pid"), id);
  const creator = launch(second, [host.perl, "-e", creatorProgram, at("done"), ...create]);
  const start = say("start", id);
  const remove = say("delete", "--force", id);
  const keeper = [host.perl, "-e", keeperProgram, at("done"), at("pid"), String(start.length), String(remove.length)];
  const words = [...keeper, ...start, ...remove];
  if (job.tracer === undefined) return launch(first, [...words, ...creator]);
  const { directory } = job.tracer;
  const traced = job.tracer.wrap(creator);
  return launch(directory === undefined ? first : [...first, ["enter", directory]], [...words, ...traced]);
}
