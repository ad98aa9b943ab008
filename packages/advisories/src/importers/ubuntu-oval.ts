import { isFactoryError } from "@touchmark/core";
import { xmlText } from "@touchmark/formats/xml";
import type { AffectedPackage } from "../advisory.ts";
import { type AdvisoryRecord, undated } from "../database/row.ts";
import { below } from "./draft.ts";
import type { Importer } from "./importer.ts";
import { name, optionalMoment, prose, webAddresses, wrong } from "./members.ts";
import { lost } from "./osv.ts";
import { advisoryId } from "./osv-record.ts";
import { type OvalCriterion, type OvalDefinition, type OvalDocument, readOval } from "./oval-document.ts";

/** Canonical's OVAL documents, one a release: vulnerabilities (`*.cve.oval.xml`) or notices (`*.usn.oval.xml`). */
export const ubuntuOvalImporter: Importer = {
  kind: "ubuntu-oval",
  version: 1,
  endings: [".xml"],
  largestFile: 512 << 20,
  async *read(entries, context) {
    const records = new Map<string, AdvisoryRecord>();
    for await (const entry of entries) {
      try {
        const document = readXmlDocument(await entry.read());
        const made = optionalMoment(document.made, "a timestamp");
        if (made !== undefined) context.made(made);
        for (const definition of document.definitions) {
          if (definition.kind !== "vulnerability" && definition.kind !== "patch") continue;
          try {
            const record = advisory(definition, document);
            // One document a release: what they say of one vulnerability is one advisory.
            const before = records.get(record.id);
            const affected = [...(before?.affected ?? []), ...record.affected];
            records.set(record.id, { ...(before ?? record), affected });
          } catch (error) {
            lost(context, `${entry.path}#${definition.id.slice(0, 100)}`, error);
          }
        }
      } catch (error) {
        lost(context, entry.path, error);
      }
    }
    for (const record of records.values()) yield { kind: "advisory", record };
  },
};

function readXmlDocument(bytes: Uint8Array): OvalDocument {
  try {
    return readOval(xmlText(bytes));
  } catch (error) {
    if (!isFactoryError(error) || !error.code.startsWith("XML_")) throw error;
    return wrong(`an OVAL document: ${error.message}`);
  }
}

function advisory(definition: OvalDefinition, document: OvalDocument): AdvisoryRecord {
  const { title, references, severity } = definition;
  const ids = (source: string) => references.flatMap((each) => (each.source === source ? [advisoryId(each.id)] : []));
  const cves = [...new Set(ids("CVE"))].sort();
  const id = definition.kind === "patch" ? ids("USN")[0] : (cves[0] ?? advisoryId(title.split(" ", 1)[0]));
  if (id === undefined) return wrong("a notice with its number");
  const platform = /^Ubuntu (\d{2}\.\d{2})(?:\.\d+)?( LTS)?/.exec(
    definition.platform || (/ on (Ubuntu [\d.]+(?: LTS)?)/.exec(title)?.[1] ?? ""),
  );
  if (platform === null) return wrong("a definition for a release of Ubuntu");
  const ecosystem = `Ubuntu:${platform[1]}${platform[2] === undefined ? "" : ":LTS"}`;
  const published = optionalMoment(definition.issued, "a date");
  return {
    id,
    aliases: [],
    upstream: definition.kind === "patch" ? cves : [],
    related: [],
    ...(published === undefined ? {} : { published }),
    modified: published ?? undated,
    summary: prose(definition.description || title, 300),
    severities: /^[A-Za-z]{1,20}$/.test(severity) ? [{ type: "words", value: severity.toUpperCase() }] : [],
    cwes: [],
    references: webAddresses(references.map(({ address }) => address)),
    affected: definition.criteria.flatMap((each) => affected(each, ecosystem, document)),
  };
}

/** What Canonical writes of a source package in one release. */
const sentence = /^(?:\([^)]{0,80}\) )?'?([a-z0-9][a-z0-9.+-]{0,100})'? (?:source )?package in \S+ (.{1,300})$/;

/**
 * A criterion names the source package in its comment, and the version in its test or in a note; where it says nothing
 * of a source package, the test's binary packages stand for it.
 */
function affected({ test, comment }: OvalCriterion, ecosystem: string, document: OvalDocument): AffectedPackage[] {
  const tested = document.packagesOf(test);
  const written = sentence.exec(comment);
  const of = { ecosystem, versions: [], severities: [] };
  if (written !== null) {
    const [, source = "", said = ""] = written;
    const noted = /\(note: '([^']{1,200})'\)/.exec(said)?.[1];
    const fixed = /has been fixed|was vulnerable but/.test(said) ? (tested.below ?? noted) : undefined;
    return [{ ...of, name: name(source, "a package's name"), ...statement(said, fixed) }];
  }
  if (tested.below === undefined) return [];
  const version = evr(tested.below);
  return tested.names.map((each) => ({
    ...{ ...of, name: name(each, "a package's name"), binary: true },
    ...{ ranges: [below(version)], state: "fixed" as const },
  }));
}

function statement(said: string, fixed: string | undefined): Pick<AffectedPackage, "ranges" | "state"> {
  if (fixed !== undefined) return { ranges: [below(evr(fixed))], state: "fixed" };
  if (/is not affected|was not vulnerable/.test(said)) return { ranges: [], state: "not-affected" };
  if (/end of life|out of support/i.test(said)) return { ranges: [below()], state: "end-of-life" };
  if (/decision has been made to ignore/.test(said)) return { ranges: [below()], state: "will-not-fix" };
  if (/is affected|may need fixing|needs fixing|defer/.test(said)) return { ranges: [below()], state: "not-fixed" };
  return { ranges: [below()], state: "unknown" };
}

/** OVAL writes an epoch always; versions of packages only where there is one. */
function evr(version: string): string {
  return name(version.replace(/^0:/, ""), "a version", 256);
}
