import { described, list, type Of, object, text } from "../predicates/shape.ts";

const name = text({ pattern: /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/, max: 63 });
const names = list(name, { min: 1, max: 100 });

/** `policy/environments.yaml` of a home: environments in the order in which an artifact goes through them. */
export const environmentOrder = object({
  environments: described(
    "Environments in the order in which an artifact goes through them, each once.",
    // JSON Schema says what the reader of the file checks beside the shape.
    { ...names, schema: { ...names.schema, uniqueItems: true } },
  ),
});
export type EnvironmentOrder = Of<typeof environmentOrder>;
