import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { StepJob } from "./job.ts";
import { checkJob, checkToolchain } from "./job-check.ts";
import { resolveToolchains } from "./toolchains.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-job-"));
mkdirSync(join(directory, "output"));
mkdirSync(join(directory, "input"));
mkdirSync(join(directory, "full"));
writeFileSync(join(directory, "full", "file"), "");
symlinkSync(join(directory, "input"), join(directory, "link"));
afterAll(() => rmSync(directory, { recursive: true }));

function job(more: Partial<StepJob>): StepJob {
  return {
    id: "step",
    command: ["true"],
    directory: "/",
    environment: {},
    mounts: [],
    output: { host: join(directory, "output"), at: "/work/output" },
    view: { toolchains: [] },
    network: "none",
    limits: { memoryBytes: 1 << 30, pids: 10, seconds: 10, outputBytes: 1 << 20, logBytes: 1 << 20 },
    sourceDateEpoch: 0,
    ...more,
  };
}
const invalid = expect.objectContaining({ code: "JOB_INVALID" });
const mount = (at: string, host = join(directory, "input")) => ({ host, at, access: "read-only" as const });

test("W1: an ordinary job passes", () => {
  expect(() => checkJob(job({ mounts: [mount("/work/source"), mount("/work/source/node_modules")] }))).not.toThrow();
});

test.each<[string, Partial<StepJob>]>([
  ["an id with a slash", { id: "../step" }],
  ["no command", { command: [] }],
  ["a NUL byte in the command", { command: ["a\0b"] }],
  ["a relative directory", { directory: "work" }],
  ["a variable with a strange name", { environment: { "A=B": "" } }],
  ["the worker's own variables", { environment: { SOURCE_DATE_EPOCH: "1" } }],
  ["a negative epoch", { sourceDateEpoch: -1 }],
  ["two mounts at one place", { mounts: [mount("/work/a"), mount("/work/a")] }],
  ["a mount inside the output", { mounts: [mount("/work/output/x")] }],
  ["a mount that climbs", { mounts: [mount("/work/../etc")] }],
  ["a memory limit of nothing", { limits: { ...job({}).limits, memoryBytes: 0 } }],
  ["a time limit that is no number", { limits: { ...job({}).limits, seconds: Number.NaN } }],
  ["an infinite limit", { limits: { ...job({}).limits, outputBytes: Number.POSITIVE_INFINITY } }],
])("W1: %s is refused", (_, more) => {
  expect(() => checkJob(job(more))).toThrow(invalid);
});

test("W1: nothing is mounted on or below the system's directories", () => {
  const system = fc.constantFrom(
    "/",
    "/usr",
    "/etc",
    "/proc",
    "/dev",
    "/sys",
    "/run",
    "/bin",
    "/lib64",
    "/tmp",
    "/home/builder",
  );
  const below = fc.constantFrom("/usr/x", "/etc/ssl", "/proc/1", "/dev/shm", "/lib/x", "/run/docker.sock");
  fc.assert(
    fc.property(fc.oneof(system, below), (at) => {
      expect(() => checkJob(job({ mounts: [mount(at)] }))).toThrow(invalid);
    }),
  );
});

test("W1: an input must be a directory or regular file, and not a link", () => {
  for (const name of ["nothing", "link"]) {
    expect(() => checkJob(job({ mounts: [mount("/work/a", join(directory, name))] }))).toThrow(
      expect.objectContaining({ code: "JOB_INPUT_MISSING" }),
    );
  }
});

test("W1: the output must be there and empty", () => {
  for (const name of ["full", "nothing", "link"]) {
    expect(() => checkJob(job({ output: { host: join(directory, name), at: "/work/output" } }))).toThrow(
      expect.objectContaining({ code: "JOB_OUTPUT_NOT_EMPTY" }),
    );
  }
});

test("W4: a toolchain is not a home, nor the system's state, by whatever name", () => {
  const homes = [join(directory, "input")];
  for (const path of [
    "/",
    "/home",
    "/etc",
    "/proc/self",
    "/run",
    "/dev",
    directory,
    join(directory, "input"),
    join(directory, "link"),
  ]) {
    expect(() => checkToolchain(path, homes)).toThrow(expect.objectContaining({ code: "TOOLCHAIN_REFUSED" }));
  }
  expect(checkToolchain(join(directory, "full"), homes)).toBe(join(directory, "full"));
});

test("W4: the toolchain node is the one that runs us; an unknown one is missing", () => {
  const view = resolveToolchains(["node"]);
  expect(process.execPath.startsWith("/usr/") || view.rows.length === 1).toBe(true);
  expect(() => resolveToolchains(["/nonexistent/toolchain"])).toThrow(
    expect.objectContaining({ code: "JOB_INPUT_MISSING" }),
  );
});
