import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import { clientMounts, clientSandbox, haveClients, treeOf, withFiles } from "@touchmark/test-kit/clients";
import { expect } from "vitest";
import type { Upstream } from "../material.ts";
import { askUpstreams, withHostClients } from "./ask.ts";
import { ecosystemAdapters } from "./index.ts";
import { onPath } from "./programs.fixture.ts";

/** One client, and how it makes a lockfile and installs from it. Scripts run at the project, in the sandbox. */
export interface LiveClient {
  readonly name: string;
  readonly project: Readonly<Record<string, string>>;
  /** Makes `lockfile`. */
  readonly lock: string;
  readonly lockfile: string;
  /** Installs from the lockfile and leaves the packages in `$TOUCHMARK_OUTPUT/tree`. */
  readonly install: string;
  /** Notes of the client with times in them, as paths in the tree. */
  readonly notes?: RegExp;
  /** A file that is there when all is installed. */
  readonly proof: string;
  /** Fewest archives of the installation. */
  readonly archives: number;
}

/** Upstreams that the clients of this host name, or none. */
export async function hostUpstreams(ecosystem: Ecosystem): Promise<readonly Upstream[]> {
  const asked = await withHostClients(process.env, askUpstreams);
  return (asked[ecosystem] ?? []).map(({ url, exclusive }, order) => ({
    name: `host-${order}`,
    ecosystem,
    url,
    exclusive,
    order,
  }));
}

/** Why live tests with these clients cannot run here, or undefined. */
export function missingForLive(upstreams: readonly Upstream[]): string | undefined {
  if (!onPath("bwrap")) return "bubblewrap is not installed";
  if (!haveClients()) return "bench/peers/install.sh clients has not run";
  return upstreams.length === 0 ? "no client of this host names an upstream" : undefined;
}

const environment = {
  PATH: "/work/node:/usr/local/bin:/usr/bin:/bin",
  PYTHONDONTWRITEBYTECODE: "1",
};

/** The live test of a client: lock, install, and install again with the registry unplugged. */
export async function runLive(ecosystem: Ecosystem, upstreams: readonly Upstream[], client: LiveClient): Promise<void> {
  const sandbox = await clientSandbox(ecosystemAdapters[ecosystem], upstreams, { environment, mounts: clientMounts() });
  try {
    const { door } = sandbox;
    const run = async (script: string, project: string) => {
      const ran = await sandbox.run(script, project);
      expect(ran.exitCode, `${ran.text}\n${door.asked.join("\n")}`).toBe(0);
      return ran.output;
    };
    const locking = `${client.lock}\ncp ${client.lockfile} "$TOUCHMARK_OUTPUT"`;
    const locked = await run(locking, sandbox.directoryOf(client.project));
    const project = () => withFiles(sandbox.directoryOf(client.project), locked, [client.lockfile]);
    door.archives.length = 0;
    const first = await run(client.install, project());
    expect(door.unknown).toEqual([]);
    expect(door.asked.filter((line) => line.startsWith("chatter"))).toEqual([]);
    expect(door.archives.filter(({ held }) => !held)).toEqual([]);
    expect(door.archives.length).toBeGreaterThanOrEqual(client.archives);
    door.offline = true;
    const second = await run(client.install, project());
    expect(door.missing, door.asked.join("\n")).toEqual([]);
    expect(existsSync(join(first, "tree", client.proof))).toBe(true);
    const leftOut = client.notes ?? /^$/;
    expect(treeOf(join(second, "tree"), leftOut)).toEqual(treeOf(join(first, "tree"), leftOut));
  } finally {
    await sandbox.close();
  }
}
