import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * A home whose advisory database is compiled from the zips that inputs.ts writes, one source each.
 * @param command the program and its first words: from the sources, or bundled
 */
export function makeHome(home: string, advisories: string, command: readonly string[]): void {
  const zips = join(advisories, "osv-scalibr");
  if (!existsSync(zips))
    throw new Error(`there are no advisories in ${advisories}: node bench/sbom/inputs.ts makes them`);
  const sources = readdirSync(zips).map((name) => ({
    name: name.toLowerCase().replace(/[^a-z0-9]+/g, "-"),
    location: join(zips, name, "all.zip"),
  }));
  const [program = "", ...words] = command;
  const env = { ...process.env, TOUCHMARK_HOME: home };
  const call = (...more: readonly string[]): void => {
    const ended = spawnSync(program, [...words, "advisories", ...more], { env, encoding: "utf8", maxBuffer: 1 << 28 });
    if (ended.status !== 0)
      throw new Error(`advisories ${more[0]} ended with ${ended.status}: ${ended.stderr.slice(-800)}`);
  };
  for (const { name, location } of sources) call("import", location, "--kind", "osv", "--name", name);
}
