import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Scene } from "./scene.ts";

/** The admission service in a process of its own. */
export interface Service {
  readonly url: string;
  /** PEM of the authority that vouches for it. */
  readonly authority: string;
  /** Milliseconds from the start of the program until it told its address. */
  readonly startMs: number;
  /** MiB of resident memory now. */
  residentMiB(): number;
  /** Milliseconds of processor time, of all threads, since it started. */
  processorMs(): number;
  stop(): Promise<void>;
}

/** Starts `touchmark admission serve` with the factory's own certificate. */
export async function startService({ home, command, policy, base }: Scene, words: readonly string[] = []) {
  const [program, ...first] = command;
  const listen = ["--listen", "127.0.0.1:0", "--tls-name", "localhost", "--policy", policy, "--json"];
  const since = performance.now();
  const child = spawn(program, [...words, ...first, "admission", "serve", ...listen], {
    cwd: base,
    env: { ...process.env, TOUCHMARK_HOME: home, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told = JSON.parse(await firstLine(child)) as { readonly url: string; readonly authority: string };
  const startMs = performance.now() - since;
  const status = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);
  const service: Service = {
    ...{ url: told.url, authority: readFileSync(told.authority, "utf8"), startMs },
    residentMiB: () => status("VmRSS") / 1024,
    processorMs() {
      const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
      const [user = 0, system = 0] = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .slice(11, 13)
        .map(Number);
      // A tick is 10 ms wherever Linux runs.
      return (user + system) * 10;
    },
    stop: () =>
      new Promise((done) => {
        child.once("exit", () => done());
        child.kill("SIGTERM");
      }),
  };
  return service;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the service ended with ${code} before it told its address`)));
  });
}
