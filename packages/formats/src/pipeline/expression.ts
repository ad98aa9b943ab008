/** `${{ parameters.NAME }}`: the one expression of the document, allowed in environment values alone. */
const expression = /\$\{\{([^}]*)\}\}/g;
const reference = /^\s*parameters\.([A-Za-z0-9_-]+)\s*$/;

/** True when text seems to hold an expression, even a malformed one. */
export function holdsExpression(text: string): boolean {
  return text.includes("${{");
}

/** Names of the parameters that a value refers to, and expressions that are none. */
export function expressionsIn(text: string): { names: string[]; malformed: string[] } {
  const names: string[] = [];
  const malformed: string[] = [];
  const rest = text.replaceAll(expression, (whole, inner: string) => {
    const name = reference.exec(inner)?.[1];
    if (name === undefined) malformed.push(whole);
    else names.push(name);
    return "";
  });
  if (rest.includes("${{")) malformed.push(rest.slice(rest.indexOf("${{"), rest.indexOf("${{") + 40));
  return { names, malformed };
}

/** Replaces each expression by a value, once: a value that looks like an expression stays as it is. */
export function substitute(text: string, value: (name: string) => string): string {
  return text.replaceAll(expression, (whole, inner: string) => {
    const name = reference.exec(inner)?.[1];
    return name === undefined ? whole : value(name);
  });
}
