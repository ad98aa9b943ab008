import type { Ecosystem } from "@touchmark/formats/lockfiles";
import { type ClientSandbox, clientSandbox, type ExpectedOf, treeOf } from "@touchmark/test-kit/clients";
import { expect } from "vitest";
import type { Upstream } from "../material.ts";
import { ecosystemAdapters } from "./index.ts";
import { onPath } from "./programs.fixture.ts";

/** A fetch by a client of this host, in a sandbox whose only way out is the proxy. */
export interface LiveFetch {
  readonly ecosystem: Ecosystem;
  /** Programs that must be installed. */
  readonly programs: readonly string[];
  readonly toolchains: readonly string[];
  readonly upstreams: readonly Upstream[];
  readonly project: Readonly<Record<string, string>>;
  /** Leaves what was fetched in `$TOUCHMARK_OUTPUT`. */
  readonly script: string;
  readonly expected?: ExpectedOf;
  /** Notes of the client with times in them, as paths in the output. */
  readonly notes?: RegExp;
  /** What the recorded requests must show besides. */
  check?(sandbox: ClientSandbox): void;
}

/** Why a live test cannot run here, in words for its title; empty when it can. */
export function reasonAgainst(live: LiveFetch): string {
  const absent = ["bwrap", ...live.programs].find((program) => !onPath(program));
  if (absent !== undefined) return ` (skipped: ${absent} is not installed)`;
  return live.upstreams.length === 0 ? " (skipped: no upstream is known)" : "";
}

/** Fetches, then fetches again with every upstream unplugged. */
export async function fetchTwice(live: LiveFetch): Promise<void> {
  const { toolchains, expected } = live;
  const sandbox = await clientSandbox(ecosystemAdapters[live.ecosystem], live.upstreams, {
    toolchains,
    ...(expected === undefined ? {} : { expected }),
  });
  try {
    const { door } = sandbox;
    const fetch = async () => {
      const ran = await sandbox.run(live.script, sandbox.directoryOf(live.project));
      expect(ran.exitCode, `${ran.text}\n${door.asked.join("\n")}`).toBe(0);
      return treeOf(ran.output, live.notes ?? /^$/);
    };
    const first = await fetch();
    expect(first.length).toBeGreaterThan(0);
    expect(door.unknown).toEqual([]);
    expect(door.asked.filter((line) => line.startsWith("chatter"))).toEqual([]);
    expect(door.archives.filter(({ held }) => !held)).toEqual([]);
    if (live.ecosystem !== "git") expect(door.archives.length).toBeGreaterThan(0);
    live.check?.(sandbox);
    door.offline = true;
    expect(await fetch()).toEqual(first);
    expect(door.missing).toEqual([]);
  } finally {
    await sandbox.close();
  }
}
