import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type AdvisoryPlace,
  advisoryPlace,
  advisorySources,
  openAdvisories,
  updateAdvisories,
} from "@touchmark/advisories";
import { fixedClock } from "@touchmark/core";
import { onTestFinished } from "vitest";

/** A directory that is deleted when the test is done. */
export function freshDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-advisories-attack-")));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes a file; objects become JSON. */
export function write(path: string, content: unknown): string {
  mkdirSync(dirname(path), { recursive: true });
  const isRaw = typeof content === "string" || content instanceof Uint8Array;
  writeFileSync(path, isRaw ? content : JSON.stringify(content));
  return path;
}

/** An advisory that says `left` is flawed below 2.0.0. */
export function flaw(
  id: string,
  modified = "2026-01-10T00:00:00Z",
  events: unknown[] = [{ introduced: "0" }, { fixed: "2.0.0" }],
) {
  const ranges = [{ type: "SEMVER", events }];
  return { id, modified, summary: id, affected: [{ package: { ecosystem: "npm", name: "left" }, ranges }] };
}

/** A home whose one source is at a location, with limits of age. */
export function victim(location: string) {
  const home = freshDirectory();
  const place = advisoryPlace(home);
  const clock = fixedClock("2026-01-15T00:00:00Z");
  const source = `{ name: feed, kind: osv, location: '${location}', maximum-age: { refuse: 30d } }`;
  write(place.configuration, `touchmark: advisories/v1\nsources:\n  - ${source}\n`);
  const update = () => {
    const configuration = advisorySources(place);
    if (configuration === undefined) throw new Error("expected a configuration");
    return updateAdvisories({ place, clock, configuration });
  };
  return { home, place, clock, update };
}

/** Ids that a home knows of `left`. */
export function known(place: AdvisoryPlace, now: Date): readonly string[] {
  const open = openAdvisories(place, { now });
  try {
    return open?.database.lookup("npm", "left").map(({ id }) => id) ?? [];
  } finally {
    open?.database.close();
  }
}

/** What a program knows that takes the records of a directory as they come. */
export function naivelyKnown(directory: string): readonly string[] {
  return readdirSync(directory).map((name) => {
    const record = JSON.parse(readFileSync(join(directory, name), "utf8")) as { id: string };
    return record.id;
  });
}

/** A server on this host for one test; its address. */
export async function served(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed.json`;
}

/** Code of what a call throws, or `taken`. */
export async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "taken";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
