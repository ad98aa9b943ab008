import { decisionPoints, type Policy } from "@touchmark/formats/policy";
import { rulesAt } from "./collections.ts";

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
    const types = Object.assign({}, ...rules.map((rule) => rule.attestations ?? {})) as Record<string, string>;
    const parameters = new Map(rules.flatMap((rule) => rule.parameters ?? []).map((each) => [each.name, each]));
    // A parameter without a value denies; one that has another way out is left to the user to declare.
    const needed = [...parameters.values()].filter(({ otherwise }) => otherwise === undefined);
    const policy: Policy = {
      touchmark: "policy/v1",
      name: `${collection}-${point}`,
      version: 1,
      expires,
      point,
      trust: { builder: { identities: [{ identity: builder, issuer }] } },
      ...(Object.keys(types).length === 0
        ? {}
        : {
            attestations: Object.fromEntries(
              Object.entries(types).map(([name, predicateType]) => [
                name,
                { predicateType, by: ["builder"], required: false },
              ]),
            ),
          }),
      ...(needed.length === 0
        ? {}
        : {
            parameters: Object.fromEntries(
              needed.map(({ name, type, description }) => [
                name,
                { type, description, ...(name === "builders" ? { default: [builder] } : {}) },
              ]),
            ),
          }),
      collections: [collection],
    };
    return [policy];
  });
}
