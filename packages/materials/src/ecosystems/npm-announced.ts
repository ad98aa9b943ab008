import type { Json } from "@touchmark/core";
import { npmPackageUrl } from "@touchmark/formats/package-url";
import type { WantedVersion } from "../ecosystem.ts";
import type { Announcement, ExpectedDigest, RequestFacts } from "../material.ts";
import {
  announcedAddress,
  checkUnambiguous,
  count,
  fromAddress,
  hexDigest,
  instant,
  integrityDigests,
  MAX_INDEX_FILES,
  type Members,
  malformed,
  object,
  readIndexObject,
  shown,
  text,
} from "./common-announced.ts";
import { materialErrors } from "./errors.ts";
import { isNpmVersion } from "./npm-names.ts";

/** Reads what a packument (full or abbreviated) or the manifest of one version announces. */
export function announcedNpm(
  facts: RequestFacts,
  body: Uint8Array,
  url: URL,
  wanted: WantedVersion = () => true,
): readonly Announcement[] {
  if (facts.name === undefined || !announces(facts, url)) return [];
  const document = readIndexObject(body);
  if (document["name"] !== facts.name) {
    malformed(`expected the document of ${facts.name}, found that of ${shown(document["name"])}`);
  }
  const from = fromAddress(url);
  const announcements =
    facts.kind === "index" ? packument(document, facts, url, from, wanted) : manifest(document, facts, url, from);
  checkUnambiguous(announcements, (announcement) => announcement.url);
  return announcements;
}

/** Lists of tags announce no files, and neither do keys and attestations. */
function announces(facts: RequestFacts, url: URL): boolean {
  return (facts.kind === "index" || facts.kind === "metadata") && !url.pathname.endsWith("/dist-tags");
}

function packument(
  document: Members,
  facts: RequestFacts,
  url: URL,
  from: string,
  wanted: WantedVersion,
): Announcement[] {
  const versions = object(document["versions"]) ?? malformed("expected a packument with versions, found none");
  const names = Object.keys(versions);
  if (names.length > MAX_INDEX_FILES) {
    throw materialErrors.make(
      "MATERIAL_INDEX_TOO_LARGE",
      `expected at most ${MAX_INDEX_FILES} versions, found ${names.length}`,
    );
  }
  const times = object(document["time"]) ?? {};
  return names.flatMap((version) => {
    if (!wanted(facts.name ?? "", version)) return [];
    const entry = object(versions[version]);
    // What stands under one name and calls itself by another announces nothing.
    if (entry === undefined || entry["name"] !== facts.name || entry["version"] !== version) return [];
    return announcement(
      entry,
      { ...facts, version },
      url,
      from,
      Object.hasOwn(times, version) ? times[version] : undefined,
    );
  });
}

function manifest(document: Members, facts: RequestFacts, url: URL, from: string): Announcement[] {
  const version = document["version"];
  if (typeof version !== "string" || (facts.version !== undefined && facts.version !== version)) {
    malformed(`expected version ${facts.version ?? "of a tag"} of ${facts.name}, found ${shown(version)}`);
  }
  return announcement(document, { ...facts, version }, url, from, undefined);
}

function announcement(
  entry: Members,
  facts: RequestFacts,
  url: URL,
  from: string,
  time: Json | undefined,
): Announcement[] {
  const { name = "", version = "" } = facts;
  const dist = object(entry["dist"]);
  const spelled = dist?.["tarball"];
  const tarball = typeof spelled === "string" ? announcedAddress(spelled, url) : undefined;
  if (dist === undefined || tarball === undefined || !isNpmVersion(version)) return [];
  const digests = digestsOf(dist, from);
  // Another host gets nothing from an announcement that does not say which bytes it is.
  if (digests.length === 0 && tarball.host !== url.host) return [];
  const attestations = object(dist["attestations"])?.["url"];
  const facets = {
    fileName: tarball.pathname.slice(tarball.pathname.lastIndexOf("/") + 1),
    publishedAt: instant(time),
    withdrawn: withdrawn(entry["deprecated"]),
    publisher: publisher(entry["_npmUser"]),
    licence: licence(entry),
    unpackedSize: count(dist["unpackedSize"]),
    fileCount: count(dist["fileCount"]),
    signatures: signatures(dist["signatures"]),
    attestations: typeof attestations === "string" ? announcedAddress(attestations, url)?.href : undefined,
  };
  return [
    {
      url: tarball.href,
      ecosystem: "npm",
      kind: "archive",
      name,
      version,
      purl: npmPackageUrl(name, version),
      digests,
      installScripts: hasInstallScripts(entry),
      ...(Object.fromEntries(
        Object.entries(facets).filter(([, value]) => value !== undefined),
      ) as Partial<Announcement>),
    },
  ];
}

function digestsOf(dist: Members, from: string): readonly ExpectedDigest[] {
  const integrity = dist["integrity"];
  const digests = typeof integrity === "string" ? [...integrityDigests(integrity, from)] : [];
  const shasum = hexDigest("sha1", dist["shasum"], from);
  if (shasum !== undefined && !digests.some((digest) => digest.algorithm === "sha1" && digest.value === shasum.value)) {
    digests.push(shasum);
  }
  return digests;
}

/** The abbreviated form says it in a word; the full one has the scripts themselves. */
function hasInstallScripts(entry: Members): boolean {
  if (entry["hasInstallScript"] === true || entry["gypfile"] === true) return true;
  const scripts = object(entry["scripts"]) ?? {};
  return ["preinstall", "install", "postinstall"].some(
    (name) => Object.hasOwn(scripts, name) && typeof scripts[name] === "string" && scripts[name] !== "",
  );
}

function withdrawn(deprecated: Json | undefined): string | undefined {
  return deprecated === true ? "deprecated" : text(deprecated);
}

function publisher(user: Json | undefined): string | undefined {
  // Old entries have `name <address>` as one text; addresses of people are not kept.
  const name = typeof user === "string" ? user.slice(0, 512).split("<")[0]?.trim() : object(user)?.["name"];
  return text(name, 256);
}

function licence(entry: Members): string | undefined {
  const declared = entry["license"] ?? entry["licenses"];
  const first = Array.isArray(declared) ? (declared as readonly Json[])[0] : declared;
  return text(typeof first === "string" ? first : object(first)?.["type"], 256);
}

function signatures(value: Json | undefined): Announcement["signatures"] {
  if (!Array.isArray(value)) return undefined;
  const found = (value as readonly Json[]).slice(0, 16).flatMap((each) => {
    const keyId = text(object(each)?.["keyid"], 256);
    const signature = text(object(each)?.["sig"], 4096);
    return keyId !== undefined && signature !== undefined ? [{ keyId, signature }] : [];
  });
  return found.length > 0 ? found : undefined;
}
