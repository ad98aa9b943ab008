import { mavenPackageUrl } from "@touchmark/formats/package-url";
import type { EcosystemRequest } from "../ecosystem.ts";
import type { RequestFacts, Upstream } from "../material.ts";
import { segmentsBelow } from "./address.ts";

/** Longest first: `.tar.gz` before `.gz`. */
const archives =
  /\.(jar|war|ear|aar|zip|tar\.gz|tar\.bz2|tar\.xz|tgz|nbm|hpi|rar|klib|so|dll|exe|dylib|bin|swc|swf|nar|par|sar|har|kar)$/;
const texts = /\.(pom|module|xml|json|properties|txt|yaml|yml)$/;
const checksums = /\.(sha512|sha256|sha1|md5)$/;
const signatures = /\.(asc|sigstore\.json|sigstore|sig)$/;

/** Reads an address of a repository in Maven's layout: `GROUP/AS/PATH/ARTIFACT/VERSION/FILE`. */
export function classifyMaven(request: EcosystemRequest, upstream: Upstream): RequestFacts | undefined {
  if (request.method === "POST" || request.url.search !== "") return undefined;
  const segments = segmentsBelow(request.url, upstream);
  if (segments === undefined || segments.length < 2) return undefined;
  if (!segments.every((segment) => /^[A-Za-z0-9_.+~$-]+$/.test(segment) && !/^\.+$/.test(segment))) return undefined;
  const file = segments.at(-1) ?? "";
  const plain = bareName(file);
  return plain === "maven-metadata.xml"
    ? index(segments.slice(0, -1), file, plain, upstream)
    : artifact(segments, file, plain, upstream);
}

/** The name without the endings of its checksum and signature: `x.jar` for `x.jar.asc.sha1`. */
export function bareName(file: string): string {
  return file.replace(checksums, "").replace(signatures, "").replace(checksums, "");
}

function index(path: readonly string[], file: string, plain: string, upstream: Upstream): RequestFacts {
  const last = path.at(-1) ?? "";
  // Of a snapshot's version directory, of an artifact, or of a group's plugins.
  const snapshot = last.endsWith("-SNAPSHOT") && path.length > 2;
  const coordinates = snapshot ? path.slice(0, -1) : path;
  const name = `${coordinates.slice(0, -1).join(".")}:${coordinates.at(-1)}`;
  return {
    ecosystem: "maven",
    kind: file === plain ? "index" : "signature",
    upstream,
    ...(coordinates.length > 1 ? { name } : {}),
    ...(snapshot ? { version: last } : {}),
    fileName: file,
    immutable: false,
  };
}

function artifact(path: readonly string[], file: string, plain: string, upstream: Upstream): RequestFacts | undefined {
  if (path.length < 4) return undefined;
  const [name = "", version = ""] = [path.at(-3), path.at(-2)];
  const groupSegments = path.slice(0, -3);
  if (groupSegments.some((segment) => segment.includes("."))) return undefined;
  const found = classifierOf(plain, name, version);
  if (found === undefined) return undefined;
  const { classifier, extension } = found;
  const whole = `.${extension}`;
  if (!archives.test(whole) && !texts.test(whole)) return undefined;
  const group = groupSegments.join(".");
  return {
    ecosystem: "maven",
    kind: file !== plain ? "signature" : extension === "pom" || texts.test(whole) ? "metadata" : "archive",
    upstream,
    name: `${group}:${name}`,
    version,
    purl: purlOf(group, name, version, classifier, extension),
    fileName: file,
    immutable: !version.endsWith("-SNAPSHOT"),
  };
}

/** `NAME-VERSION[-CLASSIFIER].EXTENSION`; a snapshot's version may be spelled with its time and build number. */
function classifierOf(
  file: string,
  name: string,
  version: string,
): { classifier: string | undefined; extension: string } | undefined {
  if (!file.startsWith(`${name}-`)) return undefined;
  const rest = file.slice(name.length + 1);
  const stem = version.endsWith("-SNAPSHOT") ? version.slice(0, -"SNAPSHOT".length) : undefined;
  const timed = stem !== undefined && rest.startsWith(stem) ? /^\d{8}\.\d{6}-\d+/.exec(rest.slice(stem.length)) : null;
  const spelled = timed === null ? version : `${stem}${timed[0]}`;
  if (!rest.startsWith(spelled)) return undefined;
  const [, classifier, extension = ""] =
    /^(?:-([A-Za-z0-9_.+~$-]*?))?\.((?:tar\.)?[A-Za-z0-9_]+)$/.exec(rest.slice(spelled.length)) ?? [];
  return extension === "" || classifier === "" ? undefined : { classifier, extension };
}

/** The POM is the package's own, and has its package URL; classifier and type say which other file. */
function purlOf(group: string, name: string, version: string, classifier: string | undefined, type: string): string {
  return mavenPackageUrl(group, name, version, {
    ...(classifier === undefined ? {} : { classifier }),
    ...(type === "pom" || type === "module" ? {} : { type }),
  });
}
