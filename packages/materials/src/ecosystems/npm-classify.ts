import { npmPackageUrl } from "@touchmark/formats/package-url";
import type { EcosystemRequest } from "../ecosystem.ts";
import type { MaterialKind, RequestFacts, Upstream } from "../material.ts";
import { isNpmName, isNpmVersion, npmFileVersion } from "./npm-names.ts";

/** Endpoints that nothing of an installation rests on. A body goes only to these. */
const chatter: ReadonlySet<string> = new Set([
  "GET -/ping",
  "GET -/v1/search",
  "GET -/whoami",
  "GET -/npm/v1/user",
  "POST -/npm/v1/security/audits",
  "POST -/npm/v1/security/audits/quick",
  "POST -/npm/v1/security/advisories/bulk",
]);

/**
 * Reads an address of the npm registry protocol. A scoped name may stand as one segment (`@scope%2fname`) or as two;
 * no other encoding, empty segment, dot segment or query is read.
 */
export function classifyNpm(request: EcosystemRequest, upstream: Upstream): RequestFacts | undefined {
  const segments = npmSegments(request.url, upstream);
  if (segments === undefined) return undefined;
  const facts = { ecosystem: "npm", upstream } as const;
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (chatter.has(`${method} ${segments.join("/")}`)) return { ...facts, kind: "chatter", immutable: false };
  if (method === "POST" || request.url.search !== "") return undefined;
  if (segments.length === 0) return { ...facts, kind: "chatter", immutable: false };
  if (segments[0] === "-") return service(segments.slice(1).join("/"), upstream);
  const named = takeName(segments);
  if (named === undefined) return undefined;
  const { name, rest } = named;
  if (rest.length === 0) {
    return { ...facts, kind: "index", name, purl: npmPackageUrl(name), immutable: false };
  }
  if (rest[0] === "-") return tarball(name, rest.slice(1), upstream);
  const [asked = "", more] = rest;
  if (more !== undefined) return undefined;
  if (isNpmVersion(asked)) return versionFacts("metadata", upstream, name, asked);
  return /^[A-Za-z][\w.~-]{0,255}$/.test(asked)
    ? { ...facts, kind: "metadata", name, purl: npmPackageUrl(name), immutable: false }
    : undefined;
}

/** `NAME/-/FILE.tgz`; some registries repeat the scope before the file. */
function tarball(name: string, rest: readonly string[], upstream: Upstream): RequestFacts | undefined {
  const scope = name.startsWith("@") ? name.slice(0, name.indexOf("/")) : undefined;
  const [fileName = "", more] = scope !== undefined && rest[0] === scope ? rest.slice(1) : rest;
  if (more !== undefined || !/^[\w~'!()*-][\w.~'!()*+-]*\.tgz$/.test(fileName)) return undefined;
  const version = npmFileVersion(name, fileName);
  const facts = { ecosystem: "npm", kind: "archive", upstream, name, fileName, immutable: true } as const;
  return version === undefined ? facts : { ...facts, version, purl: npmPackageUrl(name, version) };
}

/** What stands below `/-/`. */
function service(path: string, upstream: Upstream): RequestFacts | undefined {
  const facts = { ecosystem: "npm", upstream, immutable: false } as const;
  if (path === "npm/v1/keys") return { ...facts, kind: "signature" };
  const [, attested, attestedVersion = ""] = /^npm\/v1\/attestations\/(.+)@([^@/]+)$/.exec(path) ?? [];
  if (attested !== undefined) {
    if (!isNpmName(attested) || !isNpmVersion(attestedVersion)) return undefined;
    return versionFacts("signature", upstream, attested, attestedVersion);
  }
  const [, tagged] = /^package\/(.+)\/dist-tags$/.exec(path) ?? [];
  return tagged !== undefined && isNpmName(tagged)
    ? { ...facts, kind: "index", name: tagged, purl: npmPackageUrl(tagged) }
    : undefined;
}

/** A registry may add a deprecation or a signature to a version: only its tarball stays as it is. */
function versionFacts(kind: MaterialKind, upstream: Upstream, name: string, version: string): RequestFacts {
  return { ecosystem: "npm", kind, upstream, name, version, purl: npmPackageUrl(name, version), immutable: false };
}

function takeName(segments: readonly string[]): { name: string; rest: readonly string[] } | undefined {
  const scoped = segments[0]?.startsWith("@") === true;
  const name = segments.slice(0, scoped ? 2 : 1).join("/");
  return isNpmName(name) && scoped === name.includes("/") ? { name, rest: segments.slice(scoped ? 2 : 1) } : undefined;
}

/** Segments below the upstream's address. `%40` is `@`; `%2f` parts scope and name, there alone; nothing else is encoded. */
function npmSegments(url: URL, upstream: Upstream): readonly string[] | undefined {
  const base = new URL(upstream.url);
  if (url.protocol !== base.protocol || url.host !== base.host || url.username !== "" || url.password !== "") return;
  if (!url.pathname.startsWith(base.pathname) || url.hash !== "" || url.pathname.length > 4096) return undefined;
  const path = url.pathname.slice(base.pathname.length);
  if (path === "") return [];
  const segments: string[] = [];
  for (const raw of path.split("/")) {
    const plain = raw.replace(/^%40/, "@");
    const [, scope, name] = /^(@[^%/]+)%2[fF]([^%/]+)$/.exec(plain) ?? [];
    const parts = scope !== undefined && name !== undefined ? [scope, name] : [plain];
    for (const part of parts) {
      if (part === "" || part === "." || part === ".." || !/^[\w.~'!()*+@-]+$/.test(part)) return undefined;
      segments.push(part);
    }
  }
  return segments;
}
