import { findLicence, licenceText, parseLicenceExpression } from "@touchmark/formats/licences";
import type { LicenceFact } from "@touchmark/formats/sbom";
import { normaliseDeclared } from "./declared.ts";
import { detectLicences, joinedDetection } from "./detect.ts";
import { gnuLicence } from "./gnu.ts";
import { longestLicenceText } from "./words.ts";

/** Most different licences that one copyright file is read for. */
const mostLicences = 500;

interface Paragraph {
  readonly fields: ReadonlyMap<string, string>;
}

/**
 * The licences that a Debian copyright file states. The machine-readable form (DEP-5, copyright-format 1.0) is read by
 * its `License` fields: those of `Files` paragraphs and the header, named ones resolved by the paragraph that has their
 * text. Any other form is read by its texts and by the files of `/usr/share/common-licenses` that it refers to. One fact
 * for each licence; all of them hold. Never throws.
 */
export function readCopyrightFile(text: string, path?: string): readonly LicenceFact[] {
  const bounded = text.slice(0, longestLicenceText);
  const facts = isMachineReadable(bounded) ? statedLicences(bounded, path) : [];
  return facts.length > 0 ? facts : writtenLicences(bounded, path);
}

function isMachineReadable(text: string): boolean {
  const head = text.slice(0, 4_000);
  return /^(?:Format|Format-Specification):[ \t]*\S/im.test(head) && /^License:/im.test(text);
}

function statedLicences(text: string, path: string | undefined): readonly LicenceFact[] {
  const paragraphs = paragraphsOf(text);
  const texts = new Map<string, string>();
  for (const { fields } of paragraphs) {
    const [name, body] = splitLicence(fields.get("license"));
    if (name !== "" && body !== "" && !texts.has(name.toLowerCase())) texts.set(name.toLowerCase(), body);
  }
  const facts = new Map<string, LicenceFact>();
  for (const [index, { fields }] of paragraphs.entries()) {
    // Paragraphs of a licence alone say what the name means, not that anything is under it.
    if (index > 0 && !fields.has("files")) continue;
    const [name] = splitLicence(fields.get("license"));
    if (name === "" || facts.has(name) || facts.size >= mostLicences) continue;
    facts.set(name, named(name, texts.get(name.toLowerCase()), path));
  }
  const seen = new Map([...facts.values()].map((fact) => [fact.expression ?? `text ${fact.text}`, fact]));
  return [...seen.values()];
}

/** A licence by its short name; a name that says nothing to us by its text. */
function named(name: string, text: string | undefined, path: string | undefined): LicenceFact {
  const fact = normaliseDeclared(name, path);
  if (fact.expression !== undefined || text === undefined) return fact;
  const detected = detectLicences(text, path);
  const joined = joinedDetection(detected, 0.9);
  if (joined === undefined) return fact;
  const confidence = Math.min(...detected.filter((each) => each.confidence >= 0.9).map((each) => each.confidence));
  return { ...fact, expression: licenceText(joined), confidence };
}

function splitLicence(field: string | undefined): readonly [name: string, text: string] {
  if (field === undefined) return ["", ""];
  const end = field.indexOf("\n");
  return end < 0 ? [field.trim(), ""] : [field.slice(0, end).trim(), field.slice(end + 1)];
}

/** Paragraphs of fields, as in control files: a line that begins with a blank goes on, `#` begins a comment. */
function paragraphsOf(text: string): readonly Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let fields = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    if (/^\s*$/.test(line)) {
      if (fields.size > 0) paragraphs.push({ fields });
      fields = new Map();
      name = undefined;
      continue;
    }
    const field = /^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)$/.exec(line);
    if (field !== null) {
      name = (field[1] ?? "").toLowerCase();
      if (!fields.has(name)) fields.set(name, field[2] ?? "");
    } else if (name !== undefined && /^\s/.test(line)) {
      fields.set(name, `${fields.get(name) ?? ""}\n${/^\s*\.\s*$/.test(line) ? "" : line.trimStart()}`);
    }
  }
  if (fields.size > 0) paragraphs.push({ fields });
  return paragraphs;
}

/** By the texts in it, and by references to the texts that a Debian system has. */
function writtenLicences(text: string, path: string | undefined): readonly LicenceFact[] {
  const detected = detectLicences(text, path);
  const known = new Set(detected.map(({ expression }) => familyOf(expression ?? "")));
  const facts = new Map<string, LicenceFact>();
  for (const expression of referredLicences(text)) {
    if (known.has(familyOf(expression))) continue;
    facts.set(expression, { expression, ...(path === undefined ? {} : { path }), confidence: 0.9 });
  }
  return [...detected, ...facts.values()];
}

function referredLicences(text: string): readonly string[] {
  const found = new Set<string>();
  let end = 0;
  for (const match of text.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z][A-Za-z0-9.+-]{0,30})/g)) {
    if (found.size >= mostLicences) break;
    const before = text.slice(Math.max(end, match.index - 2_000), match.index);
    end = match.index + match[0].length;
    const id = referred((match[1] ?? "").replace(/[.'`]+$/, ""), before);
    if (id !== undefined) found.add(id);
  }
  return [...found];
}

/** `GPL` alone is a link to the newest: the words before it say which version was meant. */
function referred(name: string, before: string): string | undefined {
  const isLater = /\b(?:any|or)\s+(?:\(at\s+your\s+option\)\s+)?(?:any\s+)?later(?:\s+version)?/.test(before);
  if (/^(?:L?GPL|GFDL)/.test(name)) {
    const version = /-(\d(?:\.\d)?)$/.exec(name)?.[1] ?? /\bversion\s+(\d(?:\.\d)?)/.exec(before)?.[1];
    if (version === undefined) return undefined;
    const family = name.replace(/-.*$/, "");
    if (family !== "GFDL") return gnuLicence(`${family}-${version}${isLater ? "+" : ""}`);
    return findLicence(`GFDL-${version}${isLater ? "-or-later" : "-only"}`)?.id;
  }
  if (name === "Artistic") return "Artistic-1.0-Perl";
  return name === "BSD" ? undefined : findLicence(name)?.id;
}

function familyOf(expression: string): string {
  try {
    const parsed = parseLicenceExpression(expression);
    return parsed.kind === "licence" ? parsed.id.replace(/-(?:only|or-later)$/, "") : expression;
  } catch {
    return expression;
  }
}
