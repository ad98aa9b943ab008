import type { Json } from "@touchmark/core";
import { pypiPackageUrl } from "@touchmark/formats/package-url";
import type { Announcement, ExpectedDigest, RequestFacts } from "../material.ts";
import {
  announcedAddress,
  checkIndexSize,
  checkUnambiguous,
  count,
  fromAddress,
  hexDigest,
  instant,
  MAX_INDEX_FILES,
  type Members,
  malformed,
  object,
  readIndexObject,
  shown,
  text,
} from "./common-announced.ts";
import { materialErrors } from "./errors.ts";
import { readAnchors } from "./pypi-anchors.ts";
import { distributionName, normalProjectName } from "./pypi-names.ts";

/** What one file of an index is, whichever way the index says it. */
interface ListedFile {
  readonly address: string;
  readonly digests: readonly ExpectedDigest[];
  /** `true` without a digest. */
  readonly metadata?: readonly ExpectedDigest[];
  readonly withdrawn?: string | undefined;
  readonly size?: number | undefined;
  readonly publishedAt?: string | undefined;
  readonly attestations?: string | undefined;
  readonly licence?: string | undefined;
}

/** Reads what a page of the simple interface, HTML or JSON, or the JSON interface announces. */
export function announcedPypi(facts: RequestFacts, body: Uint8Array, url: URL): readonly Announcement[] {
  const { name } = facts;
  if (name === undefined || (facts.kind !== "index" && facts.kind !== "metadata")) return [];
  if (facts.fileName !== undefined) return [];
  checkIndexSize(body);
  const from = fromAddress(url);
  let base = url;
  let files: readonly ListedFile[];
  if (isJson(body)) {
    const document = readIndexObject(body);
    files = document["meta"] === undefined ? jsonInterface(document, name, from) : simpleJson(document, name, from);
  } else {
    const page = readPage(body);
    base =
      page.base === undefined ? url : (announcedAddress(page.base, url) ?? malformed("expected a web address as base"));
    files = page.anchors.flatMap((anchor) => anchored(anchor, from));
  }
  if (files.length > MAX_INDEX_FILES) {
    throw materialErrors.make(
      "MATERIAL_INDEX_TOO_LARGE",
      `expected at most ${MAX_INDEX_FILES} files, found ${files.length}`,
    );
  }
  const announcements = files.flatMap((file) => announcementsOf(file, name, base, url));
  checkUnambiguous(announcements, (announcement) => announcement.url);
  checkUnambiguous(announcements, (announcement) => announcement.fileName ?? announcement.url);
  return announcements;
}

function isJson(body: Uint8Array): boolean {
  const first = body.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  return first === 0x7b;
}

function readPage(body: Uint8Array) {
  let html: string;
  try {
    html = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return malformed("expected an index page in UTF-8");
  }
  if (html.includes("\0")) malformed("expected text, found a NUL character");
  if (!/<(!doctype html|html|head|body|a)[\s>]/i.test(html.slice(0, 4096)))
    malformed("expected an index page, found no HTML");
  return readAnchors(html, MAX_INDEX_FILES);
}

/** PEP 503, 592, 658, 714 and 740. */
function anchored(anchor: ReadonlyMap<string, string>, from: string): ListedFile[] {
  const href = anchor.get("href");
  if (href === undefined) return [];
  const [, address = "", fragment = ""] = /^([^#]*)#?(.*)$/s.exec(href.trim()) ?? [];
  const digests = fragment.split("&").flatMap((word) => {
    const [, algorithm = "", value = ""] = /^([a-z0-9]+)=(.+)$/.exec(word) ?? [];
    return hexDigest(algorithm, value, from) ?? [];
  });
  const metadata = anchor.get("data-core-metadata") ?? anchor.get("data-dist-info-metadata");
  const yanked = anchor.get("data-yanked");
  return [
    {
      address,
      digests,
      ...(metadata === undefined || metadata === "false" ? {} : { metadata: metadataDigests(metadata, from) }),
      withdrawn: yanked === undefined ? undefined : (text(yanked) ?? "yanked"),
      publishedAt: instant(anchor.get("data-upload-time")),
      attestations: anchor.get("data-provenance"),
    },
  ];
}

function metadataDigests(value: string, from: string): readonly ExpectedDigest[] {
  const [, algorithm = "", digest = ""] = /^([a-z0-9]+)=(.+)$/.exec(value) ?? [];
  const found = hexDigest(algorithm, digest, from);
  return found === undefined ? [] : [found];
}

/** PEP 691 and 700. */
function simpleJson(document: Members, name: string, from: string): readonly ListedFile[] {
  const version = object(document["meta"])?.["api-version"];
  if (typeof version !== "string" || !/^1\.\d+$/.test(version)) malformed("expected version 1 of the simple interface");
  checkName(document["name"], name);
  return list(document["files"]).map((file): ListedFile => {
    const metadata = file["core-metadata"] ?? file["dist-info-metadata"] ?? file["data-dist-info-metadata"];
    return {
      address: text(file["url"], 8192) ?? "",
      digests: hashes(object(file["hashes"]), from),
      ...(metadata === undefined || metadata === null || metadata === false
        ? {}
        : { metadata: hashes(object(metadata), from) }),
      withdrawn: yanked(file["yanked"], undefined),
      size: count(file["size"]),
      publishedAt: instant(file["upload-time"]),
      attestations: text(file["provenance"], 8192),
    };
  });
}

/** The index's own JSON interface: `urls` of one version, `releases` of all. */
function jsonInterface(document: Members, name: string, from: string): readonly ListedFile[] {
  const about = object(document["info"]) ?? malformed("expected an index document, found another JSON object");
  checkName(about["name"], name);
  const licence = text(about["license_expression"], 256) ?? text(about["license"], 256);
  const releases = Object.values(object(document["releases"]) ?? {}).flatMap((release) => [...list(release)]);
  const known = new Set<string>();
  return [...releases, ...list(document["urls"])].flatMap((file): ListedFile[] => {
    const address = text(file["url"], 8192) ?? "";
    if (known.has(address)) return [];
    known.add(address);
    return [
      {
        address,
        digests: hashes(object(file["digests"]), from),
        withdrawn: yanked(file["yanked"], file["yanked_reason"]),
        size: count(file["size"]),
        publishedAt: instant(file["upload_time_iso_8601"] ?? file["upload_time"]),
        licence,
      },
    ];
  });
}

function checkName(found: Json | undefined, expected: string): void {
  if (typeof found !== "string" || normalProjectName(found) !== expected) {
    malformed(`expected the document of ${expected}, found that of ${shown(found)}`);
  }
}

function list(value: Json | undefined): readonly Members[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) malformed("expected a list of files");
  return (value as readonly Json[]).map((each) => object(each) ?? malformed("expected a file as an object"));
}

function hashes(members: Members | undefined, from: string): readonly ExpectedDigest[] {
  return Object.entries(members ?? {}).flatMap(([algorithm, value]) => hexDigest(algorithm, value, from) ?? []);
}

function yanked(value: Json | undefined, reason: Json | undefined): string | undefined {
  return value === true ? (text(reason) ?? "yanked") : text(value);
}

/** The file, and its metadata where they can be had apart. */
function announcementsOf(file: ListedFile, name: string, base: URL, url: URL): Announcement[] {
  const address = announcedAddress(file.address, base);
  const fileName = address === undefined ? undefined : lastSegment(address);
  const distribution = fileName === undefined ? undefined : distributionName(name, fileName);
  if (address === undefined || fileName === undefined || distribution === undefined) return [];
  // Another host gets nothing from an announcement that does not say which bytes it is.
  if (file.digests.length === 0 && address.host !== url.host) return [];
  const { version } = distribution;
  const facts = {
    ecosystem: "pypi",
    name,
    ...(version === undefined ? {} : { version, purl: pypiPackageUrl(name, version) }),
  } as const;
  const facets = {
    withdrawn: file.withdrawn,
    size: file.size,
    publishedAt: file.publishedAt,
    licence: file.licence,
    attestations: file.attestations === undefined ? undefined : announcedAddress(file.attestations, base)?.href,
  };
  const known = Object.fromEntries(Object.entries(facets).filter(([, value]) => value !== undefined));
  const archive: Announcement = {
    url: address.href,
    kind: "archive",
    ...facts,
    fileName,
    digests: file.digests,
    // A source distribution is a program that runs to become a package.
    installScripts: distribution.kind !== "wheel",
    ...(known as Partial<Announcement>),
  };
  if (file.metadata === undefined || (file.metadata.length === 0 && address.host !== url.host)) return [archive];
  const beside = new URL(address.href);
  beside.pathname += ".metadata";
  return [
    archive,
    { url: beside.href, kind: "metadata", ...facts, fileName: `${fileName}.metadata`, digests: file.metadata },
  ];
}

/** Name of the file that an address names; `+` of local versions may stand encoded. */
function lastSegment(address: URL): string | undefined {
  try {
    return decodeURIComponent(address.pathname.slice(address.pathname.lastIndexOf("/") + 1));
  } catch {
    return undefined;
  }
}
