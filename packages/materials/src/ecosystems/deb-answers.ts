import { debPackageUrl } from "@touchmark/formats/package-url";
import type { Announcement, ExpectedDigest, RequestFacts } from "../material.ts";
import { fromAddress } from "./common-announced.ts";
import { isByHash } from "./deb-classify.ts";
import { readPackages, unpackedIndex } from "./deb-packages.ts";
import { readRelease } from "./deb-release.ts";

/**
 * The indexes that a Release file announces, and the packages that a Packages file announces. Digests are an index's
 * word until somebody has verified the signature of the Release file they hang from.
 */
export function announcedByDeb(facts: RequestFacts, body: Uint8Array, url: URL): readonly Announcement[] {
  if (facts.kind !== "index") return [];
  if (facts.fileName === "InRelease" || facts.fileName === "Release") return suiteFiles(body, url);
  const listsPackages = isByHash(url)
    ? /\/binary-[a-z0-9-]+\/by-hash\//.test(url.pathname)
    : /^Packages(\.\w+)?$/.test(facts.fileName ?? "");
  if (!listsPackages) return [];
  const index = unpackedIndex(body);
  // A by-hash address tells neither name nor kind: the small Release files of architectures lie there too.
  if (isByHash(url) && index.length > 0 && !index.subarray(0, 9).equals(Buffer.from("Package: "))) return [];
  return packages(facts, index, url);
}

function suiteFiles(body: Uint8Array, url: URL): readonly Announcement[] {
  const { files, byHash } = readRelease(body);
  const from = fromAddress(url);
  const found: Announcement[] = [];
  for (const { path, size, sha256, sha512 } of files) {
    const digests: ExpectedDigest[] = [];
    if (sha256 !== undefined) digests.push({ algorithm: "sha256", value: sha256, source: "index", from });
    if (sha512 !== undefined) digests.push({ algorithm: "sha512", value: sha512, source: "index", from });
    const facts = { ecosystem: "deb", kind: "index", digests, size } as const;
    const fileName = path.split("/").at(-1) ?? "";
    found.push({ ...facts, fileName, url: new URL(path, url).href });
    if (!byHash) continue;
    const directory = path.slice(0, path.length - fileName.length);
    if (sha256 !== undefined) {
      found.push({ ...facts, fileName: sha256, url: new URL(`${directory}by-hash/SHA256/${sha256}`, url).href });
    }
    if (sha512 !== undefined) {
      found.push({ ...facts, fileName: sha512, url: new URL(`${directory}by-hash/SHA512/${sha512}`, url).href });
    }
  }
  return found;
}

function packages(facts: RequestFacts, index: Buffer, url: URL): readonly Announcement[] {
  const from = fromAddress(url);
  const found: Announcement[] = [];
  for (const { name, version, architecture, path, size, sha256, sha512 } of readPackages(index)) {
    const announcement = {
      ecosystem: "deb",
      kind: "archive",
      name,
      version,
      purl: purlOf(name, version, architecture),
      fileName: path.split("/").at(-1) ?? "",
      size,
      digests: [
        { algorithm: "sha256", value: sha256, source: "index", from },
        ...(sha512 === undefined ? [] : [{ algorithm: "sha512", value: sha512, source: "index", from } as const]),
      ],
    } as const;
    for (const spelled of spellings(path)) found.push({ ...announcement, url: facts.upstream.url + spelled });
  }
  return found;
}

/** As `debPackageUrl`, which takes longer than all else in an index of 60,000 packages; most have nothing to encode. */
function purlOf(name: string, version: string, architecture: string): string {
  if (/[+~:]/.test(name + version)) return debPackageUrl(name, version, { architecture });
  return `pkg:deb/debian/${name}@${version}?arch=${architecture}`;
}

/** apt encodes `+` and `~`, others do not. */
function spellings(path: string): readonly string[] {
  const encoded = path.replace(/[+~]/g, (one) => (one === "+" ? "%2b" : "%7e"));
  return encoded === path ? [path] : [path, encoded];
}
