import { registryErrors } from "../errors.ts";
import { registryServerErrors } from "./errors.ts";

/** A part of content: from `start` to `end`, exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a Range header (RFC 9110 section 14) for content of a size.
 * @returns undefined when the whole is meant: no header, another unit, several ranges, or text that is no range
 * @throws REGISTRY_RANGE_INVALID when it asks for nothing that is there (416)
 */
export function requestedRange(header: string | undefined, size: number): ByteRange | undefined {
  const found = header === undefined ? null : /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header.replaceAll(" ", ""));
  if (found === null) return undefined;
  const [, first = "", last = ""] = found;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    if (length === 0) throw unsatisfiable(size);
    return { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) throw unsatisfiable(size);
  return { start, end };
}

function unsatisfiable(size: number): Error {
  return registryErrors.make("REGISTRY_RANGE_INVALID", `expected a range within ${size} bytes`);
}

/**
 * Reads the Content-Range of a chunk: `FIRST-LAST`, both inclusive (distribution-spec 1.1, "Pushing a blob in chunks");
 * some clients put `bytes ` before it, and `/*` behind.
 * @returns the first byte's place; undefined without a header
 * @throws REGISTRY_CONTENT_RANGE_INVALID
 */
export function chunkStart(header: string | undefined, contentLength: number | undefined): number | undefined {
  if (header === undefined) return undefined;
  const found = /^(?:bytes[ =])?([0-9]{1,15})-([0-9]{1,15})(?:\/(?:\*|[0-9]{1,15}))?$/.exec(header.trim());
  const start = Number(found?.[1]);
  const end = Number(found?.[2]) + 1;
  const empty = contentLength === 0;
  if (found === null || (end <= start && !empty)) {
    throw registryServerErrors.make(
      "REGISTRY_CONTENT_RANGE_INVALID",
      `expected FIRST-LAST, found ${JSON.stringify(header.slice(0, 60))}`,
    );
  }
  if (contentLength !== undefined && !empty && end - start !== contentLength) {
    throw registryServerErrors.make(
      "REGISTRY_CONTENT_RANGE_INVALID",
      `expected a range of ${contentLength} bytes, as many as the chunk has, found one of ${end - start}`,
    );
  }
  return start;
}
