import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "../interleave.ts";
import { describeMachine, isShort } from "../machine.ts";

/**
 * What a run costs beside the commands of its steps: `node bench/run/steps.ts [--rounds N] [--json]`. Everything is
 * measured in one session, in turns, with a home on disk (below TMPDIR): bare shell, empty Node, `--help`, a run of
 * one and of eleven steps of `true` (their difference is the fixed cost of a step: observed, signed, logged), ten
 * cached steps, and `verify` of a released file. Medians; each also as a ratio to what it is built upon.
 */
const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = option("--rounds", isShort ? 1 : 7);
const machine = describeMachine();
const base = mkdtempSync(join(tmpdir(), "touchmark-bench-run-"));
const root = fileURLToPath(new URL("../..", import.meta.url));
const home = join(base, "home");
const dist = join(base, "dist");

function must(command: string, words: readonly string[], cwd = base): string {
  const done = spawnSync(command, words, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, TOUCHMARK_HOME: home, NO_COLOR: "1" },
  });
  if (done.status !== 0) throw new Error(`${command} ${words.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

function repository(name: string, count: number): string {
  const directory = join(base, name);
  mkdirSync(directory);
  const steps = Array.from({ length: count }, (_, i) => {
    const input = i === 0 ? "source" : `s${i - 1}`;
    const run = i === count - 1 ? "'echo done > \"$TOUCHMARK_OUTPUT/f\"'" : "'true'";
    return `      s${i}: { run: ${run}, inputs: { ${input}: /work/in } }\n`;
  });
  const artifacts = `    artifacts:\n      f: { from: s${count - 1}, path: f, kind: file }\n`;
  writeFileSync(
    join(directory, "touchmark.yaml"),
    `touchmark: pipeline/v1\nproject: ${name}\npipelines:\n  default:\n    steps:\n${steps.join("")}${artifacts}`,
  );
  must("git", ["init", "-q", "-b", "main", "."], directory);
  must("git", ["add", "-A"], directory);
  must(
    "git",
    ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "commit", "-q", "-m", "bench"],
    directory,
  );
  return directory;
}

try {
  must(process.execPath, [join(root, "tools", "build.ts"), "--out", dist]);
  const main = join(dist, "main.js");
  if (!existsSync(main)) throw new Error("the bundle was not made");
  // As a package has it: without this Node reads every file twice, to find out what it is.
  writeFileSync(join(dist, "package.json"), '{"type":"module"}\n');
  const one = repository("one", 1);
  const eleven = repository("eleven", 11);
  const ten = repository("ten", 10);
  const touchmark = (directory: string, ...words: string[]) => must(process.execPath, [main, ...words], directory);
  const answer = JSON.parse(touchmark(ten, "run", "--json")) as {
    artifacts: { path: string; digest: string; bundles: string[] }[];
  };
  touchmark(one, "run");
  const [artifact] = answer.artifacts;
  if (artifact === undefined) throw new Error("nothing was released");
  const names = JSON.parse(touchmark(ten, "trust", "--json")) as { trustDomain: string; issuer: string };
  const trustRoot = join(base, "trusted_root.json");
  touchmark(ten, "trust", "export", "--out", trustRoot);
  const verify = [
    "verify",
    artifact.path,
    "--bundle",
    artifact.bundles[0] ?? "",
    "--trust-root",
    trustRoot,
    "--identity",
    `spiffe://${names.trustDomain}/builder`,
    "--issuer",
    names.issuer,
  ];
  const subjects: Readonly<Record<string, () => void>> = {
    "ten bare shells": () => {
      for (let i = 0; i < 10; i++) must("/bin/sh", ["-eu", "-c", "true"]);
    },
    "empty node": () => void must(process.execPath, ["-e", ""]),
    help: () => void touchmark(one, "--help"),
    "verify one bundle": () => void touchmark(ten, ...verify),
    "verify the chain": () => void touchmark(ten, "verify", artifact.digest),
    "run of 1 step": () => void touchmark(one, "run", "--no-cache"),
    "run of 11 steps": () => void touchmark(eleven, "run", "--no-cache", "--jobs", "1"),
    "run of 10 cached steps": () => void touchmark(ten, "run"),
  };
  const times = new Map<string, number[]>(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, perform] of Object.entries(subjects)) {
      const begun = performance.now();
      perform();
      times.get(name)?.push(performance.now() - begun);
    }
  }
  const of = (name: string): number => median(times.get(name) ?? []);
  const perStep = (of("run of 11 steps") - of("run of 1 step")) / 10;
  const figures = {
    machine,
    rounds,
    milliseconds: Object.fromEntries([...times.keys()].map((name) => [name, Number(of(name).toFixed(1))])),
    "fixed cost of a step, ms": Number(perStep.toFixed(1)),
    "step against a bare shell": Number((perStep / (of("ten bare shells") / 10)).toFixed(1)),
    "help against empty node": Number((of("help") / of("empty node")).toFixed(2)),
    "verify against empty node": Number((of("verify one bundle") / of("empty node")).toFixed(2)),
    "ten cached steps against empty node": Number((of("run of 10 cached steps") / of("empty node")).toFixed(2)),
  };
  if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
  else console.log(JSON.stringify(figures, undefined, 2));
} finally {
  rmSync(base, { recursive: true, force: true });
}
