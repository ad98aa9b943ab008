import { celName } from "../policy/policy.ts";
import { inTotoErrors } from "./errors.ts";

// A literal of CEL: raw or not, with one or three quotes.
const literal = /(?:\b[rR])?(?:"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')/g;
const parameter = /\{([A-Za-z_][A-Za-z0-9_-]*)\}/g;

/**
 * An expression of ITE-10 as one of ours: a parameter in a text becomes a value, `'a{p}'` -> `('a' + params.p)`, never
 * text of the expression; `subject` is the statement's.
 * @throws INTOTO_NOT_REPRESENTABLE for a parameter outside of texts
 */
export function iteExpression(rule: string): string {
  let made = "";
  let at = 0;
  for (const match of rule.matchAll(literal)) {
    made += outside(rule.slice(at, match.index)) + inside(match[0]);
    at = match.index + match[0].length;
  }
  return made + outside(rule.slice(at));
}

function outside(code: string): string {
  const pasted = parameter.exec(code);
  parameter.lastIndex = 0;
  if (pasted !== null) {
    const text = `${pasted[0].slice(0, 80)} stands outside of a text, where its value would be code`;
    throw inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", text);
  }
  return code.replace(/(?<![\w.])subject(?!\w)/g, "statementSubject");
}

function inside(text: string): string {
  const open = /^[rR]?("""|'''|"|')/.exec(text)?.[0] ?? "";
  const quote = open.replace(/^[rR]/, "");
  const parts: string[] = [];
  const content = text.slice(open.length, text.length - quote.length);
  let at = 0;
  const keep = (part: string) => {
    if (part !== "") parts.push(`${open}${part}${quote}`);
  };
  for (const match of content.matchAll(parameter)) {
    keep(content.slice(at, match.index));
    parts.push(`params.${parameterName(match[1] ?? "")}`);
    at = match.index + match[0].length;
  }
  if (at === 0) return text;
  keep(content.slice(at));
  return parts.length === 1 ? (parts[0] ?? "") : `(${parts.join(" + ")})`;
}

function parameterName(name: string): string {
  if (celName.test(name)) return name;
  const text = `the parameter ${name.slice(0, 80)} has no name that an expression can say`;
  throw inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", text);
}
