import type { SandboxCommand, SandboxParts } from "./bubblewrap-command.ts";
import type { StepJob } from "./job.ts";
import type { OciRuntime, SandboxHost } from "./sandbox-host.ts";
export function runtimeCommand(
  host: SandboxHost,
  runtime: OciRuntime,
  job: StepJob,
  parts: SandboxParts & { readonly scratch: string; readonly root: number },
): SandboxCommand {
  throw new Error(`${host.perl}${runtime.name}${job.id}${parts.token}`);
}
