import { golangPackageUrl } from "@touchmark/formats/package-url";
import type { EcosystemRequest } from "../ecosystem.ts";
import type { RequestFacts, Upstream } from "../material.ts";
import { segmentsBelow } from "./address.ts";
import { isCanonicalVersion, unescapeModule, unescapeVersion } from "./go-module.ts";

/** Reads an address of the GOPROXY protocol (go.dev/ref/mod#goproxy-protocol) or of a checksum database. */
export function classifyGo(request: EcosystemRequest, upstream: Upstream): RequestFacts | undefined {
  if (request.method === "POST" || request.url.search !== "") return undefined;
  const segments = segmentsBelow(request.url, upstream);
  if (segments === undefined || segments.length < 1) return undefined;
  const [first, ...rest] = segments;
  if (first === "sumdb") return /^[a-z0-9.-]+(:\d+)?$/.test(rest[0] ?? "") ? sumdb(rest.slice(1), upstream) : undefined;
  const marker = segments.indexOf("@v");
  if (marker > 0 && marker === segments.length - 2) {
    return versioned(segments.slice(0, marker).join("/"), segments[marker + 1] ?? "", upstream);
  }
  if (segments.at(-1) === "@latest") {
    const name = unescapeModule(segments.slice(0, -1).join("/"));
    if (name !== undefined) return { ecosystem: "golang", kind: "index", upstream, name, immutable: false };
    return undefined;
  }
  return sumdb(segments, upstream);
}

function versioned(escaped: string, file: string, upstream: Upstream): RequestFacts | undefined {
  const name = unescapeModule(escaped);
  if (name === undefined) return undefined;
  if (file === "list") return { ecosystem: "golang", kind: "index", upstream, name, immutable: false };
  const [, spelled = "", extension = ""] = /^(.+)\.(info|mod|zip)$/.exec(file) ?? [];
  const version = unescapeVersion(spelled);
  if (version === undefined) return undefined;
  if (!isCanonicalVersion(version)) {
    // `master.info`: a question which version a branch is now. Its zip is only ever asked by the answer.
    if (extension !== "info") return undefined;
    return { ecosystem: "golang", kind: "index", upstream, name, immutable: false };
  }
  return {
    ecosystem: "golang",
    kind: extension === "zip" ? "archive" : "metadata",
    upstream,
    name,
    version,
    purl: golangPackageUrl(name, version),
    fileName: `${version}.${extension}`,
    immutable: true,
  };
}

/** `supported`, `latest`, `lookup/MODULE@VERSION`, `tile/H/L/K[.p/W]` (go.dev/design/25530-sumdb). */
function sumdb(segments: readonly string[], upstream: Upstream): RequestFacts | undefined {
  const [first, ...rest] = segments;
  const facts = { ecosystem: "golang", kind: "signature", upstream } as const;
  if (first === "supported" || first === "latest")
    return rest.length === 0 ? { ...facts, immutable: false } : undefined;
  if (first === "tile") {
    const path = rest.join("/");
    if (!/^[1-9]\d?\/(data|\d{1,2})\/(x\d{3}\/){0,6}\d{3}(\.p\/[1-9]\d{0,2})?$/.test(path)) return undefined;
    return { ...facts, immutable: true };
  }
  if (first !== "lookup") return undefined;
  const [, escaped = "", spelled = ""] = /^([^@]+)@([^@/]+)$/.exec(rest.join("/")) ?? [];
  const [name, version] = [unescapeModule(escaped), unescapeVersion(spelled)];
  if (name === undefined || version === undefined || !isCanonicalVersion(version)) return undefined;
  // A lookup carries the tree head of its moment as well.
  return { ...facts, name, version, purl: golangPackageUrl(name, version), immutable: false };
}
