import type { LicenceFact } from "@touchmark/formats/sbom";
import { detectLicences } from "../../licences/detect.ts";
import { normaliseDeclared } from "../../licences/index.ts";
import { readControl } from "./paragraphs.ts";

/** What a copyright file says of licences. */
export interface CopyrightLicences {
  readonly declared: readonly LicenceFact[];
  readonly detected: readonly LicenceFact[];
}

/** Likeness of a text that is only pointed at: the file names it, with or without words around it. */
const referenceConfidence = 0.6;
const largestText = 2 ** 20;
const mostLicences = 100;

/**
 * Licences of a Debian copyright file: of a machine-readable one (DEP 5) those that it declares for files and for the
 * whole, of another those whose texts it holds, and those of `/usr/share/common-licenses` that it points to.
 */
export function copyrightLicences(text: string, path: string): CopyrightLicences {
  if (/^Format(?:-Specification)?:/im.test(text.slice(0, 4096))) {
    return { declared: declaredLicences(text, path), detected: [] };
  }
  const found = detectLicences(text.slice(0, largestText), path);
  const known = new Set(found.map(({ expression }) => expression));
  return { declared: [], detected: [...found, ...referenced(text, path).filter((one) => !known.has(one.expression))] };
}

function declaredLicences(text: string, path: string): LicenceFact[] {
  const names = new Set<string>();
  for (const { fields } of readControl(text).paragraphs) {
    const name = fields.get("license")?.split("\n", 1)[0]?.trim() ?? "";
    // Paragraphs without files hold the texts of what other paragraphs name.
    const counts = fields.has("files") || fields.has("format") || fields.has("format-specification");
    if (counts && name !== "" && names.size < mostLicences) names.add(name);
  }
  const facts = [...names].map((name) => normaliseDeclared(name, path));
  return [...new Map(facts.map((fact) => [fact.expression ?? `text ${fact.text ?? ""}`, fact])).values()];
}

/** `/usr/share/common-licenses/GPL-2`, with later versions where the text says so. */
function referenced(text: string, path: string): LicenceFact[] {
  const later = /any\s+later\s+version/i.test(text);
  const facts = new Map<string, LicenceFact>();
  for (const [, name = ""] of text.matchAll(/common-licenses\/([A-Za-z][A-Za-z0-9-]*(?:\.[0-9]+)*)/g)) {
    const isFamily = /^(?:L?GPL|GFDL)-[0-9.]+$/.test(name);
    const { expression } = normaliseDeclared(isFamily && later ? `${name}+` : name);
    if (expression === undefined || facts.size >= mostLicences) continue;
    facts.set(expression, { expression, text: name, path, confidence: referenceConfidence });
  }
  return [...facts.values()];
}
