/**
 * Runs every benchmark in turn and writes docs/benchmarks.md. On a quiet machine; twelve minutes at most.
 *
 *   node bench/all.ts [--only PART,…] [--out FILE]        BENCH_SHORT=1: a smoke run, written to standard output
 *
 * A part that fails, is missing or takes too long is named with the reason, and the others go on.
 */
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Outcome, sessionDocument } from "./document.ts";
import { describeMachine, isShort } from "./machine.ts";
import { type Part, parts, programOf } from "./parts.ts";

const SESSION_SECONDS = 12 * 60;
const repository = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { only: { type: "string" }, out: { type: "string" } } });
const chosen = values.only?.split(",");
const begun = performance.now();
const elapsed = (): number => (performance.now() - begun) / 1000;

interface Ended {
  readonly stdout: string;
  readonly reason?: string;
}

/** Runs one program to its end, or to the end of its time; then everything that it started ends with it. */
function ended(program: string, words: readonly string[], seconds: number): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...words], {
    cwd: repository,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  let late = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-2000);
    process.stderr.write(text);
  });
  const endAll = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // All of them have ended.
    }
  };
  const timer = setTimeout(() => {
    late = true;
    endAll();
  }, seconds * 1000);
  return new Promise((resolve) => {
    const answer = (reason?: string): void => {
      clearTimeout(timer);
      endAll();
      resolve(reason === undefined ? { stdout } : { stdout, reason });
    };
    child.on("error", (error) => answer(error.message));
    child.on("close", (code, signal) => {
      if (late) answer(`not done after ${Math.round(seconds)} s`);
      else if (code === 0) answer();
      else answer(`ended with ${code ?? signal}: ${lastLine(stderr)}`);
    });
  });
}

function lastLine(text: string): string {
  const lines = text.trimEnd().split("\n");
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "").trim().slice(0, 300);
}

async function measure(part: Part): Promise<Outcome> {
  const refuse = (reason: string): Outcome => ({ part, figures: [], reason: reason.replaceAll(repository, ".") });
  if (chosen !== undefined && !chosen.includes(part.group) && !chosen.includes(part.name)) {
    return refuse("left out of this session");
  }
  const program = programOf(part);
  if (program === undefined) return refuse("this benchmark does not exist yet");
  const left = SESSION_SECONDS - elapsed();
  if (left < 10) return refuse("no time was left in the session");
  const { stdout, reason } = await ended(program, part.words, Math.min(part.seconds, left));
  if (reason !== undefined) return refuse(reason);
  try {
    const printed = JSON.parse(stdout);
    return {
      part,
      figures: part.read(printed),
      ...(Array.isArray(printed.missing) ? { missing: printed.missing } : {}),
    };
  } catch (error) {
    return refuse(`what it printed cannot be read: ${(error as Error).message}`);
  }
}

function revision(): string {
  const git = (...words: string[]): string =>
    spawnSync("git", words, { cwd: repository, encoding: "utf8" }).stdout?.trim() ?? "";
  const head = git("rev-parse", "--short=12", "HEAD");
  if (head === "") return "unknown";
  return git("status", "--porcelain", "--untracked-files=no") === "" ? head : `${head}, with changes`;
}

const machine = describeMachine();
if (machine.load > 0.7 && !isShort) {
  console.error(`bench: the machine is not quiet (load ${machine.load}); ratios hold better than times`);
}
const outcomes: Outcome[] = [];
for (const [i, part] of parts.entries()) {
  console.error(`bench: ${i + 1}/${parts.length} ${part.name} (${Math.round(elapsed())} s)`);
  const outcome = await measure(part);
  outcomes.push(outcome);
  if (outcome.reason !== undefined) console.error(`bench: ${part.name} not measured: ${outcome.reason}`);
}
const session = { machine, at: new Date(), seconds: elapsed(), revision: revision(), short: isShort, outcomes };
const document = sessionDocument(session);
const out = values.out ?? (isShort ? undefined : join(repository, "docs", "benchmarks.md"));
if (out === undefined) console.log(document);
else writeFileSync(out, document);
const failed = outcomes.filter(({ reason }) => reason !== undefined).length;
console.error(`bench: ${outcomes.length - failed} parts measured, ${failed} not, in ${Math.round(elapsed())} s`);
