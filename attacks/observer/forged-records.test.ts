import { readdirSync } from "node:fs";
import { acts, canObserve, canObserveC, tryObserved } from "@touchmark/observer/testing";
import { describe, expect, test } from "vitest";

/** The step chooses names, arguments and addresses that look like lines of the trace. */
describe.skipIf(!canObserveC)("forged records", () => {
  test("file names and arguments with line ends, results and marks of the tracer stay names", async () => {
    const { observation, trace, output } = await tryObserved({
      command: ["/work/source/acts", "forged"],
      program: acts(),
    });
    // A reader that looks for the mark anywhere in a line believes that calls failed and that processes were cut off.
    const lines = trace.split("\n").filter((line) => line.includes("</work/output/"));
    expect(lines.some((line) => /\) = -1 ENOENT/.test(line) && /= \d+</.test(line))).toBe(true);
    expect(lines.some((line) => line.includes("<unfinished ...>") && line.endsWith(">"))).toBe(true);
    expect(observation.losses).toEqual([]);
    const real = readdirSync(output, { encoding: "buffer" }).map((name) => name.toString("latin1"));
    const seen = observation.files.written.map((file) => file.path);
    const bytes = "bytes:/work/output/\\xff\\xfe";
    expect(seen.length).toBe(9);
    expect(seen.filter((path) => path !== bytes && !real.includes(path.slice("/work/output/".length)))).toEqual([]);
    expect(seen).toContain(bytes);
    expect(observation.files.read.some((file) => file.path === "/etc/passwd")).toBe(false);
    const argvs = observation.processes.slice(1).map((process) => process.argv[1]);
    expect(argvs).toContain("+++ exited with 0 +++");
    expect(observation.processes.slice(1).every((process) => process.argv[0] === process.argv[1])).toBe(true);
  });

  test("bytes sent to a socket do not make a network attempt", async () => {
    const { observation, trace } = await tryObserved({ command: ["/work/source/acts", "network"], program: acts() });
    expect(trace).toContain("sin_port=htons(1)");
    expect(observation.network.some((attempt) => attempt.port === 1)).toBe(false);
  });
});

describe.skipIf(!canObserve)("records cut short", () => {
  test("an argument too long to be traced whole is marked as cut", async () => {
    const long = "x".repeat(40_000);
    const { observation } = await tryObserved({ command: ["sh", "-c", `true ${long}; /usr/bin/true ${long}`] });
    const [shell, child] = observation.processes;
    expect(shell?.argvTruncated).toBe(true);
    expect(child).toMatchObject({ argvTruncated: true });
    expect(child?.argv[1]?.length).toBe(16_384);
    expect(observation.complete).toBe(true);
  });

  test("more arguments than are traced are marked as cut", async () => {
    const { observation } = await tryObserved({ command: ["sh", "-c", "/usr/bin/true $(seq 1 20000)"] });
    expect(observation.processes.find((process) => process.executable === "/usr/bin/true")).toMatchObject({
      argvTruncated: true,
    });
  });
});
