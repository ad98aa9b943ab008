import type { Rule } from "./rule.ts";
import { gateRules } from "./table.ts";

const intro = `# The rules of the dependency gate

Made from the code by \`npm run docs\`.

Nothing enters a build that the gate does not admit. It is asked twice: before anybody is asked for a package, by its
name, and with the whole file in quarantine. Every rule is asked, and each answers \`passed\`, \`refused\`, \`excepted\`,
\`not-applicable\` or \`not-evaluated\`; one refusal refuses. The answers stand in the evidence of the run.

Rules live in the user's own \`materials.yaml\` in the home, whose schema is
[materials-configuration.schema.json](formats/materials-configuration.schema.json). A project can tighten them in
[touchmark.yaml](pipeline.md#materials), never loosen them (\`GATE_LOOSENED\`).

**Absence never passes.** Rules that are missing, an ecosystem without a trusted repository, an unknown ecosystem and a
fact that a rule needs and nobody supplied are refusals: \`GATE_RULES_EMPTY\`, \`GATE_ECOSYSTEM_UNKNOWN\`,
\`GATE_FACTS_MISSING\`.

**Package patterns** are package URLs in which \`*\` stands for any text: \`pkg:npm/@org/*\`, \`pkg:pypi/name@1.*\`. Without
a version a pattern covers every version.

**Exceptions** stand in \`materials.yaml\` alone, and end:

\`\`\`yaml
touchmark: materials/v1
upstreams: {}
gate:
  exceptions:
    - rule: minimum-age
      packages: "pkg:npm/name@1.2.3"
      reason: a security release, looked at
      approver: Ada
      expires: "2026-12-31"
\`\`\`
`;

const exceptable: Readonly<Record<Rule["exceptable"], string>> = {
  any: "An exception may cover any package.",
  versioned: "An exception must name a version.",
  never: "There are no exceptions.",
};

/** docs/materials-rules.md, made from the rules themselves. */
export function rulesPage(): string {
  const sections = gateRules.map(
    ({ id, what, setting, example, exceptable: kind }) =>
      `## ${id}\n\n${what}\n\n- Setting: ${setting}\n- Message: \`${example}\`\n- ${exceptable[kind]}\n`,
  );
  return [intro, ...sections].join("\n");
}
