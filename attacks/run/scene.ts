import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import type { Digest } from "@touchmark/core";
import { missingForRuns, openScene, type Performed, type Scene } from "@touchmark/pipeline/fixture";
import { afterAll, beforeAll, describe, test } from "vitest";

/** Attacks of one file, with a factory of their own. */
export function attacksOnRuns(name: string, body: (scene: () => Scene) => void): void {
  const missing = missingForRuns();
  describe.skipIf(missing !== null)(`${name}${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await openScene();
    });
    afterAll(() => scene.close());
    body(() => scene);
  });
}

/** A test, under the name that attacks have. */
export const attack = test;

/** Runs a script as a plain process, where nothing defends; gives what it printed. */
export function plain(script: string, directory: string, environment: Record<string, string> = {}): string {
  const ran = spawnSync("/bin/sh", ["-c", script], {
    cwd: directory,
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C", ...environment },
    encoding: "utf8",
    timeout: 30_000,
  });
  return ran.stdout + ran.stderr;
}

/** Alters a file as an intruder does: the same length where it can be, and the old times. */
export function tamper(path: string, content: string): void {
  const { atime, mtime } = statSync(path);
  chmodSync(path, 0o644);
  writeFileSync(path, content);
  utimesSync(path, atime, mtime);
}

/** How the steps of a run ended, in short: name, code or status, and whether it came from the cache. */
export function ends(done: Performed): string[] {
  return done.steps.map(({ name, status, cached, error, outcome }) => {
    const how = error?.code ?? (status === "failed" ? outcome : status);
    return `${name} ${how}${cached ? " cached" : ""}`;
  });
}

/** The first artifact of a run. */
export function released(done: Performed): Digest {
  const [artifact] = done.artifacts;
  if (artifact === undefined)
    throw new Error(`nothing was released: ${ends(done).join(", ")} ${done.error?.code ?? ""}`);
  return artifact.digest;
}

/** The bytes of a stored artifact. */
export function content(scene: Scene, digest: Digest): string {
  return readFileSync(scene.factory.content.path(digest), "utf8");
}
