import { decodeBase64, encodeHex } from "@touchmark/core";
import { golangPackageUrl } from "@touchmark/formats/package-url";
import type { Announcement, RequestFacts } from "../material.ts";
import { fromAddress, malformed } from "./common-announced.ts";
import { materialErrors } from "./errors.ts";
import { escapeCase } from "./go-module.ts";

/** Longest answer of a checksum database that is no tile: record, two lines, signed tree head. */
const maxBytes = 64 << 10;

/**
 * The two lines of a checksum database's lookup (`MODULE VERSION h1:…` and `MODULE VERSION/go.mod h1:…`) as
 * announcements. That the record stands in the log is verified elsewhere: until then it is one host's word.
 */
export function checksumRecord(facts: RequestFacts, body: Uint8Array, url: URL): readonly Announcement[] {
  const { name, version } = facts;
  if (name === undefined || version === undefined) return [];
  if (body.length > maxBytes) {
    throw materialErrors.make(
      "MATERIAL_INDEX_TOO_LARGE",
      `expected at most ${maxBytes} bytes from a checksum database, found ${body.length}`,
    );
  }
  const lines = Buffer.from(body).toString("utf8").split("\n");
  if (!/^\d{1,15}$/.test(lines[0] ?? ""))
    malformed(`expected a record number first, found ${quote(lines[0])}, in ${url.pathname}`);
  const end = lines.indexOf("");
  const records = lines.slice(1, end < 0 ? undefined : end);
  const found: Announcement[] = [];
  for (const [path, extension] of [
    [version, "zip"],
    [`${version}/go.mod`, "mod"],
  ] as const) {
    const of = records.filter((line) => line.startsWith(`${name} ${path} `));
    if (of.length !== 1) malformed(`expected one line for ${name} ${path}, found ${of.length}, in ${url.pathname}`);
    const value = h1Value((of[0] ?? "").slice(name.length + path.length + 2));
    if (value === undefined)
      malformed(`expected h1 and a SHA-256 in base64, found ${quote(of[0])}, in ${url.pathname}`);
    const base = moduleBase(url, name, version);
    found.push({
      url: `${base}.${extension}`,
      ecosystem: "golang",
      kind: extension === "zip" ? "archive" : "metadata",
      name,
      version,
      purl: golangPackageUrl(name, version),
      fileName: `${version}.${extension}`,
      digests: [{ algorithm: "h1", value: value ?? "", source: "checksum-file", from: fromAddress(url) }],
    });
  }
  if (records.length !== 2) malformed(`expected two lines, found ${records.length}, in ${url.pathname}`);
  return found;
}

/** `h1:BASE64` as hex. */
export function h1Value(text: string): string | undefined {
  if (!/^h1:[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  try {
    return encodeHex(decodeBase64(text.slice(3)));
  } catch {
    return undefined;
  }
}

/** Where the proxy that passed the lookup on has the module itself: everything before `sumdb/` or `lookup/`. */
function moduleBase(url: URL, name: string, version: string): string {
  const root = url.href.replace(/(sumdb\/[^/]+\/)?lookup\/.*$/, "");
  return `${root}${escapeCase(name)}/@v/${escapeCase(version)}`;
}

function quote(text: string | undefined): string {
  return JSON.stringify((text ?? "").slice(0, 80));
}
