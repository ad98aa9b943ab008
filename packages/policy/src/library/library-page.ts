import { decisionPoints } from "@touchmark/formats/policy";
import type { Collection } from "./collection.ts";
import { collections, libraryRules, rulesOf } from "./collections.ts";
import type { LibraryRule } from "./library-rule.ts";
import { practicesOf } from "./practices.ts";

const intro = `# The policy library

Made from the code by \`npm run docs\`.

Rules for the five points at which a decision is taken: \`request\`, \`dependency\`, \`step\`, \`publish\`, \`deploy\`. Each is
CEL over verified facts, with what it demands, why it failed, what to do, how bad it is, and which practice of the field
it serves. Each is tested with facts that it lets pass and facts that it refuses, by the runner that
\`touchmark policy test\` uses.

A policy takes them in three ways:

- **by collection**: \`collections: [slsa-build-l3, hermetic]\` brings the rules of these for the policy's point, with all
  that they depend on. They follow the library's version, so a policy set states the least engine that it needs.
- **by example**: \`touchmark policy init --from-run RUN\` writes those that a good run passes, beside a layout.
- **by level**: \`touchmark policy init --level moderate|high\` writes a policy for each point.

In a fresh home, where nothing is installed, the collection \`touchmark-default\` is in force at every point.

A rule that reads a **parameter** or an **attestation** needs a policy that declares it under that name; without it the
rule denies, for absence never passes. Where a default is named, the parameter may be left out. What nobody records yet
has no rule: such a practice is listed as *not yet*, with the fact that is missing, since a rule without its facts could
only deny.

\`\`\`yaml
touchmark: policy/v1
name: shop-publish
version: 1
expires: "2027-01-01T00:00:00Z"
point: publish
trust:
  builder:
    identities: [{ identity: "spiffe://factory.example/builder" }]
attestations:
  provenance: { predicateType: "https://slsa.dev/provenance/v1", by: [builder] }
parameters:
  builders: { type: list, default: ["spiffe://factory.example/builder"] }
collections: [slsa-build-l3, hermetic, freshness]
\`\`\`
`;

/** The page of the library: collections, and every rule of each point. */
export function libraryPage(): string {
  return [
    intro,
    "## Collections\n",
    "| Collection | Rules | What it stands for |",
    "|---|---|---|",
    ...collections.map(({ name, title, description }) => {
      const count = rulesOf(name)?.length ?? 0;
      return `| [\`${name}\`](#${name}) | ${count} | ${title}. ${description} |`.replaceAll("..", ".");
    }),
    "",
    ...collections.flatMap(collectionLines),
    ...decisionPoints.flatMap((point) => {
      // A rule of several points stands under the first.
      const rules = libraryRules.filter(({ points }) => points[0] === point);
      return rules.length === 0 ? [] : [`## Rules of \`${point}\`\n`, ...rules.map(ruleText)];
    }),
  ].join("\n");
}

function collectionLines({ name, description, notYet }: Collection): readonly string[] {
  const rules = rulesOf(name) ?? [];
  const level = name === "moderate" || name === "high" ? practicesOf(name).length : undefined;
  const judged = level === undefined ? "" : ` ${level - notYet.length} of ${level} have rules.`;
  return [
    `### ${name}\n`,
    `${description}${judged}\n`,
    rules.map(({ id }) => `[\`${id}\`](#${anchor(id)})`).join(", "),
    "",
    ...(notYet.length === 0
      ? []
      : ["Not yet:\n", ...notYet.map(({ practice, needs }) => `- \`${practice}\` needs ${needs}.`), ""]),
  ];
}

function ruleText(rule: LibraryRule): string {
  const { id, title, expression, message, solution, severity, documentation, practices, points, dependsOn } = rule;
  const facts = [
    `severity ${severity}`,
    `points ${points.map((point) => `\`${point}\``).join(", ")}`,
    ...(dependsOn === undefined
      ? []
      : [`after ${dependsOn.map((other) => `[\`${other}\`](#${anchor(other)})`).join(", ")}`]),
  ];
  return [
    `### ${id}\n`,
    `**${title}.** ${documentation}\n`,
    `\`\`\`cel\n${expression}\n\`\`\`\n`,
    `${facts.join("; ")}. Serves ${practices.map((practice) => `\`${practice}\``).join(", ")}.\n`,
    `- When it fails: ${message}.`,
    `- What to do: ${solution}`,
    ...(rule.parameters ?? []).map(({ name, type, description, otherwise }) => {
      const without = otherwise === undefined ? "Without it the rule denies." : `Without it: \`${otherwise}\`.`;
      return `- Parameter \`${name}\` (${type}): ${description} ${without}`;
    }),
    ...Object.entries(rule.attestations ?? {}).map(
      ([name, predicateType]) => `- Attestation \`${name}\`: \`${predicateType}\`.`,
    ),
    "",
  ].join("\n");
}

/** The anchor that a heading of this text gets. */
function anchor(text: string): string {
  return text.replaceAll(/[^a-z0-9-]/g, "");
}
