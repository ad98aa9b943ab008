import type { Json } from "@touchmark/core";

/** Words that YAML readers take for something other than text, and what could be a number or a date. */
const plainText = /^(?!(?:true|false|yes|no|on|off|null|y|n)$)[A-Za-z_./][A-Za-z0-9_./-]*$/i;

/** Block-style YAML of JSON values; every text that could be read as something else stands in quotes. */
export function yamlText(value: Json, indent = ""): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    const items = value.map((item: Json) => `${indent}- ${yamlText(item, `${indent}  `).trimStart()}`);
    return `\n${items.join("\n")}`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value);
    if (members.length === 0) return "{}";
    return `\n${members.map(([name, inner]) => `${indent}${scalar(name)}:${spaced(yamlText(inner, `${indent}  `))}`).join("\n")}`;
  }
  return typeof value === "string" ? scalar(value) : JSON.stringify(value);
}

function spaced(text: string): string {
  return text.startsWith("\n") ? text : ` ${text}`;
}

function scalar(text: string): string {
  return plainText.test(text) ? text : JSON.stringify(text);
}
