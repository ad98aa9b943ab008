import type { Upstream } from "../material.ts";

/**
 * Segments of an address below an upstream's, decoded; undefined when it lies elsewhere or can be read in two ways:
 * encoded slashes, dot segments, doubled slashes, control characters. Nothing is repaired.
 */
export function segmentsBelow(url: URL, upstream: Upstream): readonly string[] | undefined {
  const base = new URL(upstream.url);
  if (url.protocol !== base.protocol || url.host !== base.host || url.username !== "" || url.password !== "") return;
  if (!url.pathname.startsWith(base.pathname) || url.hash !== "") return undefined;
  return decodedSegments(url.pathname.slice(base.pathname.length));
}

/** Segments of a path without its leading slash; undefined when it is ambiguous. An empty path has none. */
export function decodedSegments(path: string): readonly string[] | undefined {
  if (path.length > 4096) return undefined;
  if (path === "") return [];
  const segments: string[] = [];
  for (const raw of path.split("/")) {
    const segment = decoded(raw);
    if (segment === undefined || segment === "" || segment === "." || segment === "..") return undefined;
    if (/[/\\\u0000-\u001f\u007f]/.test(segment)) return undefined;
    segments.push(segment);
  }
  return segments;
}

function decoded(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}
