import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readYaml } from "@touchmark/formats/pipeline";
import { selfTestErrors } from "./errors.ts";

/** A pipeline file as plain data. */
export interface PlainPipeline {
  [member: string]: unknown;
}

/** What the command said. */
export interface Told {
  readonly exitCode: number;
  readonly out: string;
  readonly words: string;
}

/** Where experiments are made: a copy of the user's source, and a factory of its own. */
export interface Bench {
  /** The copy of the source: a git repository. */
  readonly source: string;
  /** The scratch factory. */
  readonly home: string;
  readonly pipeline: string;
  /** Step that violations are planted in; undefined when there is none that runs on the host's files. */
  readonly victim: string | undefined;
  /** Step that may fetch; undefined when there is none. */
  readonly fetcher: string | undefined;
  /** Digest of the artifact of the good run. */
  artifact: string;
  /** Word that only the host knows: in a file of the user's and in a variable. */
  readonly canary: { readonly path: string; readonly variable: string; readonly value: string };
  /** `HOST:PORT` of a server on the host that answers everybody: what a step reaches it must not. */
  readonly server: string;
  /** Runs the command against the scratch factory. */
  tell(words: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Told>;
  /** Commits a changed pipeline to the copy; returns what puts the former one back. */
  plant(change: (step: PlainPipeline, pipeline: PlainPipeline) => void, step?: string): () => void;
  /** A PATH on which these programs are found first, and fail. */
  pathWithBroken(...programs: readonly string[]): string;
  /** Runs of the scratch factory that released something. */
  releases(): Promise<number>;
  close(): void;
}

/** How to make one. */
export interface BenchOptions {
  /** The command: Node's arguments. */
  readonly program: readonly string[];
  readonly location: string;
  readonly revision: string;
  readonly pipeline: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Makes the copy of the source and an empty factory. @throws SELFTEST_SOURCE */
export async function openBench(options: BenchOptions): Promise<Bench> {
  const place = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-selftest-")));
  const source = join(place, "source");
  const home = join(place, "home");
  const git = (...words: readonly string[]): string => {
    const ran = spawnSync("git", words, {
      encoding: "utf8",
      cwd: place,
      env: { PATH: options.environment["PATH"] ?? "" },
    });
    if (ran.status === 0) return ran.stdout;
    throw selfTestErrors.make(
      "SELFTEST_SOURCE",
      `expected to copy the source, found: ${ran.stderr.trim().slice(0, 500)}`,
    );
  };
  git("clone", "--quiet", "--no-hardlinks", options.location, source);
  const here = [
    "-C",
    source,
    "-c",
    "user.name=selftest",
    "-c",
    "user.email=selftest@localhost",
    "-c",
    "commit.gpgsign=false",
  ];
  git(...here, "checkout", "--quiet", "-B", "selftest", options.revision);
  const file = join(source, "touchmark.yaml");
  const original = readFileSync(file, "utf8");
  const base = git(...here, "rev-parse", "HEAD").trim();
  const plain = (): PlainPipeline => readYaml(original, file).value as unknown as PlainPipeline;
  const steps = stepsOf(plain(), options.pipeline);
  const names = Object.keys(steps);
  const network = (name: string) => (steps[name] as PlainPipeline | undefined)?.["network"];
  const canary = {
    path: join(place, "canary"),
    variable: "TOUCHMARK_SELFTEST_CANARY",
    value: `canary-${process.pid}-${Date.now()}`,
  };
  writeFileSync(canary.path, canary.value, { mode: 0o600 });
  const listener = createServer((_request, response) => response.end("reached"));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  const tell: Bench["tell"] = (words, environment = {}) =>
    run(
      options,
      words,
      { ...options.environment, TOUCHMARK_HOME: home, NO_COLOR: "1", [canary.variable]: canary.value, ...environment },
      source,
    );
  return {
    ...{ source, home, canary, tell, artifact: "", server: `127.0.0.1:${port}` },
    pipeline: options.pipeline,
    victim: names.find((name) => network(name) !== "fetch" && (steps[name] as PlainPipeline)["image"] === undefined),
    fetcher: names.find((name) => network(name) === "fetch"),
    plant(change, step) {
      const changed = plain();
      const target = step === undefined ? {} : stepsOf(changed, options.pipeline)[step];
      change(target as PlainPipeline, changed);
      // JSON is YAML, and needs no writer.
      writeFileSync(file, `${JSON.stringify(changed, null, 2)}\n`);
      git(...here, "commit", "--quiet", "--all", "--message", "selftest");
      return () => void git(...here, "reset", "--quiet", "--hard", base);
    },
    pathWithBroken(...programs) {
      const directory = mkdtempSync(join(place, "path-"));
      for (const program of programs) writeFileSync(join(directory, program), "#!/bin/sh\nexit 77\n", { mode: 0o755 });
      return `${directory}:${options.environment["PATH"] ?? ""}`;
    },
    async releases() {
      const told = await tell(["runs", "--limit", "1000", "--json"]);
      const runs = JSON.parse(told.out || "[]") as readonly {
        readonly state: string;
        readonly artifacts: readonly unknown[];
      }[];
      return runs.filter(({ state, artifacts }) => state === "succeeded" && artifacts.length > 0).length;
    },
    close() {
      listener.close();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

function stepsOf(file: PlainPipeline, pipeline: string): { readonly [name: string]: unknown } {
  const pipelines = file["pipelines"] as {
    readonly [name: string]: { readonly steps?: { readonly [name: string]: unknown } };
  };
  const steps = pipelines?.[pipeline]?.steps;
  if (steps !== undefined) return steps;
  throw selfTestErrors.make("SELFTEST_SOURCE", `expected a pipeline ${pipeline} with steps in touchmark.yaml`);
}

function run(
  { program, signal }: BenchOptions,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<Told> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...program, ...words], {
      cwd,
      env,
      signal,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString("utf8");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString("utf8");
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ exitCode: code ?? 137, out, words: `${err}\n${out}` }));
  });
}
