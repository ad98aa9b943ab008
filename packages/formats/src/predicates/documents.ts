import { type PredicateName, predicates } from "./catalogue.ts";
import { predicateExamples } from "./examples.ts";
import { memberTable } from "./member-table.ts";
import { pipelineInternals, pipelineParameters } from "./provenance.ts";
import type { JsonSchema } from "./shape.ts";

/** Documents made from the shapes: JSON Schemas, examples and the reference page under docs/formats. */

const draft = "https://json-schema.org/draft/2020-12/schema";
const names = Object.keys(predicates) as PredicateName[];

/** JSON Schema (draft 2020-12) of a predicate. */
export function predicateSchema(name: PredicateName): JsonSchema {
  const { type, title, kind, maker, shape } = predicates[name];
  const members = kind === "own" ? "Closed: an unknown member is refused." : "Open: unknown members are ignored.";
  const signer = maker === "factory" ? "Signed by the factory alone." : "May be signed by `touchmark attest`.";
  return {
    $schema: draft,
    $id: kind === "own" ? `${type}/schema.json` : `https://touchmark.dev/schemas/${name}.schema.json`,
    title: `${title} (${type})`,
    description: `${members} ${signer}`,
    ...shape.schema,
  };
}

/** Every generated document, by its path in the repository. */
export function predicateDocuments(): readonly { readonly path: string; readonly text: string }[] {
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const parameters = (title: string, schema: JsonSchema) => json({ $schema: draft, title, ...schema });
  return [
    ...names.flatMap((name) => [
      { path: `docs/formats/${name}.schema.json`, text: json(predicateSchema(name)) },
      { path: `docs/formats/examples/${name}.json`, text: json(predicateExamples[name]) },
    ]),
    {
      path: "docs/formats/buildtype-pipeline-v1-external.schema.json",
      text: parameters("External parameters of the pipeline build type", pipelineParameters.schema),
    },
    {
      path: "docs/formats/buildtype-pipeline-v1-internal.schema.json",
      text: parameters("Internal parameters of the pipeline build type", pipelineInternals.schema),
    },
    { path: "docs/formats/predicates.md", text: referencePage() },
  ];
}

function referencePage(): string {
  const lines = [
    "# Predicates, member by member",
    "",
    "Made from the code by `npm run docs`. A member marked `?` may be absent.",
    "",
  ];
  for (const name of names) {
    const { type, title, kind, maker, shape } = predicates[name];
    const signer =
      maker === "factory" ? "the factory alone" : "the factory, or a person or tool through `touchmark attest`";
    lines.push(
      `## ${name}`,
      "",
      `${title}. Type \`${type}\`; ${kind === "own" ? "closed" : "open"}; signed by ${signer}.`,
      `[Schema](${name}.schema.json), [example](examples/${name}.json).`,
      "",
      ...memberTable(shape.schema),
      "",
    );
  }
  return lines.join("\n");
}
