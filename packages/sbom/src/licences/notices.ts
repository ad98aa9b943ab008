import { findLicence } from "@touchmark/formats/licences";
import { longestLicenceText } from "./words.ts";

/** A notice that something is under a GNU licence. */
export interface GnuNotice {
  readonly id: string;
  /** In the words of the licences themselves; other words may be about another licence. */
  readonly isStrong: boolean;
}

const mostNotices = 1_000;

const name =
  "GNU (?:(Lesser|Library|Affero|Library or Lesser) )?(?:General )?Public Licen[cs]e(?: \\(?[A-Z]{3,4}\\)?)?";
const later =
  "(?: of the licen[cs]e)?(?:,|;)?(?: (?:or|and)(?:,)? \\(?(?:at your option\\)?(?:,)? )?any (?:later|newer) version| or later| or newer)";
const published = "(?:,? as published by the free software foundation)?[,;:]?";

/** "under the terms of the GNU General Public License ...; either version 2 of the License, or (at your option) any later version". */
const strong = new RegExp(
  `(?:under|terms of|conditions of|covered by|licensed by) (?:the )?${name}${published} (?:either )?(?:version|v\\.?) ?(\\d(?:\\.\\d)?)(?![\\d.]\\d)(${later})?`,
  "gi",
);
/** "under version 2 or later of the GNU General Public License". */
const weak = new RegExp(`under (?:the terms of )?version (\\d(?:\\.\\d)?)(${later})? of the ${name}`, "gi");

/**
 * The notices of GNU licences in a text, without those that the licences themselves show as an example below "How to
 * Apply These Terms".
 */
export function gnuNotices(text: string): readonly GnuNotice[] {
  if (!text.includes("GNU")) return [];
  const plain = text
    .slice(0, longestLicenceText)
    .replace(/^[\s/*#;%>|!-]+/gm, "")
    .replace(/["'`“”‘’]/g, "")
    .replace(/\s+/g, " ");
  const example = plain.search(/how to apply these terms|how to use this licen[cs]e for your documents/i);
  const found = new Map<string, GnuNotice>();
  const add = (family: string | undefined, version: string | undefined, isLater: boolean, isStrong: boolean) => {
    const id = findLicence(
      `${prefix(family)}-${version?.includes(".") === true ? version : `${version}.0`}-${isLater ? "or-later" : "only"}`,
    )?.id;
    if (id !== undefined && found.get(id)?.isStrong !== true) found.set(id, { id, isStrong });
  };
  let count = 0;
  for (const match of plain.matchAll(strong)) {
    if (++count > mostNotices) break;
    if (example >= 0 && match.index > example && match.index - example < 3_000) continue;
    add(match[1], match[2], match[3] !== undefined, true);
  }
  for (const match of plain.matchAll(weak)) {
    if (++count > mostNotices) break;
    add(match[3], match[1], match[2] !== undefined, false);
  }
  return [...found.values()];
}

function prefix(family: string | undefined): string {
  if (family === undefined) return "GPL";
  return family.toLowerCase() === "affero" ? "AGPL" : "LGPL";
}
