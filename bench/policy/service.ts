import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { get } from "node:https";
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
  /** How many questions it answered, and the seconds that it says it took for all of them. */
  inside(): Promise<{ readonly count: number; readonly seconds: number }>;
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
  const line = await firstLine(child);
  const told = JSON.parse(line) as { readonly url?: string; readonly authority?: string };
  if (told.url === undefined || told.authority === undefined) throw new Error(`the service does not start: ${line}`);
  const startMs = performance.now() - since;
  const status = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);
  const { url } = told;
  const authority = readFileSync(told.authority, "utf8");
  const service: Service = {
    ...{ url, authority, startMs },
    async inside() {
      const page = await textOf(new URL("/metrics", url), authority);
      const value = (name: string): number =>
        Number(
          new RegExp(`^touchmark_admission_duration_seconds_${name}\\{endpoint="validate"\\} (.+)$`, "m").exec(
            page,
          )?.[1],
        );
      return { count: value("count"), seconds: value("sum") };
    },
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

function textOf(url: URL, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false, servername: "localhost", checkServerIdentity: () => undefined }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
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
