import type { EcosystemAdapter, EcosystemRequest } from "../ecosystem.ts";
import type { RequestFacts, Upstream } from "../material.ts";
import { decodedSegments } from "./address.ts";

/** A plain file below an address that the pipeline or the configuration names; a digest for it must stand in the pipeline. */
function classifyDownload({ method, url }: EcosystemRequest, upstream: Upstream): RequestFacts | undefined {
  const base = new URL(upstream.url);
  if (method === "POST" || url.hash !== "" || url.username !== "" || url.origin !== base.origin) return undefined;
  if (!url.pathname.startsWith(base.pathname)) return undefined;
  const fileName = decodedSegments(url.pathname.slice(1))?.at(-1);
  if (fileName === undefined) return undefined;
  return { ecosystem: "generic", kind: "download", upstream, name: url.href, fileName, immutable: true };
}

/** Downloads that the pipeline names with their digests. Clients need only what every client is told. */
export const generic: EcosystemAdapter = {
  ecosystem: "generic",
  classify: classifyDownload,
  announced: () => [],
  clientSettings: () => ({ environment: {}, files: {} }),
};
