import { cargoPackageUrl } from "@touchmark/formats/package-url";
import type { EarlierAnswer } from "../ecosystem.ts";
import type { Announcement, RequestFacts } from "../material.ts";
import { cratePrefix, isCrate } from "./cargo-classify.ts";
import { fromAddress, instant, malformed, readIndexObject } from "./common-announced.ts";
import { materialErrors } from "./errors.ts";

const limits = { bytes: 32 << 20, versions: 20_000, line: 1 << 20 };

/** Crates that an entry of a sparse index announces, at the addresses that the index's `config.json` gives them. */
export function announcedByCargo(
  facts: RequestFacts,
  body: Uint8Array,
  url: URL,
  earlier?: EarlierAnswer,
): readonly Announcement[] {
  if (facts.kind !== "index") return [];
  if (body.length > limits.bytes) tooLarge(`${limits.bytes} bytes`, body.length);
  if (facts.name === undefined) {
    downloadTemplate(body, url);
    return [];
  }
  const configuration = new URL("config.json", facts.upstream.url);
  const configured = earlier?.(configuration);
  if (configured === undefined)
    malformed(`expected config.json to be asked before the entry of a crate, in ${url.pathname}`);
  const template = downloadTemplate(configured, configuration);
  const lines = Buffer.from(body).toString("utf8").split("\n").filter(Boolean);
  if (lines.length > limits.versions) tooLarge(`${limits.versions} versions`, lines.length);
  const found: Announcement[] = [];
  const versions = new Set<string>();
  for (const line of lines) {
    if (line.length > limits.line) tooLarge(`${limits.line} bytes a version`, line.length);
    const one = announcement(facts.name, line, template, url);
    if (versions.has(one.version ?? ""))
      malformed(`expected each version once, found ${one.version} twice, in ${url.pathname}`);
    versions.add(one.version ?? "");
    found.push(one);
  }
  return found;
}

function announcement(asked: string, line: string, template: string, url: URL): Announcement {
  const entry = readIndexObject(Buffer.from(line));
  const { name, vers: version, cksum, yanked, pubtime } = entry;
  if (typeof name !== "string" || typeof version !== "string" || !isCrate(name, version)) {
    malformed(`expected name and version of a crate in each line, in ${url.pathname}`);
  }
  if (name.toLowerCase() !== asked.toLowerCase())
    malformed(`expected versions of ${asked}, found one of ${name}, in ${url.pathname}`);
  if (typeof cksum !== "string" || !/^[0-9a-f]{64}$/.test(cksum)) {
    malformed(`expected a SHA-256 of ${name} ${version} in 64 hex digits, in ${url.pathname}`);
  }
  const publishedAt = instant(pubtime);
  return {
    url: downloadAddress(template, name, version, cksum),
    ecosystem: "cargo",
    kind: "archive",
    name,
    version,
    purl: cargoPackageUrl(name, version),
    fileName: `${name}-${version}.crate`,
    digests: [{ algorithm: "sha256", value: cksum, source: "index", from: fromAddress(url) }],
    ...(publishedAt === undefined ? {} : { publishedAt }),
    ...(yanked === true ? { withdrawn: "yanked" } : {}),
  };
}

/** The member `dl`: an absolute http(s) address without user information, query or fragment, markers in its path alone. */
function downloadTemplate(body: Uint8Array, url: URL): string {
  const { dl } = readIndexObject(body);
  if (typeof dl !== "string" || dl.length > 2048) malformed(`expected "dl" to be an address in ${url.pathname}`);
  const parsed = URL.canParse(dl) ? new URL(dl) : undefined;
  const plain = parsed !== undefined && parsed.username === "" && parsed.password === "" && !/[?#]/.test(dl);
  if (!plain || !/^https?:$/.test(parsed.protocol) || /[{}%]/.test(parsed.hostname) || parsed.pathname.includes("//")) {
    malformed(
      `expected "dl" to be an absolute address with markers in its path alone, found ${JSON.stringify(dl).slice(0, 120)}, in ${url.pathname}`,
    );
  }
  const unknown = [...dl.matchAll(/\{([^}]*)\}?/g)].find(([, marker = ""]) => !markers.has(marker));
  if (unknown !== undefined) {
    malformed(
      `expected markers of a download template in ${url.pathname}, found ${JSON.stringify(unknown[0]).slice(0, 80)}`,
    );
  }
  return dl;
}

const markers: ReadonlySet<string> = new Set(["crate", "version", "prefix", "lowerprefix", "sha256-checksum"]);

function downloadAddress(template: string, name: string, version: string, cksum: string): string {
  const values: Readonly<Record<string, string>> = {
    crate: name,
    version,
    prefix: cratePrefix(name),
    lowerprefix: cratePrefix(name.toLowerCase()),
    "sha256-checksum": cksum,
  };
  const filled = template.replace(/\{([a-z0-9-]+)\}/g, (marker, key: string) => values[key] ?? marker);
  const address = new URL(filled !== template ? filled : `${template.replace(/\/$/, "")}/${name}/${version}/download`);
  return address.href;
}

function tooLarge(bound: string, found: number): never {
  throw materialErrors.make("MATERIAL_INDEX_TOO_LARGE", `expected at most ${bound} in an index, found ${found}`);
}
