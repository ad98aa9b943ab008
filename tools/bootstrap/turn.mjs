// Lets one set-up at a time do the work. Only politeness: two at once are safe, they would merely work twice.

import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { say } from "./progress.mjs";

/** Runs `work` when no other living set-up does; waits for it otherwise, at most ten minutes. */
export function taking(tools, work) {
  mkdirSync(tools, { recursive: true });
  const path = join(tools, "setup.lock");
  const deadline = Date.now() + 600_000;
  let told = false;
  for (;;) {
    try {
      const file = openSync(path, "wx");
      writeSync(file, String(process.pid));
      closeSync(file);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = holderOf(path);
    if (!isAlive(holder) || Date.now() > deadline) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) say(`another set-up is at work (process ${holder}); waiting`);
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
  try {
    clearStages(tools);
    return work();
  } finally {
    if (holderOf(path) === process.pid) rmSync(path, { force: true });
  }
}

/** Removes what killed set-ups left behind. */
function clearStages(tools) {
  for (const name of readdirSync(tools)) {
    const owner = /^stage-(\d+)-/.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    try {
      rmSync(join(tools, name), { recursive: true, force: true });
    } catch {
      // The npm of a killed set-up may still be writing there: the next set-up removes it.
    }
  }
}

function holderOf(path) {
  try {
    // Empty for the instant between creation and writing: read as a living holder.
    return Number(readFileSync(path, "utf8") || process.ppid);
  } catch {
    return 0;
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
