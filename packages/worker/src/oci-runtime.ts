import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { workerErrors } from "./errors.ts";
import type { StepJob } from "./job.ts";
import { findProgram, type OciRuntime, openSandboxHost, type SandboxHost } from "./sandbox-host.ts";
import { closeHost, sandboxWorker } from "./sandbox-worker.ts";
import { runStep } from "./step-run.ts";
import type { Worker, WorkerProbe } from "./worker.ts";

/** Settings of the backend that has an OCI runtime make the sandboxes. */
export interface OciRuntimeSettings {
  readonly runtime: OciRuntime["name"];
  /** Directory of ours for private views, pipes and generated files; may be shared with other workers. */
  readonly stateDirectory: string;
  /** Programs to use instead of those on `PATH`. */
  readonly programs?: { readonly runtime?: string; readonly perl?: string };
}

/** Makes the worker whose sandboxes are containers of an OCI runtime (SPEC W16). Looks at nothing until it is asked. */
export function ociRuntimeWorker(settings: OciRuntimeSettings): Required<Worker> {
  return sandboxWorker(
    () => openRuntimeHost(settings),
    (message, hint) => unable(settings, message, hint),
  );
}

/** Opens a host and has the runtime make one container on it: what a runtime can do here only a trial says. */
async function openRuntimeHost(settings: OciRuntimeSettings): Promise<SandboxHost> {
  const { runtime: name, stateDirectory } = settings;
  const path = settings.programs?.runtime ?? findProgram(name);
  if (path === null) throw unavailable(`expected the program ${name}, found none`, `apt-get install ${name}`);
  if (name === "runc" && process.getuid?.() !== 0) {
    throw unavailable(
      "expected to be root: for an ordinary user runc can show a step no user but root",
      "run the factory as root, or take crun or bubblewrap",
    );
  }
  const version = spawnSync(path, ["--version"], { encoding: "utf8", env: {} }).stdout ?? "";
  const runtime: OciRuntime = { name, path, version: /^(?:runc|crun) version (\S+)/.exec(version)?.[1] ?? "unknown" };
  if (name === "runc") refuseLeaky(runtime);
  const programs = settings.programs?.perl === undefined ? {} : { perl: settings.programs.perl };
  const host = await openSandboxHost(join(stateDirectory, "sandbox"), { ...programs, runtime });
  try {
    if (host.recorder === null) {
      throw unavailable(
        "expected refused calls to be recorded, found no seccomp notification",
        "use Linux 5.9 or later",
      );
    }
    await tryContainer(host);
    return host;
  } catch (error) {
    closeHost(host);
    throw error;
  }
}

/**
 * A runc before 1.1.12 leaks a descriptor of the host's files to the container, which a working directory behind a link
 * reaches (CVE-2024-21626). Distributions mend it without a new version, so the program itself is asked.
 */
function refuseLeaky({ path, version }: OciRuntime): void {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number);
  if (major > 1 || minor > 1 || (major === 1 && minor === 1 && patch >= 12)) return;
  let program = Buffer.alloc(0);
  try {
    program = readFileSync(path);
  } catch {
    // It cannot be run either.
  }
  if (program.includes("possible container breakout detected")) return;
  throw unavailable(
    `expected a runc with the fix of CVE-2024-21626, found ${version}`,
    "update runc to 1.1.12 or later",
  );
}

async function tryContainer(host: SandboxHost): Promise<void> {
  const output = join(host.directory, `try-${process.pid}-${Date.now()}`);
  mkdirSync(output, { mode: 0o755 });
  const job: StepJob = {
    id: "try",
    command: ["/bin/true"],
    directory: "/",
    environment: {},
    mounts: [],
    output: { host: output, at: "/work/output" },
    view: { toolchains: [] },
    network: "none",
    limits: { memoryBytes: 256 << 20, pids: 64, seconds: 20, outputBytes: 1 << 20, logBytes: 4096 },
    sourceDateEpoch: 0,
  };
  try {
    const { outcome } = await runStep(host, job);
    if (outcome !== "succeeded") throw unavailable(`expected a container to end well, found: ${outcome}`);
  } catch (error) {
    if (!isFactoryError(error) || error.code !== "SANDBOX_FAILED") throw error;
    throw unavailable(`expected ${host.runtime?.name} to make a container; ${error.message}`);
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

function unavailable(message: string, hint?: string): Error {
  return workerErrors.make("WORKER_RUNTIME_UNAVAILABLE", message, hint === undefined ? {} : { hint });
}

function unable(settings: OciRuntimeSettings, message: string, hint: string | undefined): WorkerProbe {
  const name = settings.runtime;
  return {
    backend: name,
    backendVersion: null,
    tier: null,
    degraded: [{ code: "NO_SANDBOX", detail: message }],
    missing: [{ name, why: message, remedy: hint ?? "run `touchmark doctor`; bubblewrap needs less of a host" }],
    facts: {},
  };
}
