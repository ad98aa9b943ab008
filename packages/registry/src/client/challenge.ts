import { clientErrors } from "./errors.ts";

/** What a registry wants to see (RFC 9110 §11.6.1; distribution's token specification). */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: URL; readonly service?: string; readonly scope?: string };

const MAX_HEADER = 4096;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;
const MAX_PARAMETERS = 16;

/**
 * Reads WWW-Authenticate strictly: a list of challenges, of which bearer is taken before basic.
 * @throws OCI_CLIENT_CHALLENGE_MALFORMED; SPEC C1
 */
export function parseChallenge(header: string | undefined): Challenge {
  if (header === undefined) throw malformed("none");
  if (header.length > MAX_HEADER) throw malformed(`${header.length} characters`);
  const found = readChallenges(header);
  const bearer = found.find((each) => each.scheme === "bearer");
  if (bearer !== undefined) {
    const { realm, service, scope } = Object.fromEntries(bearer.parameters);
    const url = realm === undefined || !/^[\x21-\x7e]+$/.test(realm) ? null : URL.parse(realm);
    if (url === null) throw malformed(`the realm ${JSON.stringify(realm ?? "")}`);
    return {
      scheme: "bearer",
      realm: url,
      ...(service === undefined ? {} : { service }),
      ...(scope === undefined ? {} : { scope }),
    };
  }
  if (found.some((each) => each.scheme === "basic")) return { scheme: "basic" };
  throw malformed(`the schemes ${found.map((each) => each.scheme).join(", ")}`);
}

interface Raw {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
}

function readChallenges(header: string): Raw[] {
  const found: Raw[] = [];
  let rest = header.trim();
  while (rest !== "") {
    const [word = ""] = token.exec(rest) ?? [];
    if (word === "") throw malformed(JSON.stringify(rest.slice(0, 60)));
    const after = rest.slice(word.length);
    const current = found.at(-1);
    // `name=value` belongs to the challenge before; a word and a space, or the end, begins one.
    if (after.startsWith("=") && current !== undefined) {
      const { value, rest: remaining } = readValue(after.slice(1));
      const name = word.toLowerCase();
      if (current.parameters.has(name)) throw malformed(`the parameter ${name} twice`);
      if (current.parameters.size === MAX_PARAMETERS) throw malformed("more parameters than anybody needs");
      current.parameters.set(name, value);
      rest = afterComma(remaining);
    } else if (/^(\s|,|$)/.test(after) && found.length < 8) {
      found.push({ scheme: word.toLowerCase(), parameters: new Map() });
      rest = after.trimStart();
      if (rest.startsWith(",")) rest = afterComma(rest);
    } else throw malformed(JSON.stringify(rest.slice(0, 60)));
  }
  return found;
}

function readValue(text: string): { value: string; rest: string } {
  if (!text.startsWith('"')) {
    const [value = ""] = token.exec(text) ?? [];
    if (value === "") throw malformed("a parameter without value");
    return { value, rest: text.slice(value.length) };
  }
  const [whole, inner = ""] = /^"((?:[^"\\]|\\[\t\x20-\x7e])*)"/.exec(text) ?? [];
  if (whole === undefined) throw malformed("a quotation without end");
  return { value: inner.replace(/\\(.)/g, "$1"), rest: text.slice(whole.length) };
}

function afterComma(text: string): string {
  const rest = text.trimStart();
  if (rest === "") return "";
  if (!rest.startsWith(",")) throw malformed(JSON.stringify(rest.slice(0, 60)));
  return rest.slice(1).trimStart();
}

const malformed = (found: string) =>
  clientErrors.make("OCI_CLIENT_CHALLENGE_MALFORMED", `expected a Basic or Bearer challenge, found ${found}`);
