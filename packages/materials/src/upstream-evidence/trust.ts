import { readFileSync } from "node:fs";
import { isFactoryError, parseJson } from "@touchmark/core";
import { type NoteVerifier, parseVerifierKey } from "@touchmark/formats/log";
import { type Keyring, readKeyring } from "@touchmark/formats/openpgp";
import { readTrustRoot, type TrustRoot } from "@touchmark/verify";
import type { UpstreamEvidence } from "../gate/decision.ts";
import { upstreamErrors } from "./errors.ts";
import { member } from "./evidence.ts";
import { type RegistryKey, readRegistryKeys } from "./registry-keys.ts";
import { isTrustRules, joinRules, parseTrustRules, type TrustRules } from "./trust-rules.ts";

/** A checksum database. */
export interface ChecksumDatabase {
  readonly verifier: NoteVerifier;
  /** Where it is asked; below the module proxy when undefined. */
  readonly url: string | undefined;
}

/** A keyring that speaks for what lies below one address alone. */
export interface SourceKeyring {
  /** Ends with `/`. */
  readonly address: string;
  readonly keyring: Keyring;
}

/** What counts for one kind of evidence: the contents of the files that the user named for it. */
export interface KindTrust {
  readonly roots: readonly TrustRoot[];
  readonly registryKeys: readonly RegistryKey[];
  readonly databases: readonly ChecksumDatabase[];
  readonly keyring: Keyring | undefined;
  readonly rules: TrustRules;
  /** Debian: keyrings by address, where apt of the host and not the user named them. */
  readonly sources?: readonly SourceKeyring[];
}

/** What the user trusts, by kind of evidence. A kind without files is not asked for. */
export type EvidenceTrust = Readonly<Partial<Record<UpstreamEvidence["kind"], KindTrust>>>;

type Part = "root" | "registry-keys" | "database" | "keyring" | "rules";

/** What the files of each kind may be. */
const takes: Readonly<Record<UpstreamEvidence["kind"], readonly Part[]>> = {
  "npm-signature": ["registry-keys", "rules"],
  "npm-provenance": ["root", "registry-keys", "rules"],
  "pypi-attestation": ["root", "rules"],
  "go-checksum-database": ["database", "rules"],
  "maven-pgp": ["keyring", "rules"],
  "maven-sigstore": ["root", "rules"],
  "debian-chain": ["keyring"],
  "git-signature": ["keyring", "rules"],
  "touchmark-provenance": ["root", "rules"],
};

const maxFileBytes = 32 << 20;

/** Reads the files that a configuration names. @throws UPSTREAM_TRUST_INVALID naming the file */
export function readEvidenceTrust(
  files: Readonly<Partial<Record<UpstreamEvidence["kind"] | "third-party-review", readonly string[]>>>,
): EvidenceTrust {
  const trust: Partial<Record<UpstreamEvidence["kind"], KindTrust>> = {};
  for (const kind of Object.keys(takes) as UpstreamEvidence["kind"][]) {
    const paths = files[kind] ?? [];
    if (paths.length > 0) trust[kind] = readKind(kind, paths);
  }
  return trust;
}

function readKind(kind: UpstreamEvidence["kind"], paths: readonly string[]): KindTrust {
  const roots: TrustRoot[] = [];
  const registryKeys: RegistryKey[] = [];
  const databases: ChecksumDatabase[] = [];
  const keyrings: Uint8Array[] = [];
  const rules: TrustRules[] = [];
  for (const path of paths) {
    const bytes = readBounded(path);
    try {
      const part = partOf(bytes);
      if (!takes[kind].includes(part)) {
        throw upstreamErrors.make("UPSTREAM_TRUST_INVALID", `expected ${takes[kind].join(" or ")}, found ${part}`);
      }
      if (part === "root") roots.push(readTrustRoot(bytes));
      else if (part === "registry-keys") registryKeys.push(...readRegistryKeys(bytes));
      else if (part === "database") databases.push(readDatabase(bytes.toString("utf8")));
      else if (part === "keyring") keyrings.push(bytes);
      else rules.push(parseTrustRules(bytes.toString("utf8"), path));
      if (part === "keyring") readKeyring(bytes);
    } catch (cause) {
      if (!isFactoryError(cause)) throw cause;
      const why = `${path}, named for ${kind}: ${cause.message}`;
      throw upstreamErrors.make("UPSTREAM_TRUST_INVALID", why, { cause });
    }
  }
  const keyring = keyrings.length === 0 ? undefined : readKeyring(...keyrings);
  return { roots, registryKeys, databases, keyring, rules: joinRules(rules) };
}

function readBounded(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= maxFileBytes) return bytes;
  } catch (cause) {
    throw upstreamErrors.make("UPSTREAM_TRUST_INVALID", `${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  throw upstreamErrors.make("UPSTREAM_TRUST_INVALID", `expected at most ${maxFileBytes} bytes in ${path}`);
}

/** What a file is, by its content. */
function partOf(bytes: Buffer): Part {
  if ((bytes[0] ?? 0) >= 0x80) return "keyring";
  const text = bytes.toString("utf8");
  if (text.includes("-----BEGIN PGP PUBLIC KEY BLOCK-----")) return "keyring";
  if (text.trimStart().startsWith("{")) {
    return member(parseJson(bytes), "keys") === undefined ? "root" : "registry-keys";
  }
  return isTrustRules(text) ? "rules" : "database";
}

/** A checksum database as `go env GOSUMDB` spells it: a verifier key, and perhaps an address after it. */
function readDatabase(text: string): ChecksumDatabase {
  const [key = "", url, ...more] = text.trim().split(/\s+/);
  if (more.length > 0 || (url !== undefined && !URL.canParse(url))) {
    throw upstreamErrors.make("UPSTREAM_TRUST_INVALID", "expected a verifier key, and perhaps an address after it");
  }
  return { verifier: parseVerifierKey(key), url: url === undefined ? undefined : url.replace(/\/*$/, "/") };
}
