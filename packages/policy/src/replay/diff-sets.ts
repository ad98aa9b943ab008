import type { PolicySet } from "@touchmark/formats/policy";
import { type Change, compareDemand, compareRecords } from "./change.ts";
import { changedText } from "./diff-policies.ts";
import { diffTrust } from "./diff-trust.ts";

/** What another version of a set means: its members by name, who may sign the next, how long it holds. */
export function diffSets(before: PolicySet, after: PolicySet): readonly Change[] {
  return [
    ...changedText("name", "name", before.name, after.name),
    ...(after.version > before.version
      ? []
      : [
          {
            effect: "other" as const,
            where: "version",
            what: `${before.version} before, ${after.version} now: no home takes it over the other`,
          },
        ]),
    ...changedText("expires", "expiry", before.expires, after.expires),
    ...changedText("engine", "least engine", before.engine, after.engine),
    ...compareRecords(membersByName(before), membersByName(after), {
      added: (name, digest) => ({ effect: "tighter", where: `members.${name}`, what: `added: ${digest}` }),
      removed: (name, digest) => ({ effect: "looser", where: `members.${name}`, what: `removed: ${digest}` }),
      both: (name, old, now): readonly Change[] => changedText(`members.${name}`, "document", old, now),
    }),
    ...diffTrust("trust", before.trust, after.trust),
    ...compareDemand("threshold", "threshold", before.threshold ?? 1, after.threshold ?? 1),
  ];
}

function membersByName(set: PolicySet): { readonly [name: string]: string } {
  return Object.fromEntries(set.members.map(({ kind, name, digest }) => [`${kind} ${name}`, digest]));
}
