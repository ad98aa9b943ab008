import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type AdvisorySourceInput,
  changedPackages,
  compileDatabase,
  matchSbom,
  openAdvisoryDatabase,
  rematch,
} from "@touchmark/advisories";
import { fixedClock } from "@touchmark/core";
import type { ScanResult } from "@touchmark/formats/findings";
import type { Sbom } from "@touchmark/formats/sbom";
import { allCatalogers, catalogue, openDirectoryTree } from "@touchmark/sbom";
import { changeRecords } from "./records.ts";

const at = "2026-02-01T00:00:00Z";

/** Documents that are not the same: each leaves out its own tenth of the components. */
function variant(sbom: Sbom, number: number): Sbom {
  const components = sbom.components.filter((each, i) => i % 10 !== number % 10 || each.ref === sbom.root);
  const refs = new Set(components.map(({ ref }) => ref));
  const dependencies = sbom.dependencies
    .filter(({ from }) => refs.has(from))
    .map((each) => ({ ...each, to: each.to.filter((ref) => refs.has(ref)) }));
  return { ...sbom, components, dependencies, subject: { ...sbom.subject, name: `document-${number}` } };
}

/**
 * A second look at stored results after some advisories changed, against matching each document whole; that both say the
 * same is checked. @returns rows of a table
 */
export async function measureRematch(
  project: string,
  advisories: string,
  scratch: string,
  documents: number,
  changes: number,
): Promise<readonly string[]> {
  mkdirSync(scratch, { recursive: true });
  const tree = openDirectoryTree(project);
  const sbom = await catalogue(tree, { catalogers: allCatalogers(), subject: { kind: "directory", name: "bench" } });
  const changed = join(scratch, "changed.zip");
  const original = join(advisories, "osv-scalibr", "npm", "all.zip");
  changeRecords(original, changed, changes);
  const compiled = async (path: string, directory: string): Promise<string> => {
    const source: AdvisorySourceInput = { name: "npm", kind: "osv", path, origin: "bench" };
    return (await compileDatabase({ sources: [source], directory, clock: fixedClock(at) })).path;
  };
  const before = openAdvisoryDatabase(await compiled(original, join(scratch, "before")));
  const after = openAdvisoryDatabase(await compiled(changed, join(scratch, "after")));
  const timed = <Result>(work: () => Result): readonly [Result, number] => {
    const begun = performance.now();
    const result = work();
    return [result, performance.now() - begun];
  };
  const [packages, toCompare] = timed(() => changedPackages(before, after));
  let incremental = 0;
  let entire = 0;
  let differing = 0;
  // One document at a time, as a watch goes over them: a thousand results at once are gigabytes.
  for (let i = 0; i < documents; i++) {
    const one = variant(sbom, i);
    const stored: ScanResult = {
      sbom: one,
      at,
      advisories: before.facts,
      ...matchSbom(one, before, { at }),
      licences: [],
    };
    const [again, partMs] = timed(() => rematch(stored, packages, after, { at }));
    const [whole, wholeMs] = timed(() => matchSbom(one, after, { at }));
    incremental += partMs;
    entire += wholeMs;
    if (JSON.stringify(again.findings) !== JSON.stringify(whole.findings)) differing++;
  }
  before.close();
  after.close();
  return [
    `| packages that the changed advisories name, found in ${toCompare.toFixed(0)} ms | ${packages.length} |`,
    `| again, what changed | ${(incremental / 1000).toFixed(2)} s |`,
    `| each document whole | ${(entire / 1000).toFixed(2)} s |`,
    `| ratio | ${(incremental / entire).toFixed(3)}× |`,
    `| documents of which both do not say the same | ${differing} |`,
  ];
}
