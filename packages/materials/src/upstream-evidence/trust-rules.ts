import { coversPackage } from "@touchmark/formats/package-url";
import { readYaml, type YamlValue } from "@touchmark/formats/pipeline";
import { upstreamErrors } from "./errors.ts";

/** Who may vouch for some packages. */
export interface SignerRule {
  /** Package URL pattern. */
  readonly packages: string;
  /** Fingerprints of primary OpenPGP keys, lower-case hexadecimal. */
  readonly fingerprints: readonly string[];
  /** Name in the signer's certificate, compared whole. */
  readonly identity?: string;
  /** Regular expression for that name, anchored at both ends. */
  readonly identityPattern?: string;
  readonly issuer?: string;
  /** Source repository that provenance must name. */
  readonly repository?: string;
}

/** What a trust file of our own format says beside keys and roots. */
export interface TrustRules {
  readonly signers: readonly SignerRule[];
  /** Whose word counts for packages that no signer is named for; empty: everybody's whom the trust root vouches for. */
  readonly issuers: readonly string[];
  /** npm: the registry's own keys document counts, as it stands on the day. */
  readonly registryKeys: boolean;
  /** Go: patterns of modules that the database is not asked about. */
  readonly private: readonly string[];
}

/** Rules of no file. */
export const noRules: TrustRules = { signers: [], issuers: [], registryKeys: false, private: [] };

const members = ["touchmark", "signers", "issuers", "registry-keys", "private"];
const signerMembers = ["packages", "fingerprints", "identity", "identity-pattern", "issuer", "repository"];
const maxRules = 10_000;

/** True when a text says of itself that it is a trust file. */
export function isTrustRules(text: string): boolean {
  return /^touchmark: *evidence-trust\//m.test(text.slice(0, 4096));
}

/** Reads a trust file: `touchmark: evidence-trust/v1`. @throws UPSTREAM_TRUST_INVALID */
export function parseTrustRules(text: string, fileName: string): TrustRules {
  const fail = (why: string): never => {
    throw upstreamErrors.make("UPSTREAM_TRUST_INVALID", `${fileName}: ${why}`);
  };
  let value: YamlValue;
  try {
    ({ value } = readYaml(text, fileName));
  } catch (cause) {
    throw upstreamErrors.make("UPSTREAM_TRUST_INVALID", (cause as Error).message, { cause });
  }
  const top = objectOf(value, members, "the document", fail);
  if (top["touchmark"] !== "evidence-trust/v1") fail("expected touchmark: evidence-trust/v1");
  const registry = top["registry-keys"];
  if (registry !== undefined && registry !== "accept" && registry !== "refuse") {
    fail("expected accept or refuse at registry-keys");
  }
  const signers = listOf(top["signers"], "signers", fail).map((each, n) => readSigner(each, `signers[${n}]`, fail));
  return {
    signers,
    issuers: textsOf(top["issuers"], "issuers", fail),
    registryKeys: registry === "accept",
    private: textsOf(top["private"], "private", fail),
  };
}

type Fail = (why: string) => never;

function readSigner(value: YamlValue, at: string, fail: Fail): SignerRule {
  const signer = objectOf(value, signerMembers, at, fail);
  const text = (name: string): string | undefined => {
    const found = signer[name];
    if (found !== undefined && (typeof found !== "string" || found === "")) fail(`expected text at ${at}.${name}`);
    return found;
  };
  const fingerprints = textsOf(signer["fingerprints"], `${at}.fingerprints`, fail).map((each) => {
    const plain = each.replace(/[ :]/g, "").toLowerCase();
    // Short key ids can be made to collide in seconds; only whole fingerprints name a key.
    return /^[0-9a-f]{40}$/.test(plain) ? plain : fail(`expected 40 hexadecimal digits at ${at}.fingerprints`);
  });
  const [packages, identity, pattern, issuer, repository] = [
    text("packages"),
    text("identity"),
    text("identity-pattern"),
    text("issuer"),
    text("repository"),
  ];
  if (packages === undefined) return fail(`expected a package pattern at ${at}.packages`);
  const named = identity !== undefined || pattern !== undefined;
  if (identity !== undefined && pattern !== undefined) fail(`expected one of identity and identity-pattern at ${at}`);
  if (named !== (issuer !== undefined)) fail(`expected identity and issuer together at ${at}`);
  if (!named && fingerprints.length === 0) fail(`expected fingerprints, or an identity with its issuer, at ${at}`);
  if (pattern !== undefined) checkPattern(pattern, at, fail);
  return {
    packages,
    fingerprints,
    ...(identity === undefined ? {} : { identity }),
    ...(pattern === undefined ? {} : { identityPattern: pattern }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(repository === undefined ? {} : { repository }),
  };
}

function checkPattern(pattern: string, at: string, fail: Fail): void {
  try {
    RegExp(`^(?:${pattern})$`, "u");
  } catch {
    fail(`expected a regular expression at ${at}.identity-pattern`);
  }
}

function objectOf(
  value: YamlValue | undefined,
  allowed: readonly string[],
  at: string,
  fail: Fail,
): Readonly<Record<string, YamlValue>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(`expected members at ${at}`);
  const unknown = Object.keys(value).find((name) => !allowed.includes(name));
  if (unknown !== undefined) fail(`found an unknown member ${JSON.stringify(unknown)} at ${at}`);
  return value;
}

function listOf(value: YamlValue | undefined, at: string, fail: Fail): readonly YamlValue[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > maxRules) return fail(`expected a list of at most ${maxRules} at ${at}`);
  return value;
}

function textsOf(value: YamlValue | undefined, at: string, fail: Fail): string[] {
  return listOf(value, at, fail).map((each) =>
    typeof each === "string" && each !== "" ? each : fail(`expected texts at ${at}`),
  );
}

/** Rules of several files together. */
export function joinRules(all: readonly TrustRules[]): TrustRules {
  return {
    signers: all.flatMap(({ signers }) => signers),
    issuers: all.flatMap(({ issuers }) => issuers),
    registryKeys: all.some(({ registryKeys }) => registryKeys),
    private: all.flatMap((each) => each.private),
  };
}

/** The rules that speak of a package. */
export function signersOf(rules: TrustRules, purl: string | undefined): readonly SignerRule[] {
  return purl === undefined ? [] : rules.signers.filter(({ packages }) => coversPackage(packages, purl));
}
