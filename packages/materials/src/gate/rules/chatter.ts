import { notApplicable, passed, type Rule, refused } from "../rule.ts";

/** Requests on which nothing rests. They tell others what is built here. */
export const chatter: Rule = {
  id: "chatter",
  what: "Requests on which nothing rests (audits, pings, update checks) are refused: they tell others what is built here.",
  setting: "`gate.chatter`: `refuse` (default) or `allow`.",
  example: "expected a request for a package or an index, found an audit, ping or update check",
  exceptable: "never",
  evaluate(rules, candidate) {
    if (candidate.facts.kind !== "chatter") return notApplicable("something rests on the answer");
    if (rules.chatter === "allow") return passed("allowed (gate.chatter)");
    return refused(
      "GATE_CHATTER",
      "expected a request for a package or an index, found an audit, ping or update check",
    );
  },
};
