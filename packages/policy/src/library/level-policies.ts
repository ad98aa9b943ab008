import { decisionPoints, type Policy } from "@touchmark/formats/policy";
import { rulesAt } from "./collections.ts";
import { declaredParameters, readAttestations } from "./declared.ts";

/** Who is trusted, and how long the policies hold. */
export interface LevelTrust {
  readonly builder: string;
  readonly issuer: string;
  readonly expires: string;
}

/** A policy for each point that demands the rules of a collection, with what those rules read. */
export function policiesOfCollection(collection: string, { builder, issuer, expires }: LevelTrust): readonly Policy[] {
  return decisionPoints.flatMap((point) => {
    const rules = rulesAt(collection, point) ?? [];
    if (rules.length === 0) return [];
    const wanted = Object.entries(readAttestations(rules));
    const parameters = Object.entries(declaredParameters(rules)).map(([name, parameter]) => [
      name,
      name === "builders" ? { ...parameter, default: [builder] } : parameter,
    ]);
    const policy: Policy = {
      touchmark: "policy/v1",
      name: `${collection}-${point}`,
      version: 1,
      expires,
      point,
      ...(wanted.length === 0
        ? {}
        : {
            trust: { builder: { identities: [{ identity: builder, issuer }] } },
            attestations: Object.fromEntries(
              wanted.map(([name, predicateType]) => [name, { predicateType, by: ["builder"], required: false }]),
            ),
          }),
      ...(parameters.length === 0 ? {} : { parameters: Object.fromEntries(parameters) }),
      collections: [collection],
    };
    return [policy];
  });
}
