import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ControlGroup, type ControlGroupHost, findControlGroups, makeControlGroup } from "./control-group.ts";
import { workerErrors } from "./errors.ts";
import { type LaunchOperation, launchCommand } from "./launcher.ts";
import { removeScratch, scratchName } from "./reclaim.ts";
import { stage } from "./staging.ts";
import type { Architecture } from "./system-calls.ts";

/** What was found by trying. */
export interface Abilities {
  readonly bwrapVersion: string;
  /** True when steps can be host users of their own: we are root, and really can become others and mount. */
  readonly root: boolean;
  readonly overlay: boolean;
  readonly idmap: boolean;
  readonly scope: boolean;
  /** True when a filter with a listener can be installed and the sandbox program works under it. */
  readonly recording: boolean;
}

interface Trial {
  /** Null where an OCI runtime makes the sandboxes, and is tried on its own. */
  readonly bwrap: string | null;
  readonly perl: string;
  readonly architecture: Architecture;
  /** Directory of the worker in which private views will be made. */
  readonly scratch: string;
  /** Filter file and recorder's socket, when there is a recorder. */
  readonly recording: { readonly filterFile: string; readonly path: string } | null;
}

/**
 * Tries a sandbox, another user, an overlay, an owner mapping, a recorded filter and Landlock's scopes, all at once.
 * Only the sandbox is indispensable. Root in a container may be root in name only: then it counts as an ordinary user.
 */
export async function tryAbilities(trial: Trial): Promise<Abilities> {
  const launch = async (operations: readonly LaunchOperation[], command: readonly string[]): Promise<Tried> =>
    run(launchCommand(trial.perl, trial.architecture, operations, command));
  const sandbox = trial.bwrap === null ? ["/bin/true"] : sandboxTrial(trial.bwrap);
  const asRoot: LaunchOperation[] = [
    ["private"],
    ["mount", "tmpfs", stage, "tmpfs", 6, "size=1m"],
    ["become", other, other],
  ];
  const token = randomBytes(8).toString("hex");
  const record: LaunchOperation[] = trial.recording
    ? [["filter", trial.recording.filterFile, trial.recording.path, token]]
    : [];
  const [version, plain, rooted, recorded, scope] = await Promise.all([
    run([trial.bwrap ?? "/bin/true", "--version"]),
    launch([], sandbox),
    process.getuid?.() === 0 ? launch(asRoot, sandbox) : failed,
    trial.recording ? launch(record, sandbox) : failed,
    launch([["scope"]], ["/bin/true"]),
  ]);
  const root = rooted.code === 0;
  if (plain.code !== 0 && !root) {
    const message = `expected bubblewrap to make a sandbox, found: ${plain.text.trim()}`;
    throw workerErrors.make("SANDBOX_UNAVAILABLE", message, { hint: sandboxRemedy() });
  }
  return {
    bwrapVersion: version.text.replace(/^bubblewrap /, "").trim(),
    root,
    scope: scope.code === 0,
    recording: recorded.code === 0,
    ...(await tryMounts(trial, root)),
  };
}

async function tryMounts(trial: Trial, root: boolean): Promise<{ overlay: boolean; idmap: boolean }> {
  const place = join(trial.scratch, scratchName(randomBytes(8).toString("hex")));
  mkdirSync(place, { mode: 0o700 });
  try {
    const launch = async (operations: readonly LaunchOperation[], command: readonly string[]): Promise<Tried> =>
      run(launchCommand(trial.perl, trial.architecture, operations, command));
    const [overlay, idmap] = await Promise.all([
      launch(overlayTrial(root, place), ["/bin/sh", "-c", overlayCheck]),
      root ? launch(idmapTrial(place), ["/bin/true"]) : failed,
    ]);
    return { overlay: overlay.code === 0, idmap: idmap.code === 0 };
  } finally {
    await removeScratch(place);
  }
}

/** Control groups that a process of ours can really be moved into, or null. */
export async function tryControlGroups(perl: string, architecture: Architecture): Promise<ControlGroupHost | null> {
  const host = findControlGroups();
  if (host === null) return null;
  let group: ControlGroup | null = null;
  try {
    group = makeControlGroup(host, scratchName(randomBytes(8).toString("hex")), { memoryBytes: 64 << 20, pids: 16 });
    const join = group.joinFiles.map((file): LaunchOperation => ["join", file]);
    return (await run(launchCommand(perl, architecture, join, ["/bin/true"]))).code === 0 ? host : null;
  } catch {
    return null;
  } finally {
    await group?.remove();
  }
}

/** The setting that most often forbids sandboxes to ordinary users, and how to change it. */
export function sandboxRemedy(): string {
  if (existsSync("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")) {
    return "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for bwrap";
  }
  if (existsSync("/proc/sys/kernel/unprivileged_userns_clone")) return "sysctl kernel.unprivileged_userns_clone=1";
  return "sysctl user.max_user_namespaces=10000; in a container, allow user namespaces and an unmasked /proc";
}

/** A user that nobody is, for trials. */
const other = 1_999_999;

function sandboxTrial(bwrap: string): string[] {
  return [
    ...[
      bwrap,
      "--unshare-user",
      "--unshare-all",
      "--disable-userns",
      "--uid",
      "1001",
      "--gid",
      "1001",
      "--cap-drop",
      "ALL",
    ],
    ...[
      "--die-with-parent",
      "--ro-bind",
      "/",
      "/",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--tmpfs",
      "/tmp",
      "--",
      "/bin/true",
    ],
  ];
}

function overlayTrial(root: boolean, place: string): LaunchOperation[] {
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(join(place, name));
  writeFileSync(join(place, "lower", "file"), "lower");
  const merge: LaunchOperation[] = [
    ["enter", place],
    [
      "mount",
      "overlay",
      "merged",
      "overlay",
      0,
      `lowerdir=lower,upperdir=upper,workdir=work${root ? "" : ",userxattr"}`,
    ],
    ["enter", join(place, "merged")],
  ];
  if (!root) return [["own", process.getuid?.() ?? 0, process.getgid?.() ?? 0], ...merge];
  const lower = join(place, "lower");
  return [["private"], ["idmap", lower, lower, 0, other, 0, other], ...merge];
}

/** Copy up, remove, make: what a private view is for. */
const overlayCheck = "echo upper >> file && rm file && mkdir new && echo x > new/file";

function idmapTrial(place: string): LaunchOperation[] {
  mkdirSync(join(place, "mapped"));
  return [["private"], ["idmap", place, join(place, "mapped"), 0, other, 0, other]];
}

interface Tried {
  readonly code: number | null;
  readonly text: string;
}
const failed: Promise<Tried> = Promise.resolve({ code: 1, text: "" });

async function run(command: readonly string[]): Promise<Tried> {
  const [program = "", ...words] = command;
  const child = spawn(program, words, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    cwd: "/",
    timeout: 10_000,
    killSignal: "SIGKILL",
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text = `${text}${chunk}`.slice(0, 2000);
    });
  }
  const code = await new Promise<number | null>((resolve) =>
    child.once("error", () => resolve(127)).once("close", resolve),
  );
  return { code, text };
}
