import { golangPackageUrl } from "@touchmark/formats/package-url";
import type { Announcement, RequestFacts } from "../material.ts";
import { instant, malformed, readIndexObject } from "./common-announced.ts";
import { materialErrors } from "./errors.ts";
import { checksumRecord } from "./go-checksums.ts";
import { escapeCase, isCanonicalVersion } from "./go-module.ts";

const maxInfoBytes = 1 << 20;

/** What an answer of the GOPROXY protocol announces: lists and `go.mod` files nothing, `.info` when a version was made. */
export function announcedByGo(facts: RequestFacts, body: Uint8Array, url: URL): readonly Announcement[] {
  if (facts.kind === "signature") return facts.name === undefined ? [] : checksumRecord(facts, body, url);
  const asksInfo = url.pathname.endsWith(".info") || url.pathname.endsWith("/@latest");
  if (!asksInfo || facts.name === undefined) return [];
  return [versionOf(facts.name, facts.version, body, url)];
}

function versionOf(name: string, asked: string | undefined, body: Uint8Array, url: URL): Announcement {
  if (body.length > maxInfoBytes) {
    throw materialErrors.make(
      "MATERIAL_INDEX_TOO_LARGE",
      `expected at most ${maxInfoBytes} bytes of version information, found ${body.length}`,
    );
  }
  const { Version: version, Time: time } = readIndexObject(body);
  if (typeof version !== "string" || !isCanonicalVersion(version)) {
    malformed(`expected a canonical version from ${url.pathname}, found ${JSON.stringify(version)?.slice(0, 80)}`);
  }
  if (asked !== undefined && version !== asked) {
    malformed(`expected version ${asked} from ${url.pathname}, found ${version}`);
  }
  const publishedAt = instant(time);
  const base = url.href.replace(/@latest$|@v\/[^/]*$/, "@v/");
  return {
    url: `${base}${escapeCase(version)}.zip`,
    ecosystem: "golang",
    kind: "archive",
    name,
    version,
    purl: golangPackageUrl(name, version),
    fileName: `${version}.zip`,
    digests: [],
    ...(publishedAt === undefined ? {} : { publishedAt }),
  };
}
