import { workerErrors } from "./errors.ts";
import { heldDuties } from "./held-duties.ts";
import type { StepJob } from "./job.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { assertDead, startSandbox } from "./sandbox-process.ts";
import { makeStepSandbox } from "./step-sandbox.ts";

/** The sandbox of a step on the caller's terminal (SPEC W11). Nothing is timed, recorded or kept. */
export async function runShell(host: SandboxHost, job: StepJob): Promise<number> {
  const sandbox = await makeStepSandbox(host, job, true);
  const duties = heldDuties(host, job, sandbox);
  try {
    const standard = ["inherit", "inherit", "inherit"] as const;
    const process = startSandbox(sandbox, host, standard, false, duties.prepare, duties.announce);
    const code = await process.exit;
    await duties.close();
    await assertDead(sandbox, process.held());
    await host.recorder?.finish(sandbox.token, sandbox.filter);
    const failure = process.failure();
    if (failure !== null) throw failure.cause;
    if (code === null) throw workerErrors.make("SANDBOX_FAILED", "expected a sandbox for the shell, found none");
    return code;
  } finally {
    await duties.close();
    await sandbox.dispose();
  }
}
