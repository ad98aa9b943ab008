import { Document, isScalar, Scalar, visit } from "yaml";
import type { PolicyDocuments } from "./kinds.ts";

/** Any document that people write. */
export type AnyPolicyDocument = PolicyDocuments[keyof PolicyDocuments];

// Text that some reader of YAML takes for something else, or that is easier to see in quotes.
const plain =
  /^[A-Za-z_/][^\u0000-\u001f\u007f-\u009f"'#:,[\]{}&*!|>%@`\\\s]*(?: [^\u0000-\u001f\u007f-\u009f"'#:,[\]{}&*!|>%@`\\\s]+)*$/;
const truthWords = /^(?:y|n|yes|no|on|off|true|false|null|~)$/i;
const lines = /^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]*$/;

/** A document as YAML that the reader takes back as it was; `json` for machines. Absent members are left out. */
export function policyDocumentText(document: AnyPolicyDocument, form: "yaml" | "json" = "yaml"): string {
  const json = JSON.stringify(document, undefined, 2);
  if (form === "json") return `${json}\n`;
  const made = new Document(JSON.parse(json), { version: "1.2", aliasDuplicateObjects: false });
  visit(made, {
    Scalar(key, node) {
      if (typeof node.value === "string") node.type = styleOf(node.value, key === "key");
      else if (isScalar(node)) delete node.type;
    },
  });
  return made.toString({ lineWidth: 0, indentSeq: true });
}

function styleOf(text: string, isKey: boolean): Scalar.Type {
  if (plain.test(text) && !truthWords.test(text)) return Scalar.PLAIN;
  // Several lines stay lines, as people wrote them, where they begin and end like lines.
  const isBlock = !isKey && text.includes("\n") && lines.test(text) && /^\S/.test(text) && /\S\n?$/.test(text);
  return isBlock ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE;
}
