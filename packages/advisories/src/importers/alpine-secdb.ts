import type { AffectedPackage } from "../advisory.ts";
import { below, Drafts } from "./draft.ts";
import type { Importer } from "./importer.ts";
import { list, name, object, wrong } from "./members.ts";
import { lost } from "./osv.ts";
import { parseDocument } from "./parse-document.ts";

const idShape = /\b(?:CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3}|XSA-\d+|ALPINE-\d+|ZBX-\d+|[A-Z]{2,10}-\d{4}-\d{2,})\b/g;

/** Documents of Alpine's secdb, one for each release and repository: which version of an origin fixed what. */
export const alpineSecdbImporter: Importer = {
  kind: "alpine-secdb",
  version: 1,
  endings: [".json"],
  largestFile: 128 << 20,
  async *read(entries, context) {
    const drafts = new Drafts();
    for await (const entry of entries) {
      try {
        const document = object(parseDocument(await entry.read()), "a document");
        const release = name(document["distroversion"], "distroversion", 40);
        const ecosystem = `Alpine:${release === "edge" || release.startsWith("v") ? release : `v${release}`}`;
        for (const [i, each] of list(document["packages"], "packages", 200_000).entries()) {
          try {
            addPackage(drafts, ecosystem, each, (error) => lost(context, `${entry.path}#${i}`, error));
          } catch (error) {
            lost(context, `${entry.path}#${i}`, error);
          }
        }
      } catch (error) {
        lost(context, entry.path, error);
      }
    }
    yield* drafts.rows();
  },
};

function addPackage(drafts: Drafts, ecosystem: string, value: unknown, lose: (error: unknown) => void): void {
  const { name: spelled, secfixes } = object(object(value, "an entry")["pkg"], "pkg");
  const origin = name(spelled, "a package's name");
  for (const [version, fixes] of Object.entries(object(secfixes ?? {}, "secfixes"))) {
    for (const fix of list(fixes, "fixes of a version", 10_000)) {
      try {
        // One entry is one vulnerability, with the names that others have for it: `CVE-2022-1234 GHSA-xxxx-xxxx-xxxx`.
        const [id, ...aliases] = typeof fix === "string" ? (fix.slice(0, 1000).match(idShape) ?? []) : [];
        if (id === undefined) wrong(`ids of vulnerabilities below ${origin} ${version.slice(0, 80)}`);
        else drafts.add(id, affectedBelow(ecosystem, origin, name(version, "a version", 256)), { aliases });
      } catch (error) {
        lose(error);
      }
    }
  }
}

function affectedBelow(ecosystem: string, origin: string, version: string): AffectedPackage {
  const of = { ecosystem, name: origin, versions: [], severities: [] };
  // What secdb writes where an origin never had the vulnerability.
  return version === "0"
    ? { ...of, ranges: [], state: "not-affected" }
    : { ...of, ranges: [below(version)], state: "fixed" };
}
