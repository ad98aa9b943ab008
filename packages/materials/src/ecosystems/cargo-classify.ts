import { cargoPackageUrl } from "@touchmark/formats/package-url";
import type { EcosystemRequest } from "../ecosystem.ts";
import type { RequestFacts, Upstream } from "../material.ts";
import { segmentsBelow } from "./address.ts";
import { materialErrors } from "./errors.ts";

const crateName = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const crateVersion = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/**
 * Reads an address of a sparse index (doc.rust-lang.org/cargo/reference/registry-index.html) or of a crate below the
 * same upstream. Crates elsewhere are known by what the index announces.
 * @throws MATERIAL_CARGO_GIT_INDEX
 */
export function classifyCargo(request: EcosystemRequest, upstream: Upstream): RequestFacts | undefined {
  const segments = segmentsBelow(request.url, upstream);
  if (segments === undefined) return undefined;
  if (/(^|\/)(info\/refs|git-upload-pack)$/.test(segments.join("/"))) {
    throw materialErrors.make(
      "MATERIAL_CARGO_GIT_INDEX",
      `expected requests of a sparse index below ${upstream.name}, found one of a git repository`,
    );
  }
  if (request.method === "POST" || request.url.search !== "") return undefined;
  if (segments.length === 1 && segments[0] === "config.json") {
    return { ecosystem: "cargo", kind: "index", upstream, fileName: "config.json", immutable: false };
  }
  const name = segments.at(-1) ?? "";
  if (crateName.test(name) && segments.join("/") === indexPath(name)) {
    return { ecosystem: "cargo", kind: "index", upstream, name, immutable: false };
  }
  return crate(segments, upstream);
}

/** Where a sparse index has the entry of a crate: `1/a`, `2/ab`, `3/a/abc`, `ab/cd/abcd`; all in lower case. */
export function indexPath(name: string): string {
  const lower = name.toLowerCase();
  return `${cratePrefix(lower)}/${lower}`;
}

/** The directory part, in the name's own case: the `{prefix}` of download templates. */
export function cratePrefix(name: string): string {
  if (name.length <= 2) return String(name.length);
  return name.length === 3 ? `3/${name[0]}` : `${name.slice(0, 2)}/${name.slice(2, 4)}`;
}

/** `…/NAME/VERSION/download` or `…/NAME-VERSION.crate`. */
function crate(segments: readonly string[], upstream: Upstream): RequestFacts | undefined {
  const last = segments.at(-1) ?? "";
  const [name = "", version = ""] =
    last === "download" ? segments.slice(-3, -1) : (/^(.+?)-(\d+\.\d+\.\d+.*)\.crate$/.exec(last)?.slice(1) ?? []);
  if (!isCrate(name, version)) return undefined;
  return {
    ecosystem: "cargo",
    kind: "archive",
    upstream,
    name,
    version,
    purl: cargoPackageUrl(name, version),
    fileName: `${name}-${version}.crate`,
    immutable: true,
  };
}

export function isCrate(name: string, version: string): boolean {
  return crateName.test(name) && version.length <= 128 && crateVersion.test(version);
}
