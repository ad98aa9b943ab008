import {
  currentLicence,
  findLicence,
  joinLicences,
  type LicenceExpression,
  licenceText,
  parseLicenceExpression,
} from "@touchmark/formats/licences";
import type { LicenceFact } from "@touchmark/formats/sbom";
import { addressedLicence } from "./addresses.ts";
import { classifiedLicence } from "./classifiers.ts";
import { gnuLicence } from "./gnu.ts";
import { LooseReader } from "./loose.ts";
import { spelled, spelledException } from "./spellings.ts";

/** Longest declared licence that is read; what is longer is a text, not a name. */
const longestName = 2_000;

/** Answers of names that were asked before: the same few hundred stand in every tree. */
const known = new Map<string, string | undefined>();
const mostKnown = 5_000;

/**
 * Reads a licence as a manifest spells it: an SPDX expression, an npm, PyPI, Maven or RPM spelling, a trove classifier,
 * an address of a licence. What names no licence is kept as `text`, without expression; a part of a compound that names
 * none becomes `LicenseRef-NAME` in it. Deprecated identifiers are replaced. Never throws.
 */
export function normaliseDeclared(text: string, path?: string): LicenceFact {
  const name = text.replace(/\s+/g, " ").trim().slice(0, longestName);
  const place = path === undefined ? {} : { path };
  if (!known.has(name)) {
    if (known.size >= mostKnown) known.clear();
    const read = text.length > longestName ? undefined : readDeclared(name);
    known.set(name, read === undefined ? undefined : licenceText(read));
  }
  const expression = known.get(name);
  if (expression === undefined) return { text: name, ...place, confidence: 1 };
  return { expression, ...(expression === name ? {} : { text: name }), ...place, confidence: 1 };
}

/**
 * Several licences that a manifest lists: all hold, unless `choice` says that the user may choose. One fact, or none
 * for an empty list.
 */
export function normaliseDeclaredList(
  texts: readonly string[],
  choice: "all" | "any",
  path?: string,
): readonly LicenceFact[] {
  const facts = [...new Set(texts.filter((text) => text.trim() !== ""))].map((text) => normaliseDeclared(text, path));
  if (facts.length < 2 || choice === "all") return facts;
  const parts = facts.map(({ expression, text }) => parseLicenceExpression(expression ?? licenceReference(text ?? "")));
  const joined = joinLicences("or", parts);
  if (joined === undefined || facts.every(({ expression }) => expression === undefined)) return facts;
  const written = facts.map(({ text, expression }) => text ?? expression).join(" | ");
  return [{ expression: licenceText(joined), text: written, ...(path === undefined ? {} : { path }), confidence: 1 }];
}

function readDeclared(name: string): LicenceExpression | undefined {
  if (name === "") return undefined;
  const strict = parsed(name);
  if (strict !== undefined) return strict;
  const classified = classifiedLicence(name);
  if (classified === "") return undefined;
  const said = classified ?? name;
  const one = single(said);
  // The segments of an address are no names.
  return one !== undefined || said.includes("://") ? one : new LooseReader(said, single, licenceReference).read();
}

/** One name that is no compound: an identifier, a spelling, an address. */
function single(name: string): LicenceExpression | undefined {
  const id = findLicence(name)?.id ?? gnuLicence(name) ?? spelled(name) ?? addressedLicence(name);
  if (id !== undefined) return parsed(id);
  const [, base, rest] = /^(.{2,200}?),? with (?:the )?(.{2,100})$/i.exec(name) ?? [];
  const exception = rest === undefined ? undefined : spelledException(rest);
  if (base === undefined || exception === undefined) return undefined;
  const term = single(base);
  return term?.kind === "licence" && term.exception === undefined ? { ...term, exception } : undefined;
}

function parsed(text: string): LicenceExpression | undefined {
  try {
    return currentLicence(parseLicenceExpression(text));
  } catch {
    return undefined; // It is read by other rules, or kept as text.
  }
}

/** An identifier for a licence that is on no list, by its name. */
export function licenceReference(name: string): string {
  const slug = name
    .replace(/[^A-Za-z0-9.]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 80);
  return `LicenseRef-${slug === "" ? "unnamed" : slug}`;
}
