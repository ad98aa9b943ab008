import { join } from "node:path";
import { sandboxRemedy } from "./abilities.ts";
import { findProgram, openSandboxHost } from "./sandbox-host.ts";
import { sandboxWorker } from "./sandbox-worker.ts";
import type { Worker, WorkerProbe } from "./worker.ts";

/** Settings of the bubblewrap backend. */
export interface BubblewrapSettings {
  /** Directory of ours for private views, pipes and generated files; may be shared with other workers. */
  readonly stateDirectory: string;
  /** Programs to use instead of those on `PATH`. */
  readonly programs?: { readonly bwrap?: string; readonly perl?: string };
}

/** Makes the worker that runs each step in a sandbox of its own by bubblewrap. Looks at nothing until it is asked. */
export function bubblewrapWorker(settings: BubblewrapSettings): Required<Worker> {
  const directory = join(settings.stateDirectory, "sandbox");
  return sandboxWorker(() => openSandboxHost(directory, settings.programs ?? {}), unable);
}

function unable(message: string, hint: string | undefined): WorkerProbe {
  const missing = [];
  if (findProgram("bwrap") === null)
    missing.push({ name: "bubblewrap", why: "it makes the sandbox", remedy: "apt-get install bubblewrap" });
  if (findProgram("perl") === null)
    missing.push({ name: "perl", why: "it starts the sandbox", remedy: "apt-get install perl-base" });
  if (missing.length === 0) missing.push({ name: "user namespaces", why: message, remedy: hint ?? sandboxRemedy() });
  return {
    backend: "bubblewrap",
    backendVersion: null,
    tier: null,
    degraded: [{ code: "NO_SANDBOX", detail: message }],
    missing,
    facts: {},
  };
}
