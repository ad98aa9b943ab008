import { type Json, parseJson } from "@touchmark/core";
import type { Announcement, RequestFacts } from "../material.ts";
import { materialErrors } from "./errors.ts";
import { checksumRecord } from "./go-checksums.ts";
import { goPurl } from "./go-classify.ts";
import { escapeCase, isCanonicalVersion } from "./go-module.ts";

const maxInfoBytes = 1 << 20;

/** What an answer of the GOPROXY protocol announces: lists and `go.mod` files nothing, `.info` when a version was made. */
export function announcedByGo(facts: RequestFacts, body: Uint8Array, url: URL): readonly Announcement[] {
  if (facts.kind === "signature") return facts.name === undefined ? [] : checksumRecord(facts, body, url);
  const asksInfo = url.pathname.endsWith(".info") || url.pathname.endsWith("/@latest");
  if (!asksInfo || facts.name === undefined) return [];
  return [versionOf(facts.name, facts.version, body, url)];
}

function versionOf(name: string, asked: string | undefined, body: Uint8Array, url: URL): Announcement {
  if (body.length > maxInfoBytes) {
    throw materialErrors.make(
      "MATERIAL_INDEX_TOO_LARGE",
      `expected at most ${maxInfoBytes} bytes of version information, found ${body.length}`,
    );
  }
  const { Version: version, Time: time } = objectOf(body, url);
  if (typeof version !== "string" || !isCanonicalVersion(version)) {
    malformed(url, `a canonical version, found ${JSON.stringify(version).slice(0, 80)}`);
  }
  if (asked !== undefined && version !== asked) malformed(url, `version ${asked}, found ${version}`);
  const published = typeof time === "string" ? new Date(time) : undefined;
  if (published !== undefined && Number.isNaN(published.getTime())) malformed(url, "a time in RFC 3339");
  const base = url.href.replace(/@latest$|@v\/[^/]*$/, "@v/");
  return {
    url: `${base}${escapeCase(version)}.zip`,
    ecosystem: "golang",
    kind: "archive",
    name,
    version,
    purl: goPurl(name, version),
    fileName: `${version}.zip`,
    digests: [],
    ...(published === undefined ? {} : { publishedAt: published.toISOString() }),
  };
}

function objectOf(body: Uint8Array, url: URL): { readonly [name: string]: Json } {
  try {
    const value = parseJson(body);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as { [name: string]: Json };
  } catch (cause) {
    throw materialErrors.make("MATERIAL_INDEX_MALFORMED", `expected a JSON object from ${url.pathname}`, { cause });
  }
  return malformed(url, "a JSON object");
}

function malformed(url: URL, expected: string): never {
  throw materialErrors.make("MATERIAL_INDEX_MALFORMED", `expected ${expected}, in the answer of ${url.pathname}`);
}
