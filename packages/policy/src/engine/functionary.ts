import type { Functionary } from "@touchmark/formats/policy";
import { distinctFunctionaries, isFunctionary } from "../layout/functionary.ts";
import { type EvidenceSigner, signerName } from "./evidence.ts";

/** Parties by name, as a policy's `trust` has them. */
export type Trust = { readonly [name: string]: Functionary };

/** The parties among `by` whose signature this is. `issuer` vouches where a party names no issuer of its own. */
export function partiesOf(
  signer: EvidenceSigner,
  by: readonly string[],
  trust: Trust | undefined,
  issuer: string,
): readonly string[] {
  return [...new Set(by)].filter((name) => {
    const party = trust !== undefined && Object.hasOwn(trust, name) ? trust[name] : undefined;
    return party !== undefined && isFunctionary(party, signer, issuer);
  });
}

/** Signatures that may count, told apart by who made them. */
export interface Claim {
  readonly signer: EvidenceSigner;
  /** Parties that the signer is. */
  readonly parties: readonly string[];
}

/** How many different parties signed, and which of them each signer stands for. */
export interface Parties {
  readonly count: number;
  readonly names: readonly string[];
  partyOf(signer: EvidenceSigner): string | undefined;
}

/**
 * Gives as many parties as possible a signer of their own: a person whom two parties name stands for one of them, and
 * a party with two keys is one.
 */
export function countParties(claims: readonly Claim[]): Parties {
  const partiesOfSigner = new Map(claims.map((claim) => [signerName(claim.signer), claim.parties]));
  const names = [...partiesOfSigner.keys()].sort();
  const distinct = distinctFunctionaries(names.map((name) => partiesOfSigner.get(name) ?? []));
  const stands = new Map([...distinct].map(([party, signer]) => [names[signer], party]));
  return {
    count: distinct.size,
    names: [...distinct.keys()].sort(),
    partyOf: (signer) => stands.get(signerName(signer)) ?? partiesOfSigner.get(signerName(signer))?.[0],
  };
}
