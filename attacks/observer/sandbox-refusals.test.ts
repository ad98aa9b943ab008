import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { straceObserver } from "@touchmark/observer";
import { acts, canObserveC } from "@touchmark/observer/testing";
import { bubblewrapWorker } from "@touchmark/worker";
import { afterAll, describe, expect, test } from "vitest";

/**
 * The real sandbox and the real observer, at the tier that is benchmarked. A filter's plain errno answer outranks the
 * tracer's fast mode, so that refused calls would be missing from the trace: each must be there.
 */
const scratch = mkdtempSync(join(tmpdir(), "touchmark-refusals-"));
const worker = canObserveC ? bubblewrapWorker({ stateDirectory: join(scratch, "state") }) : undefined;

afterAll(async () => {
  await worker?.close?.();
  rmSync(scratch, { recursive: true, force: true });
});

async function act(name: string, network: "none" | "open" = "none") {
  const home = mkdtempSync(join(scratch, "step-"));
  const [source, output, traceDirectory] = ["source", "output", "trace"].map((part) => join(home, part)) as [
    string,
    string,
    string,
  ];
  for (const directory of [source, output]) mkdirSync(directory);
  cpSync(acts(), join(source, "acts"));
  cpSync(acts(), join(source, "a"));
  const observer = await straceObserver({ traceDirectory });
  const command = ["/work/source/acts", name];
  const mounts = [{ host: source, at: "/work/source", access: "read-only" as const }];
  const place = { host: output, at: "/work/output" };
  const result = await worker?.run({
    id: `attack.${name}`,
    command,
    directory: "/work/source",
    environment: {},
    mounts,
    output: place,
    view: { toolchains: [] },
    network,
    limits: { memoryBytes: 1 << 30, pids: 100, seconds: 30, outputBytes: 1 << 20, logBytes: 1 << 20 },
    sourceDateEpoch: 0,
    tracer: observer.tracer,
  });
  if (result === undefined) throw new Error("no worker");
  const observation = await observer.finish({
    command,
    mounts,
    output: place,
    view: result.evidence.mounts.flatMap(({ source: host, at, kind }) =>
      host !== null && ["system", "toolchain", "generated"].includes(kind) ? [{ host, at }] : [],
    ),
    exit: result,
    refused: result.refused,
    refusedRecorded: result.evidence.seccomp?.recorded ?? false,
  });
  return { observation, result };
}

describe.skipIf(!canObserveC)("refused calls appear in the observation of a sandboxed step", () => {
  test("io_uring, ptrace and mount", async () => {
    const { observation } = await act("refused");
    expect(observation.losses).toEqual([]);
    expect(observation.tier).toBe("strace-seccomp");
    const pids = new Set(observation.processes.map((process) => process.pid));
    const count = (call: string) => observation.refused.filter((row) => row.call === call && pids.has(row.pid)).length;
    expect([count("io_uring_setup"), count("ptrace"), count("mount")]).toEqual([2, 1, 1]);
  });

  test("connect: an attempt without a network is refused or fails, and stands in the record either way", async () => {
    const { observation } = await act("network");
    expect(observation.losses).toEqual([]);
    const refusedSockets = observation.refused
      .filter((row) => row.call === "socket")
      .reduce((sum, row) => sum + row.count, 0);
    const failed = observation.network.filter((row) => row.family.startsWith("AF_INET") && row.result !== "ok");
    expect(refusedSockets + failed.length).toBeGreaterThanOrEqual(4);
    expect(observation.network).toContainEqual(
      expect.objectContaining({ call: "connect", family: "AF_UNIX", address: '/run/none"\n= 3', result: "ENOENT" }),
    );
  });

  test("connect: with a network, an attempt is listed with address and port", async () => {
    const { observation } = await act("nearby", "open");
    expect(observation.losses).toEqual([]);
    expect(observation.network).toContainEqual(
      expect.objectContaining({ call: "connect", family: "AF_INET", address: "127.0.0.1", port: 4433 }),
    );
  });

  test("a filter of the step's own that would hide its opens is refused", async () => {
    const { observation } = await act("listener");
    expect(observation.losses).toEqual([]);
    expect(observation.refused).toContainEqual(expect.objectContaining({ call: "seccomp" }));
  });

  test("a process that cannot be traced is refused", async () => {
    const { observation } = await act("untraced");
    expect(observation.losses).toEqual([]);
    expect(observation.refused).toContainEqual(expect.objectContaining({ call: "clone" }));
    expect(observation.files.written).toEqual([]);
  });

  test("threads, forks and vforks of a sandboxed step make one tree without a loss", async () => {
    const { observation } = await act("families");
    expect(observation.losses).toEqual([]);
    expect(observation.processes.length).toBe(6);
  });
});
