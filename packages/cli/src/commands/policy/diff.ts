import type { PolicyDocumentKind, PolicyReading } from "@touchmark/formats/policy";
import type { Change } from "@touchmark/policy";
import { type Command, given } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { oneLine } from "../../terminal.ts";
import { readDocument } from "./documents.ts";

/** `touchmark policy diff`: what another version of a document means. */
export const command: Command = {
  name: "policy diff",
  summary: "what another version means: rules, trust widened or narrowed",
  description:
    "Compares two policies, layouts or sets by what they mean, not by their text: rules of collections count like the policy's own. `tighter` may refuse what passed, `looser` may let pass what was refused, `other` has to be looked at. Exit 1 when there is a change, as diff does.",
  arguments: [
    { name: "before", description: "a policy, layout or set", required: true },
    { name: "after", description: "another version of it", required: true },
  ],
  options: [{ flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark policy diff policies/deploy.yaml proposed/deploy.yaml", "each change, and what it does"]],
  async run(invocation, terminal) {
    const [before = "", after = ""] = invocation.arguments;
    const changes = await compare(
      readDocument<PolicyDocumentKind>(terminal, before),
      readDocument<PolicyDocumentKind>(terminal, after),
    );
    if (given(invocation, "json")) terminal.print(JSON.stringify({ before, after, changes }, undefined, 2));
    else {
      const { good, warn, bold } = terminal.style;
      const marks = { tighter: good("tighter"), looser: warn("looser "), other: bold("other  ") };
      for (const { effect, where, what } of changes) terminal.print(`${marks[effect]} ${oneLine(`${where}: ${what}`)}`);
      if (changes.length === 0) terminal.note("no difference in what they mean");
    }
    return changes.length === 0 ? 0 : 1;
  },
};

async function compare(before: PolicyReading, after: PolicyReading): Promise<readonly Change[]> {
  const { diffLayouts, diffPolicies, diffSets } = await import("@touchmark/policy");
  if (before.kind === "policy" && after.kind === "policy") return diffPolicies(before.document, after.document);
  if (before.kind === "layout" && after.kind === "layout") return diffLayouts(before.document, after.document);
  if (before.kind === "policy-set" && after.kind === "policy-set") return diffSets(before.document, after.document);
  throw cliErrors.make(
    "CLI_USAGE",
    `expected two policies, two layouts or two sets, found a ${before.kind} and a ${after.kind}`,
  );
}
