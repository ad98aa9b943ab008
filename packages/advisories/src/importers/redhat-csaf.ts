import type { AdvisorySeverity, AffectedPackage } from "../advisory.ts";
import type { AdvisoryRecord } from "../database/row.ts";
import { type CsafProduct, csafProducts } from "./csaf-products.ts";
import { below } from "./draft.ts";
import type { Importer } from "./importer.ts";
import { list, type Members, moment, name, object, optionalMoment, prose, webAddresses, wrong } from "./members.ts";
import { lost } from "./osv.ts";
import { advisoryId } from "./osv-record.ts";
import { parseDocument } from "./parse-document.ts";

const most = 500_000;

/** Red Hat's CSAF 2.0 documents: VEX, one a CVE, and advisories, one an erratum with its CVEs. */
export const redhatCsafImporter: Importer = {
  kind: "redhat-csaf",
  version: 1,
  endings: [".json"],
  largestFile: 128 << 20,
  async *read(entries, context) {
    for await (const entry of entries) {
      // Lists of what changed lie among the documents.
      if (/(?:^|\/)(?:index|provider-metadata|changes|deletions|releases)\.(?:json|csv)$/i.test(entry.path)) continue;
      try {
        yield { kind: "advisory", record: advisory(object(parseDocument(await entry.read()), "a document")) };
      } catch (error) {
        lost(context, entry.path, error);
      }
    }
  },
};

function advisory(csaf: Members): AdvisoryRecord {
  const document = object(csaf["document"], "document");
  if (document["csaf_version"] !== "2.0") return wrong("a document of CSAF 2.0");
  const tracking = object(document["tracking"], "tracking");
  const product = csafProducts(object(csaf["product_tree"] ?? {}, "product_tree"));
  const vulnerabilities = list(csaf["vulnerabilities"], "vulnerabilities", 10_000).map((each) =>
    object(each, "a vulnerability"),
  );
  const cves = vulnerabilities.flatMap(({ cve }) => (typeof cve === "string" ? [advisoryId(cve)] : []));
  const isVex = document["category"] === "csaf_vex" && cves.length === 1;
  const id = isVex ? (cves[0] ?? "") : advisoryId(tracking["id"]);
  const published = optionalMoment(
    (isVex ? vulnerabilities[0]?.["release_date"] : undefined) ?? tracking["initial_release_date"],
    "initial_release_date",
  );
  return {
    id,
    aliases: [],
    upstream: isVex ? [] : [...new Set(cves)].sort(),
    related: [],
    ...(published === undefined ? {} : { published }),
    modified: moment(tracking["current_release_date"], "current_release_date"),
    summary: prose(
      vulnerabilities.length === 1 ? (vulnerabilities[0]?.["title"] ?? document["title"]) : document["title"],
      300,
    ),
    severities: severities(document, vulnerabilities),
    cwes: [...new Set(vulnerabilities.flatMap(cwe))],
    references: webAddresses(
      list(document["references"], "references", 10_000).map((each) => (each as Members | null)?.["url"]),
    ),
    affected: merged(vulnerabilities.flatMap((each) => affected(each, product))),
  };
}

function cwe(vulnerability: Members): readonly string[] {
  const id = (vulnerability["cwe"] as Members | null | undefined)?.["id"];
  return typeof id === "string" && /^CWE-\d{1,6}$/.test(id) ? [id] : [];
}

/** Vectors first; the vendor's own word where there is one. */
function severities(document: Members, vulnerabilities: readonly Members[]): readonly AdvisorySeverity[] {
  const found = new Map<string, AdvisorySeverity>();
  const add = (type: AdvisorySeverity["type"], value: unknown): void => {
    if (typeof value === "string" && /^[\x20-\x7e]{1,300}$/.test(value)) found.set(`${type} ${value}`, { type, value });
  };
  for (const vulnerability of vulnerabilities) {
    for (const each of list(vulnerability["scores"], "scores", most)) {
      const { cvss_v2: v2, cvss_v3: v3, cvss_v4: v4 } = object(each, "a score");
      add("CVSS_V2", (v2 as Members | undefined)?.["vectorString"]);
      add("CVSS_V3", (v3 as Members | undefined)?.["vectorString"]);
      add("CVSS_V4", (v4 as Members | undefined)?.["vectorString"]);
    }
  }
  const word = (document["aggregate_severity"] as Members | undefined)?.["text"];
  if (typeof word === "string" && /^[A-Za-z]{1,20}$/.test(word)) add("words", word.toUpperCase());
  return [...found.values()].slice(0, 50);
}

const statuses = [
  ["fixed", "fixed"],
  ["first_fixed", "fixed"],
  ["known_affected", "not-fixed"],
  ["first_affected", "not-fixed"],
  ["last_affected", "not-fixed"],
  ["under_investigation", "unknown"],
  ["known_not_affected", "not-affected"],
] as const;

function affected(
  vulnerability: Members,
  product: (id: string) => CsafProduct | undefined,
): readonly (AffectedPackage & { readonly isSource: boolean })[] {
  const status = object(vulnerability["product_status"] ?? {}, "product_status");
  const plans = plansOf(vulnerability);
  return statuses.flatMap(([member, state]) =>
    list(status[member], member, most).flatMap((id) => {
      const found = typeof id === "string" ? product(id) : undefined;
      if (found === undefined) return [];
      const { platform, name: spelled, version, architecture } = found;
      // A package without a version stands for all of it; binary packages of other architectures say it again.
      if (state === "fixed" && version === undefined) return [];
      const isSource = architecture === "src" || (architecture === undefined && version === undefined);
      const ranges = state === "not-affected" ? [] : [below(state === "fixed" ? version : undefined)];
      return [
        {
          ecosystem: `Red Hat:${platform}`,
          name: name(spelled, "a package's name"),
          ...(isSource ? {} : { binary: true }),
          ...{ ranges, versions: [], severities: [], isSource },
          state: state === "not-fixed" ? (plans.get(id as string) ?? state) : state,
        },
      ];
    }),
  );
}

/** What the vendor plans for products without a fix. */
function plansOf(vulnerability: Members): ReadonlyMap<string, "will-not-fix" | "end-of-life"> {
  const plans = new Map<string, "will-not-fix" | "end-of-life">();
  for (const each of list(vulnerability["remediations"], "remediations", most)) {
    const { category, details, product_ids: ids } = object(each, "a remediation");
    if (category !== "no_fix_planned") continue;
    const plan = typeof details === "string" && /out of support/i.test(details) ? "end-of-life" : "will-not-fix";
    for (const id of list(ids, "product_ids", most)) if (typeof id === "string") plans.set(id, plan);
  }
  return plans;
}

/** Each statement once; binary packages only of products for which no source package is named. */
function merged(all: readonly (AffectedPackage & { readonly isSource: boolean })[]): readonly AffectedPackage[] {
  const withSources = new Set(all.filter(({ isSource }) => isSource).map(({ ecosystem }) => ecosystem));
  const kept = new Map<string, AffectedPackage>();
  for (const { isSource, ...each } of all) {
    if (!isSource && withSources.has(each.ecosystem)) continue;
    const key = JSON.stringify([each.ecosystem, each.name, each.binary, each.state, each.ranges]);
    if (!kept.has(key)) kept.set(key, each);
  }
  return [...kept.values()];
}
