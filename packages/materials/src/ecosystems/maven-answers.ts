import type { Announcement, RequestFacts } from "../material.ts";
import { materialErrors } from "./errors.ts";

const lengths = { md5: 32, sha1: 40, sha256: 64, sha512: 128 } as const;

/** The digest that a checksum file announces for the file beside it; every other answer announces nothing. */
export function announcedByMaven(facts: RequestFacts, body: Uint8Array, url: URL): readonly Announcement[] {
  const algorithm = /\.(md5|sha1|sha256|sha512)$/.exec(url.pathname)?.[1] as keyof typeof lengths | undefined;
  if (facts.kind !== "signature" || algorithm === undefined) return [];
  const sibling = new URL(url);
  sibling.pathname = url.pathname.slice(0, -algorithm.length - 1);
  const fileName = facts.fileName?.slice(0, -algorithm.length - 1);
  const value = checksumIn(body, algorithm, fileName, url);
  return [
    {
      url: sibling.href,
      ecosystem: "maven",
      kind: kindOf(fileName ?? ""),
      ...(facts.name === undefined ? {} : { name: facts.name }),
      ...(facts.version === undefined ? {} : { version: facts.version }),
      ...(facts.purl === undefined ? {} : { purl: facts.purl }),
      ...(fileName === undefined ? {} : { fileName }),
      digests: [{ algorithm, value, source: "checksum-file", from: url.href }],
    },
  ];
}

/** A digest alone, or as `sha1sum` writes it with the file's name; nothing else, and no page of HTML. */
function checksumIn(body: Uint8Array, algorithm: keyof typeof lengths, fileName: string | undefined, url: URL): string {
  const text = Buffer.from(body.subarray(0, 1024)).toString("latin1");
  const [, digest = "", name = fileName] = /^\s*([0-9A-Fa-f]+)(?:\s+[*]?(\S+))?\s*$/.exec(text) ?? [];
  const named = fileName === undefined || name?.split("/").at(-1) === fileName;
  if (body.length > 1024 || digest.length !== lengths[algorithm] || !named) {
    throw materialErrors.make(
      "MATERIAL_INDEX_MALFORMED",
      `expected ${lengths[algorithm]} hex digits of ${fileName ?? "a file"} in ${url.pathname}, found ${JSON.stringify(text.slice(0, 60))}`,
    );
  }
  return digest.toLowerCase();
}

function kindOf(fileName: string): Announcement["kind"] {
  if (fileName === "maven-metadata.xml") return "index";
  if (/\.(asc|sigstore|sigstore\.json|sig)$/.test(fileName)) return "signature";
  return /\.(pom|module|xml|json)$/.test(fileName) ? "metadata" : "archive";
}
