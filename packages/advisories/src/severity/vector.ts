import { cvssErrors } from "./errors.ts";

/** Allowed values by metric; the first `mandatory` metrics must be given. */
export interface MetricTable {
  readonly version: string;
  readonly mandatory: readonly string[];
  readonly values: Readonly<Record<string, readonly string[]>>;
}

const longest = 512;

/** Metrics of a vector by name, each at most once, with values that they can have. @throws CVSS_MALFORMED */
export function readMetrics(table: MetricTable, text: string, vector: string): ReadonlyMap<string, string> {
  if (vector.length > longest) throw malformed(`at most ${longest} characters`, vector);
  const metrics = new Map<string, string>();
  for (const part of text.split("/")) {
    const [name = "", value = "", ...rest] = part.split(":");
    const allowed = Object.hasOwn(table.values, name) ? table.values[name] : undefined;
    if (allowed === undefined || rest.length > 0) throw malformed(`metrics of CVSS ${table.version}`, vector);
    if (!allowed.includes(value)) throw malformed(`one of ${allowed.join(", ")} for ${name}`, vector);
    if (metrics.has(name)) throw malformed(`the metric ${name} once`, vector);
    metrics.set(name, value);
  }
  for (const name of table.mandatory) if (!metrics.has(name)) throw malformed(`the metric ${name}`, vector);
  return metrics;
}

/** The refusal of a text that is no vector. */
export function malformed(expected: string, vector: string) {
  return cvssErrors.make(
    "CVSS_MALFORMED",
    `expected a CVSS vector with ${expected}, found ${JSON.stringify(vector.slice(0, 120))}`,
  );
}
