import { Document, isScalar, Scalar, visit } from "yaml";
import type { PolicyDocuments } from "./kinds.ts";

/** Any document that people write. */
export type AnyPolicyDocument = PolicyDocuments[keyof PolicyDocuments];

// Text that every reader of YAML takes for text as it stands: it begins with a letter, and nothing in it is syntax.
const plain = /^[A-Za-z_/](?:[^\s\u0000-\u001f\u007f-\u009f:]|:(?!\s|$)| (?=[^\s#]))*$/;
// Within single quotes a backslash is one, and double quotes need none.
const single = /^[\u0020-\u0026\u0028-\u007e]*$/;
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
  if (isBlock) return Scalar.BLOCK_LITERAL;
  return /["\\]/.test(text) && single.test(text) ? Scalar.QUOTE_SINGLE : Scalar.QUOTE_DOUBLE;
}
