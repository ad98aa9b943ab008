import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ControlGroup, type ControlGroupHost, findControlGroups, makeControlGroup } from "./control-group.ts";
import { workerErrors } from "./errors.ts";
import { type LaunchOperation, launchCommand } from "./launcher.ts";
import { scratchName } from "./reclaim.ts";
import type { Architecture } from "./system-calls.ts";

/** What was found by trying. */
export interface Abilities {
  readonly bwrapVersion: string;
  readonly overlay: boolean;
  readonly idmap: boolean;
  readonly scope: boolean;
}

interface Trial {
  readonly bwrap: string;
  readonly perl: string;
  readonly architecture: Architecture;
  readonly root: boolean;
  /** Directory of the worker in which private views will be made. */
  readonly scratch: string;
}

/** Tries a sandbox, an overlay, an owner mapping and Landlock's scopes, all at once; only the sandbox is indispensable. */
export async function tryAbilities(trial: Trial): Promise<Abilities> {
  const place = join(trial.scratch, scratchName(randomBytes(8).toString("hex")));
  mkdirSync(place, { mode: 0o700 });
  try {
    const [version, sandbox, overlay, idmap, scope] = await Promise.all([
      run([trial.bwrap, "--version"]),
      run(launchCommand(trial.perl, trial.architecture, drop(trial), sandboxTrial(trial.bwrap))),
      run(launchCommand(trial.perl, trial.architecture, overlayTrial(trial, place), ["/bin/sh", "-c", overlayCheck])),
      trial.root ? run(launchCommand(trial.perl, trial.architecture, idmapTrial(place), ["/bin/true"])) : failed,
      run(launchCommand(trial.perl, trial.architecture, [["scope"]], ["/bin/true"])),
    ]);
    if (sandbox.code !== 0) {
      throw workerErrors.make(
        "SANDBOX_UNAVAILABLE",
        `expected bubblewrap to make a sandbox, found: ${sandbox.text.trim()}`,
        {
          hint: sandboxRemedy(),
        },
      );
    }
    return {
      bwrapVersion: version.text.replace(/^bubblewrap /, "").trim(),
      overlay: overlay.code === 0,
      idmap: idmap.code === 0,
      scope: scope.code === 0,
    };
  } finally {
    for (const name of ["work/work", "work"]) if (existsSync(join(place, name))) chmodSync(join(place, name), 0o700);
    rmSync(place, { recursive: true, force: true });
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

function drop(trial: Trial): LaunchOperation[] {
  return trial.root ? [["become", 1_999_999, 1_999_999]] : [];
}

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

function overlayTrial(trial: Trial, place: string): LaunchOperation[] {
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
      `lowerdir=lower,upperdir=upper,workdir=work${trial.root ? "" : ",userxattr"}`,
    ],
    ["enter", join(place, "merged")],
  ];
  if (!trial.root) return [["own", process.getuid?.() ?? 0, process.getgid?.() ?? 0], ...merge];
  const lower = join(place, "lower");
  return [["private"], ["idmap", lower, lower, 0, 1_999_999, 0, 1_999_999], ...merge];
}

/** Copy up, remove, make: what a private view is for. */
const overlayCheck = "echo upper >> file && rm file && mkdir new && echo x > new/file";

function idmapTrial(place: string): LaunchOperation[] {
  mkdirSync(join(place, "mapped"));
  return [["private"], ["idmap", place, join(place, "mapped"), 0, 1_999_999, 0, 1_999_999]];
}

const failed = Promise.resolve({ code: 1, text: "" });

async function run(command: readonly string[]): Promise<{ code: number | null; text: string }> {
  const [program = "", ...words] = command;
  const child = spawn(program, words, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    cwd: "/",
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
