import { spawnSync } from "node:child_process";
import { type Bench, type Caller, missingFor, openBench, type Ran } from "@touchmark/worker/fixture";
import { afterAll, describe, expect, test } from "vitest";

/** One attack, for one caller. */
export interface Scene {
  readonly bench: Bench;
  readonly caller: Caller;
  /** Runs a script as a plain process of the caller: nothing defends. Gives what it printed. */
  plain(script: string, more?: { cwd?: string; env?: Record<string, string> }): string;
  /** Runs a script in the sandbox. */
  sealed(script: string, more?: Parameters<Bench["job"]>[1]): Promise<Ran>;
}

/** Declares an attack, which runs as root and as an ordinary user unless it says otherwise. */
export function attack(
  title: string,
  body: (scene: Scene) => Promise<void>,
  callers: readonly Caller[] = ["root", "user"],
): void {
  for (const caller of callers) {
    const missing = missingFor(caller);
    describe.skipIf(missing !== null)(`as ${caller}${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
      const bench = openBench(caller);
      afterAll(() => bench.close());
      const plain: Scene["plain"] = (script, more = {}) => {
        const env = { PATH: "/usr/bin:/bin", LC_ALL: "C", ...more.env };
        const ran = spawnSync("/bin/sh", ["-c", script], {
          ...bench.ids,
          ...more,
          env,
          encoding: "utf8",
          timeout: 30_000,
        });
        return ran.stdout + ran.stderr;
      };
      const sealed: Scene["sealed"] = (script, more) => bench.run(bench.job(script, more));
      test(title, () => body({ bench, caller, plain, sealed }));
    });
  }
}

/** The calls that were refused, in order. */
export function refusedCalls(ran: Ran): string[] {
  expect(ran.evidence.seccomp?.recorded).toBe(true);
  return ran.refused.map((row) => `${row.call} ${row.errno}`);
}

/** A perl line that makes one raw call and prints its name with result and errno. */
export function rawCall(name: string, number: number | undefined, ...words: readonly (number | string)[]): string {
  const values = words.map((word) => (typeof word === "number" ? word : `my $s${name} = ${word}`)).join(", ");
  return `$! = 0; my $r${name} = syscall(${number}${values ? `, ${values}` : ""}); print "${name} ", ($r${name} < 0 ? $! + 0 : "done"), "\\n";`;
}
