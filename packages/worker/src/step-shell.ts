import { workerErrors } from "./errors.ts";
import type { StepJob } from "./job.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { assertDead, startSandbox } from "./sandbox-process.ts";
import { makeStepSandbox } from "./step-sandbox.ts";

/** The sandbox of a step on the caller's terminal (SPEC W11). Nothing is timed, recorded or kept. */
export async function runShell(host: SandboxHost, job: StepJob): Promise<number> {
  const sandbox = await makeStepSandbox(host, job, true);
  try {
    const process = startSandbox(sandbox, host.recorder, ["inherit", "inherit", "inherit"], false);
    const code = await process.exit;
    await assertDead(sandbox, process.held());
    await host.recorder?.finish(sandbox.token, sandbox.filter);
    if (code === null) throw workerErrors.make("SANDBOX_FAILED", "expected a sandbox for the shell, found none");
    return code;
  } finally {
    await sandbox.dispose();
  }
}
