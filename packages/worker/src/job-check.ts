import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { posix } from "node:path";
import { workerErrors } from "./errors.ts";
import { checkRootfs } from "./image-check.ts";
import type { StepJob } from "./job.ts";
import { certificateFile } from "./system-view.ts";

/** Places of the sandbox that are the system's: nothing may be mounted on them or below. */
const reserved = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/etc",
  "/proc",
  "/sys",
  "/dev",
  "/run",
];
const exact = ["/", "/tmp", "/var", "/var/tmp", "/home", "/home/builder", "/opt"];

/** Refuses a job that no sandbox may carry out (SPEC W1). Looks at host paths, changes nothing. */
export function checkJob(job: StepJob): void {
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(job.id))
    invalid(`expected an id of letters, digits, ".", "_", "-", found ${show(job.id)}`);
  if (job.command.length === 0 || job.command[0] === "") invalid("expected a command, found none");
  for (const word of job.command) text(word, "a word of the command");
  checkPath(job.directory, "directory");
  if (/^\/(proc|sys|dev)(\/|$)/.test(job.directory)) {
    invalid(`expected a directory of files to start in, found ${show(job.directory)}`);
  }
  for (const [name, value] of Object.entries(job.environment)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,200}$/.test(name)) invalid(`expected a variable name, found ${show(name)}`);
    if (name === "SOURCE_DATE_EPOCH" || name === "TOUCHMARK_OUTPUT")
      invalid(`expected ${name} to be left to the worker`);
    text(value, `variable ${name}`);
  }
  checkLimits(job);
  if (!Number.isSafeInteger(job.sourceDateEpoch) || job.sourceDateEpoch < 0) {
    invalid(`expected a SOURCE_DATE_EPOCH of whole seconds, found ${job.sourceDateEpoch}`);
  }
  const places = new Set<string>();
  for (const { at } of [...job.mounts, job.output]) {
    checkPlace(at);
    if (places.has(at)) invalid(`expected one mount at ${at}, found two`);
    places.add(at);
  }
  for (const { at } of job.mounts) {
    if (at.startsWith(`${job.output.at}/`)) invalid(`expected nothing mounted inside the output, found ${at}`);
  }
  for (const mount of job.mounts) checkInput(mount.host);
  checkProvided(job);
  checkBridge(job);
  checkOutput(job.output.host);
  if (job.rootfs !== undefined) checkRootfs(job, job.rootfs);
}

function checkLimits(job: StepJob): void {
  const bounds: readonly [keyof StepJob["limits"], number, number][] = [
    ["memoryBytes", 1 << 20, 2 ** 50],
    ["pids", 1, 4_000_000],
    ["seconds", 0.001, 2_000_000],
    ["outputBytes", 0, 2 ** 50],
    ["logBytes", 0, 2 ** 50],
    ["cpus", 0.01, 10_000],
    ["temporaryBytes", 4096, 2 ** 50],
  ];
  for (const [name, least, most] of bounds) {
    const value = job.limits[name];
    if (value === undefined && (name === "cpus" || name === "temporaryBytes")) continue;
    if (value === undefined || !(value >= least && value <= most)) {
      invalid(`expected limit ${name} between ${least} and ${most}, found ${value}`);
    }
  }
}

function checkPath(path: string, what: string): void {
  text(path, what);
  if (!path.startsWith("/") || posix.normalize(path) !== path || (path.endsWith("/") && path !== "/")) {
    invalid(`expected an absolute, normalised path as ${what}, found ${show(path)}`);
  }
}

function checkPlace(at: string): void {
  checkPath(at, "mount point");
  if (exact.includes(at) || reserved.some((place) => at === place || at.startsWith(`${place}/`))) {
    invalid(`expected a mount point outside of the system's directories, found ${at}`);
  }
}

function checkProvided(job: StepJob): void {
  const others = [...job.mounts, job.output].map(({ at }) => at);
  for (const { host, at } of job.provided ?? []) {
    checkPath(at, "place of a provided file");
    if (at === certificateFile) {
      if (job.network !== "proxy") invalid(`expected ${at} to be provided with network "proxy" only`);
    } else if (!at.startsWith("/run/touchmark/")) checkPlace(at);
    const other = others.find((one) => one === at || one.startsWith(`${at}/`) || at.startsWith(`${one}/`));
    if (other !== undefined) invalid(`expected ${at} apart from all other mounts, found ${other}`);
    others.push(at);
    checkInput(host);
    if (at === certificateFile && !lstatSync(host).isFile()) invalid(`expected a regular file for ${at}`);
  }
}

function checkBridge(job: StepJob): void {
  const { bridge, network } = job;
  if ((bridge !== undefined) !== (network === "proxy")) {
    invalid(`expected a bridge with network "proxy" and no other, found ${bridge ? "one" : "none"} with "${network}"`);
  }
  if (bridge === undefined) return;
  if (!Number.isInteger(bridge.port) || bridge.port < 1024 || bridge.port > 65_535) {
    invalid(`expected a port of 1024 to 65535 for the bridge, found ${bridge.port}`);
  }
  checkPath(bridge.socket, "socket of the bridge");
  if (!statSync(bridge.socket, { throwIfNoEntry: false })?.isSocket()) {
    throw workerErrors.make(
      "JOB_INPUT_MISSING",
      `expected a socket at ${bridge.socket}, found another kind or nothing`,
    );
  }
}

/** A socket below something that is shown could be reached by the step itself, around its bridge: `JOB_INVALID`. */
export function checkHidden(socket: string, shown: readonly string[]): void {
  const real = realpathSync(socket);
  for (const host of shown) {
    const place = realpathSync(host);
    if (real === place || real.startsWith(`${place}/`)) {
      invalid(`expected the bridge's socket outside of what the step sees, found it below ${host}`);
    }
  }
}

function checkInput(host: string): void {
  checkPath(host, "host path of an input");
  const entry = lstatSync(host, { throwIfNoEntry: false });
  if (entry === undefined || !(entry.isDirectory() || entry.isFile())) {
    throw workerErrors.make(
      "JOB_INPUT_MISSING",
      `expected a directory or regular file at ${host}, found ${entry ? "another kind" : "nothing"}`,
    );
  }
}

function checkOutput(host: string): void {
  checkPath(host, "host path of the output");
  const entry = lstatSync(host, { throwIfNoEntry: false });
  if (!entry?.isDirectory() || readdirSync(host).length > 0) {
    throw workerErrors.make("JOB_OUTPUT_NOT_EMPTY", `expected an empty directory at ${host}`);
  }
}

/** Resolves a declared toolchain directory; `TOOLCHAIN_REFUSED` when it would show more than a toolchain. */
export function checkToolchain(directory: string, homes: readonly string[]): string {
  checkPath(directory, "toolchain");
  const real = statSync(directory, { throwIfNoEntry: false })?.isDirectory() ? realpathSync(directory) : undefined;
  if (real === undefined)
    throw workerErrors.make("JOB_INPUT_MISSING", `expected a toolchain directory at ${directory}`);
  for (const path of [directory, real]) {
    const system = ["/etc", "/proc", "/sys", "/dev", "/run", "/var/run", "/boot"];
    const wide = [
      "/",
      "/usr",
      "/bin",
      "/sbin",
      "/lib",
      "/lib64",
      "/var",
      "/var/lib",
      "/home",
      "/opt",
      "/srv",
      "/mnt",
      "/root",
      "/tmp",
      "/var/tmp",
    ];
    const home = homes.find((one) => path === one || one.startsWith(`${path}/`));
    if (home !== undefined)
      throw workerErrors.make("TOOLCHAIN_REFUSED", `expected a toolchain, found ${path}, which shows the home ${home}`);
    if (wide.includes(path) || system.some((one) => path === one || path.startsWith(`${one}/`))) {
      throw workerErrors.make("TOOLCHAIN_REFUSED", `expected a toolchain, found the system directory ${path}`);
    }
  }
  return real;
}

function text(value: string, what: string): void {
  if (value.includes("\0")) invalid(`expected no NUL byte in ${what}`);
}

function show(value: string): string {
  return JSON.stringify(value.slice(0, 100));
}

function invalid(message: string): never {
  throw workerErrors.make("JOB_INVALID", message);
}
