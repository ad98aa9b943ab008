import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { advisoryPlace, importAdvisories } from "@touchmark/advisories";
import type { Scene } from "../fixture.ts";

/** One advisory about versions of an npm package, in OSV's form. */
export function npmAdvisory(
  id: string,
  name: string,
  fixed: string,
  severity = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
) {
  return {
    schema_version: "1.7.0",
    id,
    modified: "2026-01-01T00:00:00Z",
    published: "2025-12-01T00:00:00Z",
    summary: `a flaw in ${name}`,
    ...(severity === "" ? {} : { severity: [{ type: "CVSS_V3", score: severity }] }),
    affected: [
      {
        package: { ecosystem: "npm", name },
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed }] }],
      },
    ],
  };
}

let count = 0;

/** Puts advisories into the home of a scene; the whole source each time. */
export async function giveAdvisories(scene: Scene, records: readonly { readonly id: string }[]): Promise<void> {
  const directory = join(scene.directory, `advisories-${++count}`);
  mkdirSync(directory, { recursive: true });
  for (const record of records) writeFileSync(join(directory, `${record.id}.json`), JSON.stringify(record));
  await importAdvisories({
    input: { name: "test", kind: "osv", path: directory },
    place: advisoryPlace(scene.factory.home.path),
    clock: scene.factory.clock,
    allowRollback: true,
  });
}

/** Writes rules for what is inside. */
export function giveRules(scene: Scene, text: string): void {
  writeFileSync(join(scene.factory.home.path, "scan.yaml"), `touchmark: scan/v1\n${text}`);
}
