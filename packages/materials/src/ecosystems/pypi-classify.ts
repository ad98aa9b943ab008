import { pypiPackageUrl } from "@touchmark/formats/package-url";
import type { EcosystemRequest } from "../ecosystem.ts";
import type { RequestFacts, Upstream } from "../material.ts";
import { decodedSegments } from "./address.ts";
import { distributionName, normalProjectName, normalVersion } from "./pypi-names.ts";

/** Where an upstream's index lies, and what lies beside it. */
function basesOf(upstream: Upstream): {
  readonly host: URL;
  readonly index: string;
  readonly root: string | undefined;
} {
  const host = new URL(upstream.url);
  const index = host.pathname;
  return { host, index, root: index.endsWith("/simple/") ? index.slice(0, -"simple/".length) : undefined };
}

/** An index at `/simple/` has its JSON interface and its attestations beside it. */
export function besidePypi(upstream: Upstream): readonly string[] {
  const { host, root } = basesOf(upstream);
  return root === undefined ? [] : [new URL(`${root}pypi/`, host).href, new URL(`${root}integrity/`, host).href];
}

/**
 * Reads an address of a Python package index: the simple interface, in HTML or JSON (PEP 503, 691), files below it, the
 * JSON interface and attestations (PEP 740). The upstream may be the simple index or the place that holds it.
 */
export function classifyPypi(request: EcosystemRequest, upstream: Upstream): RequestFacts | undefined {
  const { url, method } = request;
  const { host, index, root } = basesOf(upstream);
  if (method === "POST" || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") return;
  if (url.protocol !== host.protocol || url.host !== host.host) return undefined;
  if (url.pathname.startsWith(index)) return belowIndex(url.pathname.slice(index.length), upstream, root !== undefined);
  if (root === undefined || !url.pathname.startsWith(root)) return undefined;
  return besideIndex(url.pathname.slice(root.length), upstream);
}

function belowIndex(path: string, upstream: Upstream, isSimple: boolean): RequestFacts | undefined {
  const closed = path.endsWith("/");
  const segments = decodedSegments(closed ? path.slice(0, -1) : path);
  if (segments === undefined) return undefined;
  const [first, second, ...more] = segments;
  if (first === undefined) return path === "" ? listing(upstream) : undefined;
  if (!isSimple && first === "simple") {
    if (second === undefined) return closed ? listing(upstream) : undefined;
    return more.length === 0 && closed ? project(second, upstream) : belowProject(second, more, closed, upstream);
  }
  if (second === undefined) return project(first, upstream);
  return besideIndex(path, upstream) ?? belowProject(first, [second, ...more], closed, upstream);
}

/** A list of all projects: clients that install have no use for it. */
function listing(upstream: Upstream): RequestFacts {
  return { ecosystem: "pypi", kind: "chatter", upstream, immutable: false };
}

/** The page of a project. A name that is not normalised is answered by a redirect to the one that is. */
function project(spelled: string, upstream: Upstream): RequestFacts | undefined {
  const name = normalProjectName(spelled);
  return name === undefined
    ? undefined
    : { ecosystem: "pypi", kind: "index", upstream, name, purl: pypiPackageUrl(name), immutable: false };
}

/** `NAME/FILE`, and one or two levels more as some indexes have them. */
function belowProject(
  spelled: string,
  rest: readonly string[],
  closed: boolean,
  upstream: Upstream,
): RequestFacts | undefined {
  const name = normalProjectName(spelled);
  const last = rest.at(-1);
  if (closed || name === undefined || last === undefined || rest.length > 6) return undefined;
  return fileFacts(name, last, upstream);
}

/** Facts of a file of a project, by its name. */
export function fileFacts(name: string, last: string, upstream: Upstream): RequestFacts | undefined {
  const [, fileName = "", companion] =
    /^(.+?)(\.metadata|\.asc|\.provenance|\.publish\.attestation)?$/.exec(last) ?? [];
  const distribution = distributionName(name, fileName);
  if (distribution === undefined) return undefined;
  const { version } = distribution;
  return {
    ecosystem: "pypi",
    kind: companion === undefined ? "archive" : companion === ".metadata" ? "metadata" : "signature",
    upstream,
    name,
    ...(version === undefined ? {} : { version, purl: pypiPackageUrl(name, version) }),
    fileName: last,
    immutable: companion === undefined || companion === ".metadata",
  };
}

/** `pypi/NAME[/VERSION]/json` and `integrity/NAME/VERSION/FILE/provenance`. */
function besideIndex(path: string, upstream: Upstream): RequestFacts | undefined {
  const segments = decodedSegments(path);
  if (segments === undefined) return undefined;
  const [kind, spelled = "", ...rest] = segments;
  const name = normalProjectName(spelled);
  if (name === undefined) return undefined;
  const facts = { ecosystem: "pypi", upstream, name, immutable: false } as const;
  if (kind === "pypi" && rest.at(-1) === "json" && rest.length <= 2) {
    const version = rest.length === 2 ? normalVersion(rest[0] ?? "") : undefined;
    return {
      ...facts,
      kind: "metadata",
      ...(version === undefined ? {} : { version }),
      purl: pypiPackageUrl(name, version),
    };
  }
  const [version = "", fileName = "", end] = rest;
  if (kind !== "integrity" || end !== "provenance" || rest.length !== 3) return undefined;
  const found = distributionName(name, fileName);
  if (found === undefined || found.version !== normalVersion(version)) return undefined;
  return { ...facts, kind: "signature", version: found.version, purl: pypiPackageUrl(name, found.version), fileName };
}
