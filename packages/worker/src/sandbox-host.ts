import { randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { tryAbilities, tryControlGroups } from "./abilities.ts";
import { type ControlGroupHost } from "./control-group.ts";
import { workerErrors } from "./errors.ts";
import { openFilter, type SeccompFilter, seccompFilter } from "./filter.ts";
import type { StepNetwork } from "./job.ts";
import { LogPipes } from "./log-pipes.ts";
import { scratchName } from "./reclaim.ts";
import { type Recorder, startRecorder } from "./recorder.ts";
import { RootSkeletons } from "./root-view.ts";
import { type MountAbilities, stage } from "./staging.ts";
import { type Architecture, hostArchitecture } from "./system-calls.ts";
import { SystemViews } from "./system-view.ts";

/** What a worker found on its host, and what it keeps for all its steps. */
export interface SandboxHost {
  readonly directory: string;
  /** Makes the sandboxes in bubblewrap's place; null: bubblewrap does. */
  readonly runtime: OciRuntime | null;
  readonly bwrap: string;
  readonly bwrapVersion: string;
  readonly perl: string;
  readonly architecture: Architecture;
  readonly root: boolean;
  readonly abilities: MountAbilities;
  readonly groups: ControlGroupHost | null;
  /** Null when refused calls cannot be recorded here: the filter then answers by itself. */
  readonly recorder: Recorder | null;
  /** True when Landlock can cut abstract Unix sockets, which an open network would share. */
  readonly scope: boolean;
  readonly pipes: LogPipes;
  readonly views: SystemViews;
  readonly skeletons: RootSkeletons;
  filter(network: StepNetwork): SeccompFilter;
  /** What a bridge may call: what a step without network may, answered without asking. */
  readonly bridgeFilterFile: string;
  /** File with the real filter, and one that allows everything. */
  filterFile(filter: SeccompFilter): string;
  readonly openFilterFile: string;
}

/** An OCI runtime that was found to work. */
export interface OciRuntime {
  readonly name: "runc" | "crun";
  readonly path: string;
  readonly version: string;
}

/** Looks a program up on `PATH`, then in the system's directories. */
export function findProgram(name: string): string | null {
  const directories = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
  for (const directory of directories) {
    if (!directory.startsWith("/")) continue;
    try {
      accessSync(join(directory, name), constants.X_OK);
      return join(directory, name);
    } catch {
      // Not here.
    }
  }
  return null;
}

/** Opens the worker's directory and tries what this host can do; nothing is taken on trust. */
export async function openSandboxHost(
  directory: string,
  programs: { readonly bwrap?: string; readonly perl?: string; readonly runtime?: OciRuntime },
): Promise<SandboxHost> {
  const architecture = hostArchitecture();
  const runtime = programs.runtime ?? null;
  // With a runtime bubblewrap has no part in anything.
  const bwrap = runtime === null ? (programs.bwrap ?? findProgram("bwrap")) : "/bin/true";
  const perl = programs.perl ?? findProgram("perl");
  if (bwrap === null || perl === null) {
    const name = bwrap === null ? "bubblewrap" : "perl-base";
    throw workerErrors.make(
      "SANDBOX_UNAVAILABLE",
      `expected the program ${bwrap === null ? "bwrap" : "perl"}, found none`,
      {
        hint: `apt-get install ${name}`,
      },
    );
  }
  for (const name of ["steps", "etc", "skeletons", "filters", "pipes"]) {
    mkdirSync(join(directory, name), { recursive: true, mode: 0o700 });
  }
  if (process.getuid?.() === 0) mkdirSync(stage, { recursive: true, mode: 0o755 });
  const files = join(directory, "filters");
  const openFilterFile = join(files, "open.bpf");
  writeFileSync(openFilterFile, openFilter());
  const filterFile = (filter: SeccompFilter): string => {
    const path = join(files, `${filter.digest.slice("sha256:".length)}.bpf`);
    if (!existsSync(path)) {
      // Two workers may write it at once: none may read half of it.
      writeFileSync(`${path}.${process.pid}`, filter.bytes);
      renameSync(`${path}.${process.pid}`, path);
    }
    return path;
  };
  const bridgeFilterFile = filterFile(seccompFilter(architecture, "none", "errno"));
  const started = await tryRecorder(perl, architecture, directory);
  const recording = started && {
    filterFile: filterFile(seccompFilter(architecture, "none", "notify")),
    path: started.path,
  };
  const [tried, groups] = await Promise.all([
    tryAbilities({
      bwrap: runtime === null ? bwrap : null,
      perl,
      architecture,
      scratch: join(directory, "steps"),
      recording,
    }),
    tryControlGroups(perl, architecture),
  ]).catch((error: unknown) => {
    started?.close();
    throw error;
  });
  const recorder = tried.recording ? started : null;
  if (recorder === null) started?.close();
  const { root } = tried;
  const known = new Map<string, SeccompFilter>();
  return {
    directory,
    runtime,
    bwrap,
    bwrapVersion: tried.bwrapVersion,
    perl,
    architecture,
    root,
    abilities: { root, overlay: tried.overlay, idmap: tried.idmap, device: statSync(directory).dev },
    groups,
    recorder,
    scope: tried.scope,
    pipes: new LogPipes(join(directory, "pipes", scratchName(randomBytes(4).toString("hex")))),
    views: new SystemViews(join(directory, "etc")),
    skeletons: new RootSkeletons(join(directory, "skeletons")),
    filter: (network) => {
      const filter = known.get(network) ?? seccompFilter(architecture, network, recorder === null ? "errno" : "notify");
      known.set(network, filter);
      return filter;
    },
    filterFile,
    openFilterFile,
    bridgeFilterFile,
  };
}

async function tryRecorder(perl: string, architecture: Architecture, directory: string): Promise<Recorder | null> {
  // A socket's path is short; a deep home falls back to the temporary directory.
  const near = join(directory, `refused-${process.pid}-${Date.now()}`);
  const place = near.length <= 100 ? near : join(mkdtempSync("/tmp/touchmark-"), "refused");
  rmSync(place, { force: true });
  try {
    return await startRecorder(perl, architecture, place);
  } catch {
    return null;
  }
}
