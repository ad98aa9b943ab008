import {
  currentLicence,
  joinLicences,
  type LicenceExpression,
  licenceText,
  parseLicenceExpression,
} from "@touchmark/formats/licences";
import type { LicenceFact } from "@touchmark/formats/sbom";
import { licenceTextsIn, type TextMatch } from "./likeness.ts";
import { type GnuNotice, gnuNotices } from "./notices.ts";
import { longestLicenceText } from "./words.ts";

/** Most tags that are read in one file. */
const mostTags = 200;

/**
 * The licences that a text names or is: `SPDX-License-Identifier` tags (confidence 1), and licence texts and notices by
 * likeness, with the share of the known text that is there as confidence. An exception joins the licence that stands
 * with it. Sorted by confidence, then expression. Texts beyond 1 MiB are read up to there. Never throws.
 */
export function detectLicences(text: string, path?: string): readonly LicenceFact[] {
  const found = new Map<string, number>();
  const add = (expression: LicenceExpression, confidence: number) => {
    const name = licenceText(expression);
    found.set(name, Math.max(found.get(name) ?? 0, confidence));
  };
  for (const expression of spdxTags(text)) add(expression, 1);
  for (const { expression, confidence } of byLikeness(licenceTextsIn(text), gnuNotices(text)))
    add(expression, confidence);
  return [...found]
    .map(([expression, confidence]) => ({ expression, ...(path === undefined ? {} : { path }), confidence }))
    .sort((a, b) => b.confidence - a.confidence || (a.expression < b.expression ? -1 : 1));
}

/** Expressions of the tags in a file (SPDX 2.3 annex E; REUSE 3). What is no expression is passed over. */
export function spdxTags(text: string): readonly LicenceExpression[] {
  const tag = /SPDX-License-Identifier:[ \t]*([^\r\n]{1,1000})/g;
  const found: LicenceExpression[] = [];
  let count = 0;
  for (const match of text.slice(0, longestLicenceText).matchAll(tag)) {
    if (++count > mostTags) break;
    // The end of a comment may stand on the same line.
    const written = (match[1] ?? "").replace(/\s*(?:\*+\/|-->|\*\)|#\}|"""|%>|\])?[\s*/"'`;,.]*$/, "");
    try {
      found.push(currentLicence(parseLicenceExpression(written)));
    } catch {
      // A tag in an example, or of a licence that has no name on the list.
    }
  }
  return found;
}

/** How sure a notice is that was read by its words. */
const noticeConfidence = 0.95;

function byLikeness(
  matches: readonly TextMatch[],
  notices: readonly GnuNotice[],
): { expression: LicenceExpression; confidence: number }[] {
  const texts = matches
    .filter(({ text }) => text.kind !== "exception")
    .map(({ text, likeness }) => ({ id: text.id, likeness }));
  const hasGnuText = texts.some(({ id }) => /^(?:[AL]?GPL|GFDL|EUPL|MPL)-/.test(id));
  const stated = notices
    .filter(({ isStrong }) => isStrong || !hasGnuText)
    .map(({ id }) => ({ id, likeness: noticeConfidence }));
  const all = [...texts, ...stated].filter(({ id }, _, list) => !isSaidBetter(id, list));
  const exceptions = matches.filter(({ text }) => text.kind === "exception");
  // An exception is of one licence: where several stand, nobody knows of which.
  const exception = new Set(all.map(({ id }) => id)).size === 1 && exceptions.length === 1 ? exceptions[0] : undefined;
  return all.map(({ id, likeness }) => {
    const term = { kind: "licence", id, orLater: false } as const;
    if (exception === undefined) return { expression: term, confidence: likeness };
    const confidence = Math.min(likeness, exception.likeness);
    return { expression: { ...term, exception: exception.text.id }, confidence };
  });
}

/** `GPL-2.0-only` by its text says less than `GPL-2.0-or-later` by a notice beside it. */
function isSaidBetter(id: string, all: readonly { readonly id: string }[]): boolean {
  return id.endsWith("-only") && all.some((other) => other.id === id.replace(/-only$/, "-or-later"));
}

/** What facts of several texts say together: all of them hold. Facts below `confidence` do not count. */
export function joinedDetection(facts: readonly LicenceFact[], confidence: number): LicenceExpression | undefined {
  const parts = facts.flatMap((fact) =>
    fact.expression === undefined || fact.confidence < confidence ? [] : [parseLicenceExpression(fact.expression)],
  );
  return joinLicences("and", parts);
}
