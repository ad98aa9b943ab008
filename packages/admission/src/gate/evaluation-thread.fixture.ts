import { parentPort } from "node:worker_threads";

/** A thread that does what tests tell it: answers, never ends, takes all memory, or dies. */
function serve(): void {
  parentPort?.on("message", ({ question }: { readonly question: string }) => {
    if (question === "loop") for (;;);
    if (question === "memory") {
      const held: unknown[] = [];
      for (;;) held.push(new Array(100_000).fill(held.length));
    }
    if (question === "die") process.exit(1);
    if (question === "fail") parentPort?.postMessage({ failure: "told to" });
    else parentPort?.postMessage({ answer: `answer to ${question}` });
  });
  parentPort?.postMessage({ ready: true });
}

export const thread = { serve };
