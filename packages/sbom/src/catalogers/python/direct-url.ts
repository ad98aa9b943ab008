import type { ComponentHash } from "@touchmark/formats/sbom";
import { publicAddress } from "../address.ts";
import { pythonErrors } from "./errors.ts";

/** Where a distribution was installed from, when not by name from an index (PEP 610). */
export interface DirectOrigin {
  /** Qualifiers of its package URL. */
  readonly qualifiers?: Readonly<Record<string, string>>;
  readonly downloadLocation?: string;
  readonly hashes: readonly ComponentHash[];
  /** A directory of the machine that installed it. */
  readonly localPath?: string;
  readonly isEditable: boolean;
}

type Members = Readonly<Record<string, unknown>>;

/** Reads direct_url.json; credentials in addresses are left out. @throws SBOM_PYTHON_ORIGIN */
export function readDirectUrl(bytes: Uint8Array): DirectOrigin {
  let document: Members;
  try {
    document = membersOf(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (cause) {
    throw pythonErrors.make("SBOM_PYTHON_ORIGIN", "expected JSON", { cause });
  }
  const url = textOf(document["url"]);
  const address = url === undefined ? undefined : publicAddress(url);
  if (address === undefined) throw pythonErrors.make("SBOM_PYTHON_ORIGIN", "expected a URL");
  const commit = textOf(membersOf(document["vcs_info"])["commit_id"]);
  const vcs = textOf(membersOf(document["vcs_info"])["vcs"]);
  if (commit !== undefined && vcs !== undefined) {
    const location = `${vcs}+${address}@${commit}`;
    return { qualifiers: { vcs_url: location }, downloadLocation: location, hashes: [], isEditable: false };
  }
  const isFile = address.startsWith("file:");
  const hashes = hashesOf(membersOf(document["archive_info"]));
  if (document["dir_info"] !== undefined || isFile) {
    const isEditable = membersOf(document["dir_info"])["editable"] === true;
    return { hashes, localPath: address.replace(/^file:(?:\/\/)?/, ""), isEditable };
  }
  return { qualifiers: { download_url: address }, downloadLocation: address, hashes, isEditable: false };
}

function hashesOf(archive: Members): ComponentHash[] {
  const hashes = Object.entries(membersOf(archive["hashes"]));
  const single = /^(\w+)=(\w+)$/.exec(textOf(archive["hash"]) ?? "");
  if (hashes.length === 0 && single !== null) hashes.push([single[1] ?? "", single[2]]);
  return hashes.flatMap(([algorithm, value]) => {
    const length = { md5: 32, sha1: 40, sha256: 64, sha384: 96, sha512: 128 }[algorithm];
    const isDigest = typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value);
    return isDigest ? [{ algorithm: algorithm as ComponentHash["algorithm"], value }] : [];
  });
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= 4096 && !/[\u0000-\u0020]/.test(value) ? value : undefined;
}
