import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Digest } from "@touchmark/core";
import { parseBundle, parseStatement } from "@touchmark/formats/evidence";
import { removeTree } from "@touchmark/store";
import { type Factory, openFactory } from "./factory.ts";
import type { RunEvent } from "./progress.ts";
import { type RunOutcome, type RunRequest, runPipeline } from "./run.ts";

/** Why no step can run here, or null. Used by tests only. */
export function missingForRuns(): string | null {
  if (process.platform !== "linux") return "building needs Linux";
  for (const [program, flag] of [
    ["git", "--version"],
    ["bwrap", "--version"],
    ["strace", "-V"],
  ] as const) {
    if (spawnSync(program, [flag], { stdio: "ignore" }).status !== 0) return `${program} is not installed`;
  }
  return null;
}

/** A git repository with a pipeline. */
export interface Project {
  readonly directory: string;
  /** Writes files (touchmark.yaml among them, when given) without committing. */
  write(files: Readonly<Record<string, string>>): void;
  /** Commits everything; gives the commit. */
  commit(message?: string): string;
  git(...words: readonly string[]): string;
}

/** A run with what happened in it. */
export interface Performed extends RunOutcome {
  readonly events: readonly RunEvent[];
}

/** One TOUCHMARK_HOME and projects to build in it. */
export interface Scene {
  readonly directory: string;
  readonly home: string;
  readonly factory: Factory;
  /** A project whose file holds these steps; `files` lie beside it. Committed. */
  project(name: string, pipeline: string, files?: Readonly<Record<string, string>>): Project;
  run(project: Project, request?: Partial<RunRequest>): Promise<Performed>;
  /** The statements of a run, by what they are, from the store's bundles. */
  statements(digests: readonly Digest[]): Promise<readonly SignedStatement[]>;
  close(): Promise<void>;
}

/** A stored statement, read and not verified. */
export interface SignedStatement {
  readonly bundle: Digest;
  readonly predicateType: string;
  readonly subjects: readonly { readonly name?: string; readonly digest: Readonly<Record<string, string>> }[];
  // Tests look into predicates of every kind.
  readonly predicate: Readonly<Record<string, never>>;
}

const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"];

/** Makes a project below a directory. */
export function makeProject(
  parent: string,
  name: string,
  pipeline: string,
  files: Readonly<Record<string, string>> = {},
): Project {
  const directory = join(parent, name);
  mkdirSync(directory, { recursive: true });
  const git = (...words: readonly string[]): string => {
    const done = spawnSync("git", [...identity, ...words], {
      cwd: directory,
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        HOME: parent,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_AUTHOR_DATE: "2026-01-02T03:04:05Z",
        GIT_COMMITTER_DATE: "2026-01-02T03:04:05Z",
      },
    });
    if (done.status !== 0) throw new Error(`git ${words.join(" ")}: ${done.stderr}`);
    return done.stdout.trim();
  };
  const write: Project["write"] = (given) => {
    for (const [file, text] of Object.entries(given)) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      writeFileSync(join(directory, file), text);
    }
  };
  const commit = (message = "change"): string => {
    git("add", "-A");
    git("commit", "-q", "--allow-empty", "-m", message);
    return git("rev-parse", "HEAD");
  };
  git("init", "-q", "-b", "main", ".");
  write({ "touchmark.yaml": pipelineFile(name, pipeline), ...files });
  commit("begin");
  return { directory, write, commit, git };
}

/** A whole touchmark.yaml around the body of its pipeline `default`. */
export function pipelineFile(project: string, body: string): string {
  const lines = body.replace(/^\n/, "").trimEnd().split("\n");
  const indent = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)));
  const inner = lines.map((line) => (line.trim() === "" ? "" : `    ${line.slice(indent)}`)).join("\n");
  return `touchmark: pipeline/v1\nproject: ${project}\npipelines:\n  default:\n${inner}\n`;
}

/** What a scene may have of its own. */
export interface SceneOptions {
  /** Text of the user's materials.yaml; default: no repository is trusted. Null: none, so that clients are asked. */
  readonly materials?: string | null;
}

/** Opens a scene with a factory of its own. */
export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-run-")));
  const home = join(directory, "home");
  const factory = await openFactory({ home, create: true });
  // Without it the first fetch step would ask the clients of this host.
  const { materials = "touchmark: materials/v1\nupstreams: {}\n" } = options;
  if (materials !== null) writeFileSync(join(home, "materials.yaml"), materials);
  return {
    directory,
    home,
    factory,
    project: (name, pipeline, files) => makeProject(join(directory, "projects"), name, pipeline, files),
    run: async (project, request = {}) => {
      const events: RunEvent[] = [];
      const outcome = await runPipeline(factory, {
        location: project.directory,
        jobs: 2,
        cache: true,
        environment: {},
        signal: new AbortController().signal,
        listener: (event) => events.push(event),
        ...request,
      });
      return { ...outcome, events };
    },
    statements: async (digests) =>
      Promise.all(
        digests.map(async (bundle) => {
          const { content } = parseBundle(await factory.content.get(bundle));
          if (content.kind !== "envelope") throw new Error(`no statement in ${bundle}`);
          const { predicateType, subject, predicate } = parseStatement(content.payload);
          return { bundle, predicateType, subjects: subject, predicate: predicate as SignedStatement["predicate"] };
        }),
      ),
    close: async () => {
      await factory.close();
      removeTree(directory);
    },
  };
}

/** Every bundle that a run recorded, in order. */
export async function bundlesOf(scene: Scene, run: string): Promise<Digest[]> {
  return (await scene.factory.runs.get(run)).bundles.map((row) => row.digest);
}

/** The statements of one kind, by the last part of their type: `link`, `provenance`. */
export async function statementsOf(scene: Scene, run: string, kind: string): Promise<readonly SignedStatement[]> {
  const all = await scene.statements(await bundlesOf(scene, run));
  return all.filter((each) => each.predicateType.split("/").at(-2) === kind);
}

/** The one entry of the step cache, or those of a step that its bundles name. */
export function cacheEntries(scene: Scene): { readonly path: string; readonly entry: Record<string, unknown> }[] {
  const place = scene.factory.home.paths.cache;
  return readdirSync(place)
    .filter((name) => name.startsWith("step-"))
    .map((name) => join(place, name))
    .map((path) => ({ path, entry: JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown> }));
}

/** Forgets the whole step cache. */
export function forgetCache(scene: Scene): void {
  for (const { path } of cacheEntries(scene)) rmSync(path);
}

/** Promise of the code that something fails with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
  return "no error";
}

/** Processes of this host whose command line holds a text; of the sandbox's processes when the text is one of theirs. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return existsSync(`/proc/${name}`) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

export { giveAdvisories, giveRules, npmAdvisory } from "./analysis/advisories.fixture.ts";
export { type FetchNetwork, openFetchNetwork } from "./materials/fetch-network.ts";
export {
  clientScript,
  npmPackage,
  packageLock,
  type TestRegistry,
  testRegistry,
} from "./materials/registry.fixture.ts";
export { openRunMaterials, type RunMaterials } from "./materials/run-materials.ts";
