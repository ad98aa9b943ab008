import { type Digest, isDigest, isFactoryError } from "@touchmark/core";
import { type BreakGlass, predicateType, readPredicate } from "@touchmark/formats/predicates";
import { isVerified, type VerifiedStatement } from "@touchmark/verify";
import type { UsedBreakGlass } from "../gate/types.ts";
import { breakGlassErrors } from "./errors.ts";

/** Whose permissions count, and for how long at most. */
export interface BreakGlassRules {
  /** Identities, each compared as a whole, with who vouched for them. */
  readonly signers: readonly string[];
  readonly issuer: string;
  readonly maxHours: number;
}

/** A permission that counts until it expires. */
export interface Permission extends UsedBreakGlass {
  readonly digest: Digest;
  readonly namespaces: readonly string[];
  /** Identity in the certificate of whoever signed it. */
  readonly signer: string;
  readonly bundle: Digest;
}

/** A permission that counts for nothing, and why. */
export interface RefusedPermission {
  readonly bundle: Digest;
  readonly code: string;
  readonly message: string;
}

const HOUR_MS = 3_600_000;

/** Sorts permissions into those that count and those that do not. What has expired is looked at at every question. */
export function permissionsIn(
  statements: readonly VerifiedStatement[],
  rules: BreakGlassRules,
): { readonly permissions: readonly Permission[]; readonly refused: readonly RefusedPermission[] } {
  const permissions: Permission[] = [];
  const refused: RefusedPermission[] = [];
  for (const each of statements) {
    try {
      permissions.push(permissionOf(each, rules));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      refused.push({ bundle: each.bundle, code: error.code, message: error.message });
    }
  }
  return { permissions, refused };
}

/** Reads one. @throws BREAK_GLASS_* | PREDICATE_* */
function permissionOf(verified: VerifiedStatement, rules: BreakGlassRules): Permission {
  const { statement, signer, times } = verified;
  const [subject, ...others] = isVerified(verified) ? statement.subject : [];
  const digest = `sha256:${subject?.digest.sha256 ?? ""}`;
  if (!isDigest(digest) || others.length > 0 || statement.predicateType !== predicateType("break-glass")) {
    throw breakGlassErrors.make("BREAK_GLASS_UNVERIFIED", "expected a verified permission about one artifact");
  }
  const who = signer.kind === "certificate" ? signer.identity : signer.key;
  if (signer.kind !== "certificate" || signer.issuer !== rules.issuer || !rules.signers.includes(who)) {
    throw breakGlassErrors.make("BREAK_GLASS_SIGNER", `expected ${listed(rules.signers)}, found ${who}`);
  }
  const content = readPredicate("break-glass", statement.predicate);
  const signed = times[0]?.at.getTime() ?? Number.NaN;
  checkLength(content, signed, rules.maxHours);
  const { id, by, reason, expires, namespaces } = content;
  return { id, by, reason, expires, namespaces, digest, signer: who, bundle: verified.bundle };
}

/** Refuses a permission before it is signed. @throws BREAK_GLASS_TOO_LONG | BREAK_GLASS_EXPIRED | BREAK_GLASS_SIGNER */
export function checkPermission(
  draft: Pick<BreakGlass, "expires">,
  signer: string,
  rules: BreakGlassRules,
  now: Date,
): void {
  if (!rules.signers.includes(signer)) {
    throw breakGlassErrors.make("BREAK_GLASS_SIGNER", `expected ${listed(rules.signers)}, found ${signer}`);
  }
  if (Date.parse(draft.expires) <= now.getTime()) {
    throw breakGlassErrors.make(
      "BREAK_GLASS_EXPIRED",
      `expected an expiry after ${now.toISOString()}, found ${draft.expires}`,
    );
  }
  checkLength(draft, now.getTime(), rules.maxHours);
}

/** From the time of the signature, which others vouch for, and not from what the statement says. */
function checkLength({ expires }: Pick<BreakGlass, "expires">, from: number, maxHours: number): void {
  const hours = (Date.parse(expires) - from) / HOUR_MS;
  if (hours <= maxHours) return;
  throw breakGlassErrors.make(
    "BREAK_GLASS_TOO_LONG",
    `expected at most ${maxHours} hours, found ${hours.toFixed(1)} until ${expires}`,
  );
}

const listed = (names: readonly string[]): string => (names.length === 0 ? "nobody" : names.join(" | "));

/** The permission that counts for a digest there and then: of several, the one that ends first. */
export function permissionFor(
  permissions: readonly Permission[],
  digest: Digest,
  namespace: string | undefined,
  now: Date,
): UsedBreakGlass | undefined {
  const [first] = permissions
    .filter((each) => each.digest === digest && countsIn(each, namespace) && Date.parse(each.expires) > now.getTime())
    .sort((a, b) => Date.parse(a.expires) - Date.parse(b.expires));
  if (first === undefined) return undefined;
  const { id, by, reason, expires } = first;
  return { id, by, reason, expires };
}

function countsIn({ namespaces }: Permission, namespace: string | undefined): boolean {
  return namespaces.includes(namespace ?? "") || (namespaces.length === 1 && namespaces[0] === "*");
}
