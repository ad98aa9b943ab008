import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { workerErrors } from "./errors.ts";
import { isAlive, startTime } from "./process-facts.ts";

/** Host users and groups of steps when the factory runs as root: this many from here on, far from any distribution's. */
const first = 2_000_000;
const count = 50_000;
/** One file for each user in use on this host, whichever factory took it. */
const register = "/run/touchmark/users";

/** A host user that belongs to one step alone. */
export interface HostUser {
  readonly user: number;
  readonly group: number;
  release(): void;
}

/** Takes a host user that no account, no process and no other step has (SPEC W3). Root only. */
export function takeHostUser(random: () => number = Math.random): HostUser {
  mkdirSync(register, { recursive: true, mode: 0o755 });
  const accounts = accountNumbers();
  const start = Math.floor(random() * count);
  for (let step = 0; step < count; step += 1) {
    const user = first + ((start + step) % count);
    const path = join(register, String(user));
    if (accounts.has(user) || !claim(path)) continue;
    if (inUse(user)) {
      unlinkSync(path);
      continue;
    }
    return { user, group: user, release: () => unlinkSync(path) };
  }
  throw workerErrors.make(
    "SANDBOX_UNAVAILABLE",
    `expected a free user between ${first} and ${first + count}, found none`,
  );
}

/** Frees the users of factories that are gone. Returns how many. */
export function reclaimHostUsers(): number {
  if (process.getuid?.() !== 0 || !existsSync(register)) return 0;
  let freed = 0;
  for (const name of readdirSync(register)) {
    const path = join(register, name);
    const [pid, began] = (existsSync(path) ? readFileSync(path, "utf8") : "").split(" ");
    if (pid === undefined || began === undefined || isAlive(Number(pid), began) || inUse(Number(name))) continue;
    rmSync(path, { force: true });
    freed += 1;
  }
  return freed;
}

function claim(path: string): boolean {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const file = openSync(path, "wx", 0o600);
      writeSync(file, `${process.pid} ${startTime(process.pid)}`);
      closeSync(file);
      return true;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const [pid, began] = readFileSync(path, "utf8").split(" ");
      if (pid === undefined || began === undefined || isAlive(Number(pid), began)) return false;
      unlinkSync(path);
    }
  }
  return false;
}

/** True when some process runs as this user. */
function inUse(user: number): boolean {
  return readdirSync("/proc").some((name) => {
    if (!/^\d+$/.test(name)) return false;
    return statSync(`/proc/${name}`, { throwIfNoEntry: false })?.uid === user;
  });
}

function accountNumbers(): Set<number> {
  return new Set(passwdRows().map((row) => Number(row[2])));
}

/** Home of the factory's own user; containers may run us as a user without an account. */
export function ownHome(): string {
  try {
    return homedir();
  } catch {
    return "/nonexistent";
  }
}

/** Home directories of this host that no step may see whole. */
export function homes(): string[] {
  const listed = passwdRows()
    .filter((row) => row[2] === "0" || Number(row[2]) >= 1000)
    .map((row) => row[5] ?? "");
  return [...new Set([ownHome(), "/root", ...listed])].filter(
    (home) => home.startsWith("/") && home.length > 1 && home !== "/nonexistent",
  );
}

function passwdRows(): string[][] {
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":"));
}
