import type { Functionary } from "@touchmark/formats/policy";
import type { EvidenceSigner } from "../engine/evidence.ts";

/** True when a functionary is the signer: an exact identity by its issuer, a declared pattern, or a key. */
export function isFunctionary(functionary: Functionary, signer: EvidenceSigner, defaultIssuer: string): boolean {
  if (signer.kind === "key") return (functionary.keys ?? []).includes(signer.key);
  return (functionary.identities ?? []).some(
    ({ identity, issuer, pattern }) =>
      (issuer ?? defaultIssuer) === signer.issuer &&
      (pattern === true ? matchesIdentity(identity, signer.identity) : identity === signer.identity),
  );
}

/** `*` stands for characters other than `/`; everything else for itself. Linear in both lengths for each `*`. */
function matchesIdentity(pattern: string, identity: string): boolean {
  const patternParts = pattern.split("/");
  const parts = identity.split("/");
  return (
    patternParts.length === parts.length && patternParts.every((part, index) => matchesPart(part, parts[index] ?? ""))
  );
}

function matchesPart(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return first === text;
  const last = rest.pop() ?? "";
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const middle of rest) {
    const found = text.indexOf(middle, at);
    if (found < 0 || found + middle.length > end) return false;
    at = found + middle.length;
  }
  return true;
}

/** Who signed, as people read it. */
export function shownSigner(signer: EvidenceSigner): string {
  return signer.kind === "certificate" ? signer.identity : signer.key;
}

/**
 * Counts different functionaries by different signatures: a party that stands under two names counts once, and so do
 * two signatures of one functionary. `claims` has for each signer the functionaries that it is.
 */
export function distinctFunctionaries(claims: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const signerOf = new Map<string, number>();
  const assign = (signer: number, seen: Set<string>): boolean => {
    for (const name of claims[signer] ?? []) {
      if (seen.has(name)) continue;
      seen.add(name);
      const other = signerOf.get(name);
      if (other !== undefined && !assign(other, seen)) continue;
      signerOf.set(name, signer);
      return true;
    }
    return false;
  };
  for (const signer of claims.keys()) assign(signer, new Set());
  return signerOf;
}
