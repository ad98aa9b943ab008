import { join } from "node:path";
import { backendWorker } from "./chosen-worker.ts";

// A factory that runs one job and is killed meanwhile; used by tests only.
const [backend, state = "", withTracer, text = "{}", killAfterMs] = process.argv.slice(2);
const log = join(state, "trace.log");
const tracer = {
  wrap: (argv: readonly string[]) => [
    "/usr/bin/strace",
    "-f",
    "--seccomp-bpf",
    "-e",
    "trace=execve",
    "-o",
    log,
    "--",
    ...argv,
  ],
};
const worker = backendWorker(backend === "runc" || backend === "crun" ? backend : "bubblewrap", state);
await worker.probe();
if (killAfterMs !== undefined) setTimeout(() => process.kill(process.pid, "SIGKILL"), Number(killAfterMs));
await worker.run({ ...JSON.parse(text), ...(withTracer === "true" ? { tracer } : {}) });
