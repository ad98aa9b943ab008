import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import type { InspectionResult } from "@touchmark/policy";
import { chosenWorker, type StepLimits, type Worker } from "@touchmark/worker";
import { digestOfFile } from "../file-digest.ts";
import { artifactsBelow } from "./directory-artifacts.ts";
import { inspectionErrors } from "./errors.ts";

/** An inspection that ran. */
export interface InspectionRun extends InspectionResult {
  readonly name: string;
  /** The end of what it printed. */
  readonly printed: string;
}

/** Runs inspections over one artifact, each in a sandbox of its own, upon what the one before left. */
export interface Inspector {
  run(name: string, command: readonly string[]): Promise<InspectionRun>;
  close(): Promise<void>;
}

/** What an inspector works on. */
export interface InspectorSettings {
  readonly artifact: { readonly name: string; readonly path: string };
  /** What the artifact was when it was judged. */
  readonly digest: Digest;
  readonly limits?: Partial<StepLimits>;
  readonly signal?: AbortSignal;
  /** Default: the sandbox that this host has. */
  readonly worker?: Worker;
}

const defaultLimits: StepLimits = {
  memoryBytes: 1 << 30,
  pids: 512,
  seconds: 60,
  outputBytes: 2 * (1 << 30),
  logBytes: 1 << 20,
};

/** Where the sandbox has what it starts from, and where the command works. */
const INPUT = "/inspection/given";
const WORK = "/inspection/work";

/** Constant; the command stands behind it as arguments of their own, and no text of it is ever part of a shell line. */
const COPY_AND_RUN = `cp -RPp ${INPUT}/. . && exec "$@"`;

/** Opens an inspector. Nothing is made before the first inspection runs. `run` throws LAYOUT_ARTIFACT_CHANGED. */
export function openInspector(settings: InspectorSettings): Inspector {
  let scratch: string | undefined;
  let worker: Worker | undefined = settings.worker;
  let directory: string | undefined;
  let count = 0;
  const prepare = () => {
    scratch ??= realpathSync(mkdtempSync(join(tmpdir(), "touchmark-inspect-")));
    worker ??= chosenWorker({ stateDirectory: made(join(scratch, "sandbox")) });
    directory ??= firstDirectory(scratch, settings);
    return { scratch, worker, directory };
  };
  return {
    run: async (name, command) => {
      const at = prepare();
      count += 1;
      const output = made(join(at.scratch, `after-${count}`));
      const materials = artifactsBelow(at.directory);
      const printed: Uint8Array[] = [];
      const result = await at.worker.run({
        id: `inspection-${randomBytes(6).toString("hex")}`,
        command: ["/bin/sh", "-c", COPY_AND_RUN, "inspection", ...command],
        directory: WORK,
        environment: {},
        mounts: [{ host: at.directory, at: INPUT, access: "read-only" }],
        output: { host: output, at: WORK },
        view: { toolchains: [] },
        network: "none",
        limits: { ...defaultLimits, ...settings.limits },
        sourceDateEpoch: 0,
        onOutput: (chunk) => void printed.push(chunk),
        ...(settings.signal === undefined ? {} : { signal: settings.signal }),
      });
      directory = output;
      const exitCode = result.outcome === "succeeded" ? 0 : (result.exitCode ?? -1) || -1;
      const end = Buffer.concat(printed).toString("utf8").slice(-4000);
      return { name, exitCode, materials, products: artifactsBelow(output), printed: end };
    },
    close: async () => {
      if (settings.worker === undefined) await worker?.close?.();
      if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
    },
  };
}

function firstDirectory(scratch: string, { artifact, digest }: InspectorSettings): string {
  const directory = made(join(scratch, "given"));
  const copy = join(directory, artifact.name);
  copyFileSync(artifact.path, copy);
  chmodSync(copy, 0o644);
  if (digestOfFile(copy) === digest) return directory;
  throw inspectionErrors.make("LAYOUT_ARTIFACT_CHANGED", `${artifact.name} was ${digest}, and is something else now`);
}

function made(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  return directory;
}
