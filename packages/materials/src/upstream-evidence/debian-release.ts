import {
  isCleartextSigned,
  type Keyring,
  type OpenPgpSigner,
  readSignature,
  verifyCleartext,
  verifyDetached,
} from "@touchmark/formats/openpgp";
import { upstreamErrors } from "./errors.ts";

/** A file that a Release file lists. */
export interface ReleasedFile {
  /** SHA-256, lower-case hexadecimal. */
  readonly sha256: string;
  readonly size: number;
}

/** A Release file whose signature holds (Debian repository format, "Release files"). */
export interface Release {
  readonly signer: OpenPgpSigner;
  readonly suite: string | undefined;
  readonly codename: string | undefined;
  readonly date: Date;
  readonly validUntil: Date | undefined;
  /** Paths relative to the Release file. */
  readonly files: ReadonlyMap<string, ReleasedFile>;
}

/** The bytes of a Release file: with its signature inside, or beside it. */
export type ReleaseBytes =
  | { readonly inRelease: Uint8Array }
  | { readonly release: Uint8Array; readonly signature: Uint8Array };

const MAX_FILES = 200_000;
/** A mirror's clock may be ahead of ours; a day of that is no attack, and hides none. */
const FUTURE = 86_400_000;

/**
 * Verifies the signature of a Release file, reads what was signed, and checks that it is valid at a time.
 * @throws OPENPGP_* | UPSTREAM_ANSWER_MALFORMED | UPSTREAM_RELEASE_EXPIRED | UPSTREAM_RELEASE_SUITE
 */
export function openRelease(bytes: ReleaseBytes, keyring: Keyring, at: Date): Release {
  const { text, signers } = signedText(bytes, keyring, at);
  const release = { ...readRelease(text), signer: signers[0] as OpenPgpSigner };
  if (release.date.getTime() > at.getTime() + FUTURE) {
    throw upstreamErrors.make(
      "UPSTREAM_RELEASE_SUITE",
      `expected a Release of ${at.toISOString()} at most, found ${release.date.toISOString()}`,
    );
  }
  if (release.validUntil !== undefined && release.validUntil.getTime() <= at.getTime()) {
    throw upstreamErrors.make(
      "UPSTREAM_RELEASE_EXPIRED",
      `the Release of ${release.codename ?? release.suite ?? "an unnamed suite"} was valid until ${release.validUntil.toISOString()}`,
    );
  }
  return release;
}

function signedText(
  bytes: ReleaseBytes,
  keyring: Keyring,
  at: Date,
): { readonly text: string; readonly signers: readonly OpenPgpSigner[] } {
  if ("inRelease" in bytes) {
    if (!isCleartextSigned(bytes.inRelease)) throw malformed("expected a signed message from the first line on");
    return verifyCleartext(keyring, bytes.inRelease, at);
  }
  const { signers } = verifyDetached(keyring, readSignature(bytes.signature), bytes.release, at);
  return { text: Buffer.from(bytes.release).toString("utf8"), signers };
}

/** Reads the fields of a Release file. No field may stand twice, and nothing but fields may stand in it. */
function readRelease(text: string): Omit<Release, "signer"> {
  const fields = new Map<string, string[]>();
  let lines: string[] | undefined;
  for (const line of text.replace(/\n+$/, "").split("\n")) {
    if (line.startsWith(" ")) {
      if (lines === undefined) throw malformed("expected a field first");
      lines.push(line.slice(1));
      continue;
    }
    const [, name, value] = /^([A-Za-z0-9-]{1,64}):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw malformed(`found the line ${JSON.stringify(line.slice(0, 60))}`);
    if (fields.has(name.toLowerCase())) throw malformed(`found the field ${name} twice`);
    lines = [value];
    fields.set(name.toLowerCase(), lines);
  }
  const one = (name: string): string | undefined => fields.get(name)?.[0]?.trim() || undefined;
  const date = timeOf(one("date"));
  if (date === undefined) throw malformed("expected a Date");
  return {
    suite: one("suite"),
    codename: one("codename"),
    date,
    validUntil: timeOf(one("valid-until")),
    files: readFiles(fields.get("sha256")?.slice(1)),
  };
}

function readFiles(lines: readonly string[] | undefined): Map<string, ReleasedFile> {
  if (lines === undefined) throw malformed("expected SHA256 digests of its files");
  if (lines.length > MAX_FILES) throw malformed(`found ${lines.length} files`);
  const files = new Map<string, ReleasedFile>();
  for (const line of lines) {
    const [, sha256, size, path] = /^\s*([0-9a-f]{64})\s+(\d{1,15})\s+(\S{1,500})\s*$/.exec(line) ?? [];
    if (sha256 === undefined || size === undefined || path === undefined) {
      throw malformed(`found ${JSON.stringify(line.slice(0, 100))} among its files`);
    }
    const known = files.get(path);
    if (known !== undefined && known.sha256 !== sha256) throw malformed(`found two digests of ${path}`);
    files.set(path, { sha256, size: Number(size) });
  }
  return files;
}

const timeShape = /^(?:[A-Z][a-z]{2}, )?(\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}) (?:UTC|GMT|\+0000)$/;

function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const plain = timeShape.exec(text)?.[1];
  const time = plain === undefined ? Number.NaN : Date.parse(`${plain} UTC`);
  if (Number.isNaN(time)) throw malformed(`expected a time, found ${JSON.stringify(text.slice(0, 60))}`);
  return new Date(time);
}

function malformed(why: string): Error {
  return upstreamErrors.make("UPSTREAM_ANSWER_MALFORMED", `expected a Release file: ${why}`);
}
