import type { CollectedFile } from "../../catalogue/cataloger.ts";
import { pythonErrors } from "./errors.ts";

/** Core metadata of a distribution (METADATA, PKG-INFO), as far as it is used here. */
export interface PythonMetadata {
  readonly name?: string;
  readonly version?: string;
  readonly summary?: string;
  /** SPDX expression (core metadata 2.4). */
  readonly licenceExpression?: string;
  readonly licence?: string;
  /** `License :: …` classifiers. */
  readonly licenceClassifiers: readonly string[];
  readonly supplier?: string;
  readonly homepage?: string;
  /** `Requires-Dist`, as written. */
  readonly requires: readonly string[];
}

const largest = 1024 * 1024;
const mostRequirements = 10_000;
const longestText = 4096;
const control = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g;

/** Reads the headers; the description behind them is not looked at. @throws SBOM_PYTHON_METADATA */
export function readPythonMetadata(file: CollectedFile): PythonMetadata {
  const bytes = file.read(0, largest);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length;
  if (end === text.length && file.size > largest) {
    throw pythonErrors.make("SBOM_PYTHON_METADATA", `expected at most ${largest} bytes of headers`);
  }
  const headers = headersOf(text.slice(0, end));
  const one = (key: string): string | undefined => plain(headers.get(key)?.[0]);
  const expression = one("license-expression");
  const licence = one("license");
  const person = ["author-email", "author", "maintainer-email", "maintainer"].map(one);
  const supplier = named(person[1], person[0]) ?? named(person[3], person[2]);
  const homepage = one("home-page") ?? projectPage(headers.get("project-url") ?? []);
  return {
    ...member("name", identifier(one("name"))),
    ...member("version", identifier(one("version"))),
    ...member("summary", one("summary")),
    ...member("licenceExpression", expression),
    ...member("licence", licence),
    licenceClassifiers: (headers.get("classifier") ?? []).filter((text) => text.startsWith("License ::")).slice(0, 50),
    ...member("supplier", supplier),
    ...member("homepage", homepage),
    requires: (headers.get("requires-dist") ?? []).slice(0, mostRequirements),
  };
}

/** Values by lower-case name; lines that begin with white space go on with the last one. */
function headersOf(text: string): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  let values: string[] | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^[ \t]/.test(line)) {
      const last = values?.pop();
      if (last !== undefined) values?.push(`${last}\n${line.trim()}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const key = line.slice(0, colon).toLowerCase();
    values = headers.get(key) ?? [];
    headers.set(key, values);
    values.push(line.slice(colon + 1).trim());
  }
  return headers;
}

function plain(value: string | undefined): string | undefined {
  if (value === undefined || value === "" || value === "UNKNOWN") return undefined;
  return decodeWords(value).replace(control, " ").trim().slice(0, longestText);
}

/** `=?utf-8?q?Sebasti=C3=A1n?=` (RFC 2047), as some tools write names. */
function decodeWords(value: string): string {
  return value.replace(/=\?utf-8\?([qb])\?([^?]{0,1000})\?=/gi, (_, way: string, text: string) => {
    if (way.toLowerCase() === "b") return Buffer.from(text, "base64").toString("utf8");
    const escaped = text.replaceAll("_", " ");
    const bytes = escaped.replace(/=([0-9A-F]{2})/gi, (__, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return Buffer.from(bytes, "latin1").toString("utf8");
  });
}

function identifier(value: string | undefined): string | undefined {
  return value !== undefined && value.length <= 255 && /^[A-Za-z0-9][\x21-\x7e]*$/.test(value) ? value : undefined;
}

function named(name: string | undefined, mail: string | undefined): string | undefined {
  if (name === undefined || mail === undefined) return name ?? mail;
  return mail.includes("<") ? mail : `${name} <${mail}>`;
}

function projectPage(urls: readonly string[]): string | undefined {
  const pages = urls.map((url) => /^([^,]{1,100}),\s*(\S+)$/.exec(url));
  return pages.find((page) => /^home-?page$/i.test(page?.[1] ?? ""))?.[2] ?? pages.find((page) => page !== null)?.[2];
}

function member<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: string });
}
