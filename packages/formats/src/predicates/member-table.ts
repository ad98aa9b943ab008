import type { JsonSchema } from "./shape.ts";

/** Members of a document as a Markdown table, nested ones by their path. */
export function memberTable(schema: JsonSchema): string[] {
  return table(["member", "value", "meaning"], memberRows(schema, ""));
}

/** A Markdown table with columns of even width, as the formatter wants it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

function memberRows(schema: JsonSchema, prefix: string): string[][] {
  const properties = (schema["properties"] ?? {}) as Record<string, JsonSchema>;
  const required = new Set((schema["required"] as string[] | undefined) ?? []);
  return Object.entries(properties).flatMap(([name, member]) => {
    const path = `${prefix}${name}${required.has(name) ? "" : "?"}`;
    const description = typeof member["description"] === "string" ? member["description"] : "";
    const items = member["type"] === "array" ? (member["items"] as JsonSchema) : undefined;
    const named =
      typeof member["additionalProperties"] === "object" ? (member["additionalProperties"] as JsonSchema) : undefined;
    const nested = member["properties"] === undefined ? (items ?? named) : member;
    const place = items === undefined ? (named === undefined ? "" : ".NAME") : "[]";
    const inner = nested?.["properties"] === undefined ? [] : memberRows(nested, `${prefix}${name}${place}.`);
    return [[`\`${path}\``, valueOf(member), description.replaceAll("|", "\\|")], ...inner];
  });
}

function valueOf(schema: JsonSchema): string {
  if (typeof schema["const"] === "string") return `\`${schema["const"]}\``;
  if (Array.isArray(schema["enum"])) return schema["enum"].map((value) => `\`${String(value)}\``).join(", ");
  if (Array.isArray(schema["anyOf"])) return schema["anyOf"].map((each) => valueOf(each as JsonSchema)).join(" or ");
  if (schema["type"] === "array") return `list of ${valueOf(schema["items"] as JsonSchema)}`;
  if (schema["type"] === "object" && typeof schema["additionalProperties"] === "object") {
    return `object of ${valueOf(schema["additionalProperties"] as JsonSchema)}`;
  }
  const names: Readonly<Record<string, string>> = { string: "text", integer: "whole number", boolean: "true or false" };
  const type = typeof schema["type"] === "string" ? schema["type"] : "anything";
  if (typeof schema["pattern"] === "string" && schema["pattern"].includes("sha256")) return "digest";
  return names[type] ?? type;
}
