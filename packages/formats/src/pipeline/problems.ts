import type { z } from "zod";
import { type PipelineFileCode, PipelineFileError, type PipelineProblem, pipelineFileErrors } from "./errors.ts";
import { nearestName } from "./nearest.ts";
import type { YamlPath, YamlReading, YamlValue } from "./yaml-reader.ts";

/** Collects what is wrong with one file, in the order of the file. */
export class Problems {
  readonly #fileName: string;
  readonly #reading: YamlReading;
  readonly #found: PipelineProblem[] = [];

  constructor(fileName: string, reading: YamlReading) {
    this.#fileName = fileName;
    this.#reading = reading;
  }

  /** Notes a problem at the value, or at the key, of a path. */
  add(code: PipelineFileCode, path: YamlPath, message: string, side: "value" | "key" = "value"): void {
    // Enough for any person; a hostile file could have thousands, each of which costs a search for its line.
    if (this.#found.length >= 50) return;
    const where = path.map(String).join(".");
    const text = where === "" ? message : `${where}: ${message}`;
    this.#found.push({ code, ...this.#reading.locate(path, side), path: where, message: text });
  }

  /** Throws everything noted so far, if anything was. @throws PipelineFileError */
  throwIfAny(): void {
    const [first, ...rest] = this.#found.sort((a, b) => a.line - b.line || a.column - b.column);
    if (first) throw new PipelineFileError(this.#fileName, [first, ...rest]);
  }

  /** Notes what zod found. */
  addIssues(issues: readonly z.core.$ZodIssue[]): void {
    for (const issue of issues) this.#addIssue(issue, issue.path);
  }

  #addIssue(issue: z.core.$ZodIssue, path: YamlPath): void {
    const value = this.#reading.at(path);
    if (issue.code === "unrecognized_keys") {
      const messages = issue.message.split("\n");
      for (const [i, key] of issue.keys.entries()) {
        this.add("PIPELINE_KEY_UNKNOWN", [...path, key], messages[i] ?? "unknown key", "key");
      }
    } else if (issue.code === "invalid_key") {
      const [code, message] = codeOf(issue.issues[0]?.message ?? issue.message);
      this.add(code, path, `${message}, found ${describe(String(path.at(-1)))}`, "key");
    } else if (issue.code === "invalid_union") {
      // A mapping can only have meant the branch for mappings; its own complaints are the useful ones.
      const branch = issue.errors.find((errors) => errors.every((e) => e.path.length > 0 || e.code !== "invalid_type"));
      if (branch && branch.length > 0) for (const inner of branch) this.#addIssue(inner, [...path, ...inner.path]);
      else this.add("PIPELINE_VALUE_INVALID", path, `${issue.message}, found ${describe(value)}`);
    } else if (issue.code === "invalid_type") {
      if (value === undefined)
        this.add(
          "PIPELINE_VALUE_INVALID",
          path,
          `expected ${kinds[issue.expected] ?? issue.expected}, but the key is missing`,
        );
      else {
        const own = issue.message.startsWith("expected ") ? issue.message : undefined;
        const quote =
          own === undefined && issue.expected === "string" && (typeof value === "number" || typeof value === "boolean");
        const advice = quote ? `; put it in quotes: "${String(value)}"` : "";
        this.add(
          "PIPELINE_VALUE_INVALID",
          path,
          `${own ?? `expected ${kinds[issue.expected] ?? issue.expected}`}, found ${describe(value)}${advice}`,
        );
      }
    } else if (issue.code === "invalid_value") {
      const valid = issue.values.map((v) => JSON.stringify(v)).join(", ");
      const near = typeof value === "string" ? nearestName(value, issue.values.map(String)) : undefined;
      const meant = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
      const isVersion = path.length === 1 && path[0] === "touchmark";
      this.add(
        isVersion ? "PIPELINE_VERSION_UNKNOWN" : "PIPELINE_VALUE_INVALID",
        path,
        `expected ${valid}, ${value === undefined ? "but the key is missing" : `found ${describe(value)}`}${meant}`,
      );
    } else {
      const [code, message] = codeOf(issue.message);
      this.add(code, path, `${message}, found ${describe(value)}`);
    }
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping",
  record: "a mapping",
  array: "a list",
};

function codeOf(message: string): [PipelineFileCode, string] {
  const bar = message.indexOf("|");
  const code = message.slice(0, Math.max(bar, 0));
  if (code in pipelineFileErrors.rows) return [code as PipelineFileCode, message.slice(bar + 1)];
  return ["PIPELINE_VALUE_INVALID", message];
}

/** A value as an error message names it. */
export function describe(value: YamlValue | undefined): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "string") {
    return value.length > 80
      ? `${JSON.stringify(value.slice(0, 80))} and ${value.length - 80} more characters`
      : JSON.stringify(value);
  }
  return `${typeof value === "number" ? "the number " : ""}${value}`;
}
