import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { platform, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Digest } from "@touchmark/core";
import { type PredicateOf, predicateType, readPredicate } from "@touchmark/formats/predicates";
import {
  type ExportReport,
  exportArtifact,
  type Factory,
  type FactoryOptions,
  openFactory,
  type RunEvent,
  type RunOutcome,
  type RunRequest,
  runPipeline,
} from "@touchmark/pipeline";
import { findProgram } from "@touchmark/test-kit";
import { readTrustRoot, type VerifiedStatement, verifyBundle } from "@touchmark/verify";

/** True where a pipeline can really be run: Linux with bubblewrap, strace and git. */
export const canBuild =
  platform() === "linux" && ["bwrap", "strace", "git"].every((name) => findProgram(name) !== undefined);

/** Three steps that exchange data: dependencies, build, package; nothing is shared between the first and the last. */
export const pipelineFile = `touchmark: pipeline/v1
project: demo
pipelines:
  default:
    parameters:
      version: { type: string, default: "1" }
    steps:
      fetch:
        run: cp lib.txt "$TOUCHMARK_OUTPUT/lib.txt"
        inputs: { source: /work/source }
        network: fetch
        limits: { time: 1m }
      build:
        command: [sh, build.sh]
        inputs:
          source: /work/source
          fetch: /work/deps
        environment: { MODE: release }
        limits: { time: 1m }
      pack:
        run: tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$TOUCHMARK_OUTPUT/app.tar" -C /work/built app.txt
        inputs: { build: /work/built }
        directory: /work/output
        limits: { time: 1m }
    artifacts:
      app: { from: pack, path: app.tar, kind: file }
`;

const buildScript = `set -eu
cat main.txt /work/deps/lib.txt > "$TOUCHMARK_OUTPUT/app.txt"
echo "version $TOUCHMARK_PARAM_VERSION" >> "$TOUCHMARK_OUTPUT/app.txt"
`;

/** Files of the little project. */
export const projectFiles: Readonly<Record<string, string>> = {
  "touchmark.yaml": pipelineFile,
  "main.txt": "main\n",
  "lib.txt": "lib\n",
  "build.sh": buildScript,
};

/** A project in git, a factory of its own, and what was run there. */
export interface Scene {
  readonly directory: string;
  readonly project: string;
  readonly factory: Factory;
  /** Commits these files on top; gives the commit. */
  commit(files: Readonly<Record<string, string | null>>): string;
  run(request?: Partial<RunRequest>, factory?: Factory): Promise<RunOutcome>;
  /** Everything that runs said, in order. */
  readonly events: RunEvent[];
  /** The verified evidence of a run, by name. */
  evidence(run: RunOutcome): Promise<Evidence>;
  export(run: RunOutcome): Promise<ExportReport>;
  close(): Promise<void>;
}

/** Opens a project with these files, and a new factory. */
export async function openScene(
  files: Readonly<Record<string, string>> = projectFiles,
  options: FactoryOptions = {},
): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-requirement-"));
  const project = join(directory, "project");
  mkdirSync(project);
  const git = gitIn(project);
  git("init", "-q", "-b", "main");
  const commit = (changed: Readonly<Record<string, string | null>>): string => {
    for (const [path, text] of Object.entries(changed)) {
      if (text === null) rmSync(join(project, path));
      else {
        mkdirSync(dirname(join(project, path)), { recursive: true });
        writeFileSync(join(project, path), text);
      }
    }
    git("add", "-A");
    git("commit", "-q", "-m", "change");
    return git("rev-parse", "HEAD").trim();
  };
  commit(files);
  const factory = await openFactory({ home: join(directory, "home"), create: true, ...options });
  // Without it the first fetch step would ask the clients of this host.
  const materials = join(factory.home.path, "materials.yaml");
  if (!existsSync(materials)) writeFileSync(materials, "touchmark: materials/v1\nupstreams: {}\n");
  const events: RunEvent[] = [];
  let exports = 0;
  return {
    directory,
    project,
    factory,
    commit,
    events,
    run: (request = {}, other = factory) =>
      runPipeline(other, {
        location: project,
        jobs: 2,
        cache: true,
        environment: {},
        signal: new AbortController().signal,
        listener: (event) => void events.push(event),
        ...request,
      }),
    evidence: (run) => readEvidence(factory, run),
    export: (run) => exportArtifact(factory, artifactOf(run), join(directory, `export-${++exports}`)),
    close: async () => {
      await factory.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Runs git in a directory, without the user's configuration. */
export function gitIn(directory: string): (...words: string[]) => string {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.org",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.org",
  };
  return (...words) => execFileSync("git", words, { cwd: directory, env, encoding: "utf8" });
}

/** The only artifact of a run. */
export function artifactOf(run: RunOutcome): Digest {
  const [artifact, ...more] = run.artifacts;
  if (artifact === undefined || more.length > 0) throw new Error(`expected one artifact of run ${run.run}`);
  return artifact.digest;
}

/** A verified bundle of a run, by the name that the release manifest gives it. */
export interface NamedBundle {
  readonly name: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly verified: VerifiedStatement;
}

/** All evidence of a run, each bundle verified for itself. */
export interface Evidence {
  readonly names: readonly string[];
  readonly all: readonly NamedBundle[];
  named(name: string): NamedBundle;
  predicate<Kind extends "release" | "source" | "trigger" | "link" | "provenance" | "environment" | "analysis">(
    kind: Kind,
    name: string,
  ): PredicateOf<Kind>;
  mounts(step: string): PredicateOf<"mounts-and-network">["steps"][number];
  workload(step: string): PredicateOf<"workload-attestation">["workloads"][number];
  trace(step: string): PredicateOf<"runtime-trace">;
  credentials(): PredicateOf<"credential-issuance">;
}

async function readEvidence(factory: Factory, run: RunOutcome): Promise<Evidence> {
  const record = await factory.runs.get(run.run);
  const trustRoot = readTrustRoot(await factory.trustRoot());
  const { issuer } = await factory.identity();
  const digests = [...new Set([...record.bundles, ...record.artifacts.flatMap((row) => row.bundles)].map(digestOf))];
  const read = new Map<Digest, { readonly bytes: Uint8Array; readonly verified: VerifiedStatement }>();
  for (const digest of digests) {
    const bytes = await factory.content.get(digest);
    const verified = verifyBundle(bytes, trustRoot, { artifact: "unbound", identityPattern: "spiffe://.+", issuer });
    read.set(digest, { bytes, verified });
  }
  const [closing] = [...read].filter(
    ([, { verified }]) => verified.statement.predicateType === predicateType("release"),
  );
  if (closing === undefined) throw new Error(`run ${run.run} has no release manifest`);
  const [releaseDigest, release] = closing;
  const manifest = readPredicate("release", release.verified.statement.predicate);
  const all: NamedBundle[] = manifest.bundles.map(({ name, digest }) => {
    const found = read.get(digest);
    if (found === undefined) throw new Error(`the bundle ${name} is not stored`);
    return { name, digest, ...found };
  });
  all.push({ name: "release", digest: releaseDigest, ...release });
  // The publish gate decides about what is released, so after it.
  for (const [digest, found] of read) {
    if (all.some((each) => each.digest === digest)) continue;
    const [subject] = found.verified.statement.subject;
    all.push({ name: `decision/publish/${subject?.name ?? ""}`, digest, ...found });
  }
  const named = (name: string): NamedBundle => {
    const found = all.find((bundle) => bundle.name === name);
    if (found === undefined) throw new Error(`no bundle ${name} among ${all.map((each) => each.name).join(", ")}`);
    return found;
  };
  const predicateOf = (name: string): unknown => named(name).verified.statement.predicate;
  return {
    names: all.map((bundle) => bundle.name),
    all,
    named,
    predicate: (kind, name) => readPredicate(kind, predicateOf(name)),
    mounts: (step) => first(readPredicate("mounts-and-network", predicateOf(`step/${step}/mounts`)).steps),
    workload: (step) => first(readPredicate("workload-attestation", predicateOf(`step/${step}/workload`)).workloads),
    trace: (step) => readPredicate("runtime-trace", predicateOf(`step/${step}/trace`)),
    credentials: () => readPredicate("credential-issuance", predicateOf("credentials")),
  };
}

function digestOf(row: Digest | { readonly digest: Digest }): Digest {
  return typeof row === "string" ? row : row.digest;
}

/** The first of a list that has one. */
export function first<Item>(list: readonly Item[]): Item {
  const [item] = list;
  if (item === undefined) throw new Error("expected at least one, found none");
  return item;
}

/** Matches an error with this code, which refuses something. */
export const refusal = (code: string, nature = "refused") => ({ code, nature });

/** When a bundle was signed, by the time-stamp over its signature. */
export function signedAt(bundle: NamedBundle): number {
  return first(bundle.verified.times).at.getTime();
}

/** The bytes of every exported bundle. */
export function exportedBundles(report: ExportReport): Uint8Array[] {
  return report.bundles.map((name) => readFileSync(join(report.bundlesDirectory, name)));
}

/** Code that an attempt is refused with, or `accepted`. */
export function codeOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "accepted";
}
