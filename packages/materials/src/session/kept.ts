import type { RequestFacts } from "../material.ts";

/** Headers that a client needs again when the mirror answers. */
const keptHeaders = ["content-type", "etag", "last-modified", "link", "cache-control", "x-pypi-last-serial"] as const;

/** What is worth keeping: good answers, and that an index or a signature is not there. */
export function isKept(status: number, facts: RequestFacts): boolean {
  return status === 200 || ((status === 404 || status === 410) && facts.kind !== "archive");
}

/** The headers of an answer that a record keeps. */
export function keptHeadersOf(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    keptHeaders.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
