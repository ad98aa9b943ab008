import { findLicence } from "@touchmark/formats/licences";
import { plain } from "./spellings.ts";

/** Long names of the GNU licences, in the form of `plain`, longest first. */
const names: readonly (readonly [name: string, family: string])[] = [
  ["library or lesser general public", "LGPL"],
  ["lesser general public", "LGPL"],
  ["library general public", "LGPL"],
  ["lesser public", "LGPL"],
  ["affero general public", "AGPL"],
  ["affero gpl", "AGPL"],
  ["general public", "GPL"],
  ["lesser gpl", "LGPL"],
  ["library gpl", "LGPL"],
  ["agpl", "AGPL"],
  ["lgpl", "LGPL"],
  ["gpl", "GPL"],
];

const later =
  /^(?:\+|,? ?(?:or|and) (?:any |\(at your option\) any |at your option any )?(?:later|newer|greater|above|higher)|or later)/;

/**
 * The identifier that a spelling of a GNU licence means: `GPLv2+`, `GPL-3`, `GNU GPL v2 or later`, `GPL (>= 2)`,
 * `GNU Lesser General Public License v2.1 (LGPLv2.1)`. Undefined where no version is named: any would be a guess.
 */
export function gnuLicence(text: string): string | undefined {
  const atLeast = /\(\s*>=\s*\d[\d.]*\s*\)/.test(text);
  let rest = plain(text).replace(/^gnu /, "");
  const named = names.find(([name]) => rest.startsWith(name));
  if (named === undefined) return undefined;
  const [name, family] = named;
  rest = rest.slice(name.length).trim();
  // `gplv2`: the letter stands between name and number.
  const version = /^(?:(?:a|l)?gpl )?v? ?(\d)(?:\.(\d))?(?:\.0)?(?![.\d])/.exec(rest);
  if (version === null) {
    // "GPL+" is what Fedora wrote for any version.
    return family === "GPL" && /^\+$/.test(rest) ? "GPL-1.0-or-later" : undefined;
  }
  rest = rest.slice(version[0].length).trim();
  const plus = later.exec(rest);
  if (plus !== null) rest = rest.slice(plus[0].length).trim();
  rest = rest.replace(/^only\b/, "").trim();
  // Behind the long name often stands the short one: it has to say the same.
  const again = /^(?:gnu )?(a|l)?gpl ?v? ?(\d)(?:\.(\d))?(\+| or later)?$/.exec(rest);
  if (rest !== "" && again === null) return undefined;
  if (again !== null && again[2] !== version[1]) return undefined;
  const orLater = atLeast || plus !== null || again?.[4] !== undefined;
  const id = `${family}-${version[1]}.${version[2] ?? "0"}-${orLater ? "or-later" : "only"}`;
  return findLicence(id)?.id;
}
