import { memberTable, table } from "../predicates/member-table.ts";
import { policyDocumentExamples } from "./examples.ts";
import { homePolicySchemas } from "./home-schemas.ts";
import { documentKinds, policyDocumentKinds, policySchemas } from "./kinds.ts";
import { policyLintRules } from "./lint-rules.ts";
import { policyDocumentText } from "./write-document.ts";

export { policyDocumentExamples };

/** Every generated document about policies, by its path in the repository: schemas, examples, the reference page. */
export function policyDocumentPages(): readonly { readonly path: string; readonly text: string }[] {
  const schemas = policySchemas();
  return [
    ...policyDocumentKinds.flatMap((kind) => [
      { path: `docs/formats/${kind}-document.schema.json`, text: `${JSON.stringify(schemas[kind], null, 2)}\n` },
      { path: `docs/formats/examples/${kind}-document.yaml`, text: policyDocumentText(policyDocumentExamples[kind]) },
    ]),
    ...Object.entries(homePolicySchemas()).map(([name, schema]) => ({
      path: `docs/formats/${name}-configuration.schema.json`,
      text: `${JSON.stringify(schema, null, 2)}\n`,
    })),
    { path: "docs/formats/policies.md", text: referencePage() },
  ];
}

function referencePage(): string {
  const lines = [
    "# Policies, layouts, exceptions, sets and tests",
    "",
    "Made from the code by `npm run docs`. A member marked `?` may be absent; one that is not listed is refused.",
    "Every document is YAML 1.2 or JSON, at most 512 KiB, without aliases. Times stand in quotes. Its digest is SHA-256 of its bytes.",
    "",
    "Rules are CEL. They read `subject`, `request`, `attestations.NAME`, `chain`, `layout`, `params.NAME`, `vars.NAME` and",
    "`now`; `match.expression` reads `subject`, `request`, `params` and `now`. In a layout, rules of an attestation also read",
    "`step`, `predicateType`, `predicate`, `statementSubject` and `signer`, those of an inspection `inspection`, those of a",
    "subject `product`.",
    "",
  ];
  const schemas = policySchemas();
  for (const kind of policyDocumentKinds) {
    lines.push(
      `## ${kind}`,
      "",
      `${documentKinds[kind].title}. \`touchmark: ${kind}/v1\`.`,
      `[Schema](${kind}-document.schema.json), [example](examples/${kind}-document.yaml).`,
      "",
      ...memberTable(schemas[kind]),
      "",
    );
  }
  const rules = Object.entries(policyLintRules).map(([id, { severity, why, fix }]) => [
    `\`${id}\``,
    severity,
    why,
    fix,
  ]);
  lines.push(
    "## What `touchmark policy lint` finds",
    "",
    "Beside what no reader takes: names that stand twice or lead nowhere, circles, thresholds out of reach.",
    "",
    ...table(["rule", "severity", "why", "what to do"], rules),
    "",
  );
  return lines.join("\n");
}
