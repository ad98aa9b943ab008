import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { straceObserver } from "./strace-observer.ts";
import { canObserve, hasTool, newDirectory } from "./testing.ts";

const reason =
  !canObserve || !hasTool("gcc") || !hasTool("make")
    ? "needs strace, gcc and make"
    : process.getuid?.() !== 0
      ? "fanotify needs root"
      : !hasTool("fatrace")
        ? "fatrace is not installed"
        : undefined;

/** A project in C: three files, an archive and a program, built into another directory. */
function project(): { source: string; output: string } {
  const [source, output] = [newDirectory(), newDirectory()];
  mkdirSync(join(source, "include"));
  writeFileSync(join(source, "include/all.h"), "int one(void); int two(void);\n");
  for (const name of ["one", "two"])
    writeFileSync(
      join(source, `${name}.c`),
      `#include <stdio.h>\n#include "all.h"\nint ${name}(void) { return puts("${name}"); }\n`,
    );
  writeFileSync(join(source, "main.c"), '#include "all.h"\nint main(void) { return one() + two() < 0; }\n');
  const rules = [
    "all: $(OUT)/prog",
    "$(OUT)/%.o: %.c include/all.h\n\t$(CC) -Iinclude -O1 -g -c -o $@ $<",
    "$(OUT)/lib.a: $(OUT)/one.o $(OUT)/two.o\n\tar rcs $@ $^",
    "$(OUT)/prog: $(OUT)/main.o $(OUT)/lib.a\n\t$(CC) -o $@ $^ && $@",
  ];
  writeFileSync(join(source, "Makefile"), `${rules.join("\n")}\n`);
  return { source, output };
}

/** Starts fatrace and waits until it reports. */
async function startFatrace(log: string): Promise<ChildProcess> {
  const fatrace = spawn("fatrace", ["-o", log], { stdio: "ignore" });
  const probe = join(newDirectory(), "probe");
  for (let i = 0; i < 100; i++) {
    await sleep(50);
    writeFileSync(probe, "x");
    if (read(log).includes(probe)) return fatrace;
  }
  fatrace.kill();
  throw new Error("fatrace does not report");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

describe("an independent observer", () => {
  test.skipIf(reason !== undefined)(
    `O19: fanotify and the trace name the same files of a real build${reason === undefined ? "" : ` (skipped: ${reason})`}`,
    async () => {
      const { source, output } = project();
      const log = join(newDirectory(), "fatrace.log");
      const observer = await straceObserver({ traceDirectory: newDirectory() });
      const command = ["make", "-s", "-j2", "-C", source, `OUT=${output}`];
      const fatrace = await startFatrace(log);
      const [tracer, ...argv] = observer.tracer.wrap(command) as [string, ...string[]];
      const ran = spawnSync(tracer, argv, { encoding: "utf8", env: { PATH: process.env.PATH } });
      await sleep(300);
      fatrace.kill();
      await new Promise((resolve) => fatrace.on("close", resolve));
      expect(ran.status).toBe(0);
      const observation = await observer.finish({
        command,
        mounts: [{ host: source, at: source, access: "read-only" }],
        output: { host: output, at: output },
        view: ["/usr", "/etc"],
        exit: { exitCode: ran.status, signal: ran.signal },
      });
      expect(observation.losses).toEqual([]);

      const pids = new Set(observation.processes.map((process) => process.pid));
      const reported = new Set<string>();
      for (const line of read(log).split("\n")) {
        // "cc1(4711): RCO /usr/include/stdio.h"
        const event = /^.*\((\d+)\): ([A-Z+<>]+) +(\/.*)$/.exec(line);
        if (event !== null && pids.has(Number(event[1])) && event[2]?.includes("O"))
          reported.add((event[3] as string).replace(/ \(deleted\)$/, ""));
      }
      const { files } = observation;
      const transient = new Set(files.transient.sample);
      const recorded = new Set([
        ...files.read.filter((file) => file.origin !== "kernel").map((file) => file.path),
        ...files.written.map((file) => file.path),
        ...files.directories.sample,
      ]);
      // fanotify reports the names that files have when it looks, so that of files made for a moment it may have another
      // one or none; and it does not watch /proc, /sys and /dev.
      expect([...reported].filter((path) => !recorded.has(path) && !transient.has(path))).toEqual([]);
      expect([...recorded].filter((path) => !reported.has(path))).toEqual([]);
      expect(recorded.size).toBeGreaterThan(60);
    },
  );
});
