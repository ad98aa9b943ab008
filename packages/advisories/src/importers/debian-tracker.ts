import type { AdvisorySeverity, AffectedPackage } from "../advisory.ts";
import { below, Drafts } from "./draft.ts";
import type { Importer } from "./importer.ts";
import { jsonMembers } from "./json-pieces.ts";
import { type Members, name, object, prose, wrong } from "./members.ts";
import { lost } from "./osv.ts";
import { advisoryId } from "./osv-record.ts";
import { parseDocument } from "./parse-document.ts";

/** Releases by codename, for the ecosystems of the OSV schema, which have numbers. */
const releases: Readonly<Record<string, string>> = {
  ...{ sarge: "3.1", etch: "4.0", lenny: "5.0", squeeze: "6.0", wheezy: "7", jessie: "8", stretch: "9", buster: "10" },
  ...{ bullseye: "11", bookworm: "12", trixie: "13", forky: "14", duke: "15", sid: "sid" },
};

/** The JSON file of Debian's security tracker: source packages, below them vulnerabilities, below them releases. */
export const debianTrackerImporter: Importer = {
  kind: "debian-tracker",
  version: 1,
  endings: [".json"],
  largestFile: 512 << 20,
  async *read(entries, context) {
    const drafts = new Drafts();
    for await (const entry of entries) {
      try {
        for (const [spelled, bytes] of jsonMembers(await entry.read())) {
          const path = `${entry.path}#${spelled.slice(0, 100)}`;
          try {
            const source = name(spelled, "a package's name");
            const issues = object(parseDocument(bytes), "a package");
            for (const [id, issue] of Object.entries(issues)) {
              try {
                addIssue(drafts, source, advisoryId(id), object(issue, "a vulnerability"));
              } catch (error) {
                lost(context, `${path}/${id.slice(0, 100)}`, error);
              }
            }
          } catch (error) {
            lost(context, path, error);
          }
        }
      } catch (error) {
        lost(context, entry.path, error);
      }
    }
    yield* drafts.rows();
  },
};

function addIssue(drafts: Drafts, source: string, id: string, issue: Members): void {
  const summary = prose(issue["description"], 300);
  // All releases are read before any is kept: a vulnerability is taken whole or not at all.
  const affected = Object.entries(object(issue["releases"], "releases")).map(([codename, release]) =>
    affectedIn(source, name(codename, "a release", 40), object(release, "a release")),
  );
  for (const each of affected) drafts.add(id, each, { summary });
}

function affectedIn(source: string, codename: string, release: Members): AffectedPackage {
  const { status, fixed_version: fixed, urgency, nodsa_reason: reason } = release;
  const severities = severitiesOf(urgency);
  const of = { ecosystem: `Debian:${releases[codename] ?? codename}`, name: source, versions: [], severities };
  if (status === "resolved") {
    const version = name(fixed, "a fixed version", 256);
    // What the tracker writes where a release never had the vulnerability.
    if (version === "0") return { ...of, ranges: [], state: "not-affected" };
    return { ...of, ranges: [below(version)], state: "fixed" };
  }
  if (status !== "open" && status !== "undetermined") return wrong("a status of open, resolved or undetermined");
  const isOver = urgency === "end-of-life";
  const state = isOver ? "end-of-life" : reason === "ignored" ? "will-not-fix" : "not-fixed";
  return { ...of, ranges: [below()], state: status === "undetermined" ? "unknown" : state };
}

/** `not yet assigned` is no severity; the stars say who decided. */
function severitiesOf(urgency: unknown): readonly AdvisorySeverity[] {
  const word = typeof urgency === "string" ? urgency.replace(/\*+$/, "") : "";
  return ["unimportant", "low", "medium", "high"].includes(word) ? [{ type: "words", value: word.toUpperCase() }] : [];
}
