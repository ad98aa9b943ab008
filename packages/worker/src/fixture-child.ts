import { createInterface } from "node:readline";
import { backendWorker } from "./chosen-worker.ts";
import { testTracer } from "./fixture.ts";

// Runs the job on the first line of standard input with a worker of this process's user; used by tests only.
const [state = "", backend, how, traceDirectory] = process.argv.slice(2);
const worker = backendWorker(backend === "runc" || backend === "crun" ? backend : "bubblewrap", state);
const abort = new AbortController();
const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => void answer(line));

async function answer(line: string): Promise<void> {
  lines.on("line", () => abort.abort());
  const chunks: Uint8Array[] = [];
  try {
    const job = JSON.parse(line);
    const onOutput = (chunk: Uint8Array): unknown => chunks.push(Uint8Array.from(chunk));
    const tracer = traceDirectory === undefined ? {} : { tracer: testTracer(traceDirectory) };
    const result =
      how === "shell"
        ? { exitCode: await worker.shell(job) }
        : await worker.run({ ...job, ...tracer, onOutput, signal: abort.signal });
    process.stdout.write(JSON.stringify({ result: { ...result, text: Buffer.concat(chunks).toString() } }));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "NONE";
    process.stdout.write(JSON.stringify({ code, message: error instanceof Error ? error.message : String(error) }));
  }
  await worker.close();
  lines.close();
  process.stdin.destroy();
}
