import type { AdvisorySeverity, AffectedPackage, AffectedRange, RangeEvent } from "../advisory.ts";
import { type AdvisoryRecord, undated } from "../database/row.ts";
import { advisorySourceErrors } from "./errors.ts";
import {
  list,
  type Members,
  moment,
  name,
  object,
  optionalMoment,
  optionalObject,
  prose,
  webAddresses,
  wrong,
} from "./members.ts";
import { checkRange } from "./range.ts";

/** Bounds of one record. */
const limits = { affected: 20_000, ranges: 200, events: 2_000, versions: 100_000, ids: 2_000, severities: 50 } as const;

const idShape = /^[A-Za-z0-9][A-Za-z0-9._:+~-]{0,127}$/;
const ecosystemShape = /^[A-Za-z][\x20-\x7e]{0,127}$/;
const eventKinds = ["introduced", "fixed", "last_affected", "limit"] as const;
/** Ecosystems whose records name binary packages. */
const binaryEcosystems = /^(?:Red Hat|AlmaLinux)(?::|$)/;

/**
 * Reads one record of the OSV schema (1.7; older ones are a part of it). Unknown members mean nothing here; what is
 * known is checked.
 * @throws ADVISORY_MALFORMED | ADVISORY_NAME_INVALID | ADVISORY_RANGE_IMPOSSIBLE | ADVISORY_RECORD_TOO_LARGE
 */
export function readOsvRecord(value: unknown): AdvisoryRecord {
  const record = object(value, "a record");
  const specific = optionalObject(record["database_specific"], "database_specific");
  // Some checkouts have no dates, which are filled in where the records are published.
  const written = optionalMoment(record["published"], "published");
  const published = written === undated ? undefined : written;
  const withdrawn = optionalMoment(record["withdrawn"], "withdrawn");
  const id = advisoryId(record["id"]);
  return {
    id,
    aliases: ids(record["aliases"], "aliases", id),
    upstream: ids(record["upstream"], "upstream", id),
    related: ids(record["related"], "related", id),
    ...(published === undefined ? {} : { published }),
    modified: moment(record["modified"], "modified"),
    ...(withdrawn === undefined ? {} : { withdrawn }),
    summary: prose(record["summary"], 300) || prose(record["details"], 300),
    severities: [...severities(record["severity"]), ...words(specific["severity"])],
    cwes: cwes(specific["cwe_ids"] ?? specific["cwes"]),
    references: webAddresses(
      list(record["references"], "references", 20_000).map((each) => (each as Members | null)?.["url"]),
    ),
    affected: list(record["affected"], "affected packages", limits.affected).flatMap((each) => affected(each)),
  };
}

/** An id of an advisory. @throws ADVISORY_NAME_INVALID */
export function advisoryId(value: unknown): string {
  const id = name(value, "an id", 128);
  if (!idShape.test(id)) {
    throw advisorySourceErrors.make("ADVISORY_NAME_INVALID", `expected an id such as CVE-2021-44228, found ${id}`);
  }
  return id;
}

/** Ids beside the record's own. Addresses and others that stand among them in real data name no advisory. */
function ids(value: unknown, what: string, own: string): readonly string[] {
  const all = list(value, what, limits.ids).map((each) =>
    typeof each === "string" ? each.replace(/[\s,]+$/, "") : "",
  );
  return [...new Set(all)].filter((id) => id !== own && idShape.test(id)).sort();
}

function severities(value: unknown): readonly AdvisorySeverity[] {
  return list(value, "severities", limits.severities).flatMap((each): readonly AdvisorySeverity[] => {
    const { type, score } = object(each, "a severity");
    if (typeof score !== "string" || score.length > 300) return wrong("a severity to have a score");
    if (type === "CVSS_V2" || type === "CVSS_V3" || type === "CVSS_V4") {
      return [{ type, value: name(score, "a vector", 300) }];
    }
    // Words of a distribution: { type: "Ubuntu", score: "medium" }.
    return words(score);
  });
}

function words(value: unknown): readonly AdvisorySeverity[] {
  if (typeof value !== "string" || !/^[A-Za-z][A-Za-z -]{0,39}$/.test(value)) return [];
  return [{ type: "words", value: value.toUpperCase() }];
}

function cwes(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  const ids = value
    .slice(0, 100)
    .map((each) => (typeof each === "string" ? each : (each as Members | null)?.["cweId"]));
  return [...new Set(ids.filter((each): each is string => typeof each === "string" && /^CWE-\d{1,6}$/.test(each)))];
}

function affected(value: unknown): readonly AffectedPackage[] {
  const written = object(value, "an affected package");
  // Some records are about commits alone.
  if (written["package"] === undefined) return [];
  const { ecosystem, name: spelled } = object(written["package"], "package");
  if (typeof ecosystem !== "string" || !ecosystemShape.test(ecosystem)) return wrong("a package to have an ecosystem");
  const specific = optionalObject(written["ecosystem_specific"], "ecosystem_specific");
  const urgency = specific["urgency"] ?? specific["ubuntu_priority"] ?? specific["severity"];
  const isOver = urgency === "end-of-life";
  const versions = list(written["versions"], "versions", limits.versions).map((each) => name(each, "a version", 256));
  const ranges = list(written["ranges"], "ranges", limits.ranges).map((each) => range(each, ecosystem));
  return [
    {
      ecosystem,
      name: name(spelled, "a package's name"),
      ...(binaryEcosystems.test(ecosystem) ? { binary: true } : {}),
      ranges,
      versions: [...new Set(versions)],
      ...(isOver ? { state: "end-of-life" as const } : {}),
      severities: [...severities(written["severity"]), ...(isOver ? [] : words(urgency))],
    },
  ];
}

function range(value: unknown, ecosystem: string): AffectedRange {
  const { type, repo, events } = object(value, "a range");
  if (type !== "SEMVER" && type !== "ECOSYSTEM" && type !== "GIT") return wrong("a range of a known type");
  const read: AffectedRange = {
    type,
    ...(repo === undefined || repo === null ? {} : { repo: name(repo, "a repository", 1000) }),
    events: list(events, "events", limits.events).map(event),
  };
  checkRange(read, ecosystem);
  return read;
}

function event(value: unknown): RangeEvent {
  const written = object(value, "an event");
  const kinds = eventKinds.filter((kind) => written[kind] !== undefined && written[kind] !== null);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) return wrong("an event of exactly one kind");
  return { [kind]: name(written[kind], "a version", 256) } as unknown as RangeEvent;
}
