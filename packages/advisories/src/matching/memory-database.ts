import { canonicalJson, sha256 } from "@touchmark/core";
import type { AdvisoryDataFacts } from "@touchmark/formats/findings";
import type { Advisory, AdvisoryDatabase, Exploitation } from "../advisory.ts";
import { lookupName } from "./names.ts";

/** What a database in memory is made of. */
export interface MemoryDatabaseContent {
  readonly advisories: readonly Advisory[];
  /** By CVE id. */
  readonly exploitations?: Readonly<Record<string, Exploitation>>;
  /** RFC 3339 dates by `DISTRIBUTION VERSION`: `debian 10`. */
  readonly endsOfLife?: Readonly<Record<string, string>>;
  /** In place of the facts that are made from the advisories. */
  readonly facts?: Partial<AdvisoryDataFacts>;
}

/** An advisory database that is a few objects: for tests, and for a handful of records that came with a request. */
export function memoryDatabase(content: MemoryDatabaseContent): AdvisoryDatabase {
  const byPackage = new Map<string, Set<Advisory>>();
  const byId = new Map<string, Set<Advisory>>();
  const counts = new Map<string, Set<string>>();
  for (const advisory of content.advisories) {
    for (const { ecosystem, name } of advisory.affected) {
      grow(byPackage, `${ecosystem}\n${lookupName(ecosystem, name)}`, advisory);
      grow(counts, ecosystem, `${advisory.source}\n${advisory.id}`);
    }
    for (const id of [advisory.id, ...advisory.aliases]) grow(byId, id, advisory);
  }
  const ecosystems = new Map([...counts].map(([ecosystem, ids]) => [ecosystem, ids.size]));
  return {
    facts: { ...factsOf(content.advisories), ...content.facts },
    lookup: (ecosystem, name) => [...(byPackage.get(`${ecosystem}\n${lookupName(ecosystem, name)}`) ?? [])],
    ecosystems: () => ecosystems,
    find: (id) => [...(byId.get(id) ?? [])],
    exploitation: (cve) => own(content.exploitations, cve),
    endOfLife: (distribution, version) => own(content.endsOfLife, `${distribution} ${version}`),
    close: () => {},
  };
}

function factsOf(advisories: readonly Advisory[]): AdvisoryDataFacts {
  const digest = sha256(canonicalJson(advisories));
  const importedAt = "1970-01-01T00:00:00Z";
  const names = [...new Set(advisories.map(({ source }) => source))].sort();
  const sources = names.map((name) => ({
    name,
    kind: "memory",
    digest,
    importedAt,
    advisories: advisories.filter(({ source }) => source === name).length,
  }));
  return { digest, compiledAt: importedAt, advisories: advisories.length, sources };
}

function grow<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const held = map.get(key);
  if (held === undefined) map.set(key, new Set([value]));
  else held.add(value);
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
