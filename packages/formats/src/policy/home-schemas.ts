import type { JsonSchema, Shape } from "../predicates/shape.ts";
import { admissionSettings } from "./admission-settings.ts";
import { environmentOrder } from "./environment-order.ts";

/** Files in `policy/` of a home that are no signed documents: by the word that `touchmark schema` takes. */
export function homePolicySchemas(): { readonly admission: JsonSchema; readonly environments: JsonSchema } {
  return {
    admission: schemaOf("admission", "policy/admission.yaml: evidence, break-glass and tenants", admissionSettings),
    environments: schemaOf("environments", "policy/environments.yaml: environments in order", environmentOrder),
  };
}

const schemaOf = (name: string, title: string, shape: Shape<unknown>): JsonSchema => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: `https://touchmark.dev/schemas/${name}/v1.json`,
  title,
  ...shape.schema,
});
