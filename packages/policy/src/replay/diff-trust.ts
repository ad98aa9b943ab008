import type { Functionary } from "@touchmark/formats/policy";
import { type Change, compareLists, compareRecords } from "./change.ts";

type Functionaries = { readonly [name: string]: Functionary };

/** Who vouches: a party more is wider trust, a party fewer is narrower. */
export function diffTrust(
  where: string,
  before: Functionaries | undefined,
  after: Functionaries | undefined,
): readonly Change[] {
  return compareRecords(before, after, {
    added: (name, party) => ({
      effect: "looser",
      where: `${where}.${name}`,
      what: `trust widened: ${name} is trusted now: ${partiesOf(party).join(", ")}`,
    }),
    removed: (name, party) => ({
      effect: "tighter",
      where: `${where}.${name}`,
      what: `trust narrowed: ${name} is trusted no more: ${partiesOf(party).join(", ")}`,
    }),
    both: (name, old, now) => {
      const { added, removed } = compareLists(partiesOf(old), partiesOf(now));
      const place = `${where}.${name}`;
      return [
        ...added.map((each): Change => ({ effect: "looser", where: place, what: `trust widened by ${each}` })),
        ...removed.map((each): Change => ({ effect: "tighter", where: place, what: `trust narrowed by ${each}` })),
        ...(old.role === now.role
          ? []
          : [
              {
                effect: "other" as const,
                where: place,
                what: `role: ${old.role ?? "none"} before, ${now.role ?? "none"} now`,
              },
            ]),
      ];
    },
  });
}

function partiesOf({ identities, keys }: Functionary): readonly string[] {
  const named = (identities ?? []).map(({ identity, issuer, pattern }) => {
    const by = issuer === undefined ? "" : ` of ${issuer}`;
    return `${pattern === true ? "whatever is like " : ""}${identity}${by}`;
  });
  return [...named, ...(keys ?? []).map((key) => `key ${key}`)];
}
