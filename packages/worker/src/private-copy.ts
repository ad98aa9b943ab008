import { spawn } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { workerErrors } from "./errors.ts";
import type { StepUser } from "./staging.ts";

/** A whole copy of a directory or file, with what is laid over it, owned by `owner` where that is not us. */
export async function copyWhole(
  host: string,
  copy: string,
  owner: StepUser | null,
  lay: (copy: string) => Promise<void> | void,
): Promise<void> {
  await run("cp", ["-a", "--reflink=auto", "--no-preserve=ownership", host, copy]);
  await lay(copy);
  if (owner !== null) await run("chown", ["-R", "-h", `${owner.user}:${owner.group}`, copy]);
}

/** Lays a tree of ours over a copy; a link or file of the copy's on the way gives way, and is never followed. */
export async function layOver(top: string, names: readonly string[], copy: string): Promise<void> {
  for (const name of names) {
    const steps = name.split("/");
    steps.forEach((_, index) => {
      const way = steps.slice(0, index + 1).join("/");
      const wanted = lstatSync(join(top, way));
      const found = lstatSync(join(copy, way), { throwIfNoEntry: false });
      if (found !== undefined && (!wanted.isDirectory() || !found.isDirectory())) {
        rmSync(join(copy, way), { recursive: true });
      }
      if (wanted.isDirectory() && !found?.isDirectory()) mkdirSync(join(copy, way));
    });
    if (!lstatSync(join(top, name)).isDirectory()) await run("cp", ["-a", join(top, name), join(copy, name)]);
  }
}

/** Makes an empty mount point in a private view, with the modes that the way to it has in the input. */
export function makePlace(root: string, place: string, host: string, owner: StepUser | null): void {
  const file = place.endsWith("\0");
  const steps = place.replace("\0", "").split("/");
  let at = root;
  let original = host;
  steps.forEach((step, index) => {
    at = join(at, step);
    original = join(original, step);
    if (lstatSync(at, { throwIfNoEntry: false }) !== undefined) return;
    if (file && index === steps.length - 1) writeFileSync(at, "");
    else mkdirSync(at);
    const mode = lstatSync(original, { throwIfNoEntry: false })?.mode;
    chmodSync(at, mode === undefined ? (file && index === steps.length - 1 ? 0o644 : 0o755) : mode & 0o777);
    if (owner !== null) chownSync(at, owner.user, owner.group);
  });
}

async function run(program: string, words: readonly string[]): Promise<void> {
  const child = spawn(program, [...words], { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr?.on("data", (chunk) => {
    complaint = `${complaint}${chunk}`.slice(0, 500);
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once("error", reject).once("close", resolve),
  );
  if (code !== 0)
    throw workerErrors.make("SANDBOX_FAILED", `expected ${program} to succeed, found exit ${code}: ${complaint}`);
}
