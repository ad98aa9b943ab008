import { debPackageUrl } from "@touchmark/formats/package-url";
import type { EcosystemRequest } from "../ecosystem.ts";
import type { RequestFacts, Upstream } from "../material.ts";
import { segmentsBelow } from "./address.ts";

const indexFile =
  /^(Packages|Sources|Contents-[\w-]+|Translation-[\w-]+|Commands-[\w-]+|Components-[\w-]+\.yml|icons-[\w@-]+\.tar|Index)(\.(gz|xz|zst|bz2|lzma))?$/;
const nativeFile = /\.(deb|udeb|ddeb)$/;
const sourceFile = /\.(dsc|tar\.(gz|xz|bz2|zst|lzma)|diff\.gz|tar\.(gz|xz|bz2)\.asc)$/;

/** Reads an address of a Debian archive: `dists/…` for indexes, `pool/…` (or anywhere, in a flat one) for packages. */
export function classifyDeb(request: EcosystemRequest, upstream: Upstream): RequestFacts | undefined {
  if (request.method === "POST" || request.url.search !== "") return undefined;
  const segments = segmentsBelow(request.url, upstream);
  const file = segments?.at(-1);
  if (segments === undefined || file === undefined) return undefined;
  if (!segments.every((segment) => /^[\w.+:~@=-]+$/.test(segment))) return undefined;
  const facts = { ecosystem: "deb", upstream, fileName: file } as const;
  if (file === "InRelease" || file === "Release") return { ...facts, kind: "index", immutable: false };
  if (file === "Release.gpg") return { ...facts, kind: "signature", immutable: false };
  if (segments.at(-3) === "by-hash") {
    const length = { SHA256: 64, SHA512: 128 }[segments.at(-2) ?? ""];
    if (length !== file.length || !/^[0-9a-f]+$/.test(file)) return undefined;
    return { ...facts, kind: "index", immutable: true };
  }
  if (indexFile.test(file)) return { ...facts, kind: "index", immutable: false };
  return segments[0] === "dists" ? undefined : archive(file, upstream);
}

/** True for addresses that hold their own digest; what they hold is told by its beginning alone. */
export function isByHash(url: URL): boolean {
  return /\/by-hash\/SHA(256|512)\/[0-9a-f]+$/.test(url.pathname);
}

function archive(file: string, upstream: Upstream): RequestFacts | undefined {
  const facts = { ecosystem: "deb", kind: "archive", upstream, fileName: file, immutable: true } as const;
  if (nativeFile.test(file)) {
    // A file name has the version without its epoch: the index has the whole one.
    const [, name, version, architecture] = /^([a-z0-9][a-z0-9.+-]+)_([\w.+~:-]+)_([a-z0-9-]+)\.\w+$/.exec(file) ?? [];
    if (name === undefined || version === undefined || architecture === undefined) return undefined;
    return { ...facts, name, version, purl: debPackageUrl(name, version, { architecture }) };
  }
  if (!sourceFile.test(file)) return undefined;
  const [, name, version] =
    /^([a-z0-9][a-z0-9.+-]+)_([\w.+~-]+?)(\.orig.*|\.debian.*|\.dsc|\.tar\..*|\.diff\.gz)$/.exec(file) ?? [];
  if (name === undefined || version === undefined) return undefined;
  return { ...facts, name, version, purl: debPackageUrl(name, version, { architecture: "source" }) };
}
