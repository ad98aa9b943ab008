import { proxyErrors } from "./errors.ts";

/** Bytes `from` to `until`, the latter excluded. */
export interface ByteRange {
  readonly from: number;
  readonly until: number;
}

/**
 * The one range of a body that a Range header asks for (RFC 9110 section 14.2). Several ranges, other units and what
 * is no range are passed over, as the standard allows: the answer is then the whole body.
 * @throws PROXY_RANGE_UNSATISFIABLE
 */
export function rangeOf(
  range: string | undefined,
  ifRange: string | undefined,
  size: number,
  headers: Readonly<Record<string, string>>,
): ByteRange | undefined {
  const found = /^bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))$/.exec(range ?? "");
  if (found === null) return undefined;
  if (ifRange !== undefined) {
    // A weak validator proves nothing about bytes; a date only when it is the exact one.
    const strong = ifRange.startsWith('"') && ifRange === headers.etag;
    if (!strong && ifRange !== headers["last-modified"]) return undefined;
  }
  const [, first, last, suffix] = found;
  const from = first === undefined ? Math.max(0, size - Number(suffix)) : Number(first);
  const until = first === undefined || last === undefined || last === "" ? size : Math.min(size, Number(last) + 1);
  if (first !== undefined && last !== undefined && last !== "" && Number(last) < from) return undefined;
  if (from >= size || suffix === "0") {
    throw proxyErrors.make("PROXY_RANGE_UNSATISFIABLE", `expected a range within ${size} bytes, found ${range}`);
  }
  return { from, until };
}
