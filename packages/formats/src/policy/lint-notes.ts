import type { YamlPath } from "../pipeline/yaml-reader.ts";
import { type PolicyLintFinding, type PolicyLintRule, policyLintRules } from "./lint-rules.ts";
import type { PolicyReading } from "./read-document.ts";

/** Enough for any person. */
const most = 200;

/** Collects findings with their places. */
export class LintNotes {
  readonly #reading: PolicyReading;
  readonly #found: PolicyLintFinding[] = [];

  constructor(reading: PolicyReading) {
    this.#reading = reading;
  }

  add(rule: PolicyLintRule, path: YamlPath, message: string, side: "value" | "key" = "value"): void {
    if (this.#found.length >= most) return;
    const { severity } = policyLintRules[rule];
    this.#found.push({
      rule,
      severity,
      path: path.map(String).join("."),
      message,
      ...this.#reading.locate(path, side),
    });
  }

  /** In the order of the document. */
  findings(): readonly PolicyLintFinding[] {
    return this.#found.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }
}
