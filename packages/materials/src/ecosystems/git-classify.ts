import { gitPackageUrl } from "@touchmark/formats/package-url";
import type { EcosystemRequest } from "../ecosystem.ts";
import type { RequestFacts, Upstream } from "../material.ts";
import { decodedSegments } from "./address.ts";
import { materialErrors } from "./errors.ts";
import { gitRequest } from "./git-request.ts";

/**
 * Reads a request of git's smart HTTP protocol, version 2 (gitprotocol-http). The upstream is a repository, or a place
 * that has several. Pushes and the dumb protocol are refused by their names.
 * @throws MATERIAL_GIT_PUSH | MATERIAL_GIT_UNSUPPORTED | MATERIAL_GIT_MALFORMED
 */
export function classifyGit(request: EcosystemRequest, upstream: Upstream): RequestFacts | undefined {
  const { url, method } = request;
  const [, path = "", service = ""] =
    /^\/(.+?)\/(info\/refs|git-upload-pack|git-receive-pack|HEAD|objects\/.+)$/.exec(url.pathname) ?? [];
  if (path === "" || !belongs(url, path, upstream)) return undefined;
  if (service === "git-receive-pack" || url.searchParams.get("service") === "git-receive-pack") {
    throw materialErrors.make("MATERIAL_GIT_PUSH", `expected a fetch from ${upstream.name}, found a push`);
  }
  const facts = { ecosystem: "git", upstream, name: `${url.origin}/${path}` } as const;
  if (method === "POST") {
    if (service !== "git-upload-pack" || url.search !== "" || request.body === undefined) return undefined;
    const { command, wants } = gitRequest(request.body);
    if (command === "ls-refs") return { ...facts, kind: "index", immutable: false };
    const [commit, ...others] = wants;
    if (commit === undefined || others.length > 0) return { ...facts, kind: "git", immutable: true };
    return { ...facts, kind: "git", version: commit, purl: gitPackageUrl(facts.name, commit), immutable: true };
  }
  if (service === "info/refs" && url.search === "?service=git-upload-pack") {
    if (/(^|:)version=2(:|$)/.test(request.headers["git-protocol"] ?? ""))
      return { ...facts, kind: "index", immutable: false };
    throw materialErrors.make(
      "MATERIAL_GIT_UNSUPPORTED",
      "expected protocol version 2, found a request for an older one",
    );
  }
  if (service === "git-upload-pack" || url.search !== "") return undefined;
  throw materialErrors.make(
    "MATERIAL_GIT_UNSUPPORTED",
    `expected the smart protocol from ${upstream.name}, found a request of the dumb one`,
  );
}

/** The upstream's own repository, with or without `.git`, or one below its address. */
function belongs(url: URL, path: string, upstream: Upstream): boolean {
  const base = new URL(upstream.url);
  if (url.protocol !== base.protocol || url.host !== base.host || url.username !== "" || url.hash !== "") return false;
  if (decodedSegments(path) === undefined) return false;
  const root = bare(base.pathname.slice(1));
  return root === "" || bare(path) === root || path.startsWith(`${root}/`);
}

function bare(path: string): string {
  return path.replace(/\/$/, "").replace(/\.git$/, "");
}
