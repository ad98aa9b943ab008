import { joinLicences, type LicenceExpression } from "@touchmark/formats/licences";

const mostTokens = 400;
const deepest = 20;
/** How many tokens a name can hold: "Common Development and Distribution License (CDDL)". */
const longestName = 7;
const longestText = 200;

interface Token {
  readonly kind: "words" | "and" | "or" | "comma" | "(" | ")";
  /** Where it lies in the text. */
  readonly start: number;
  readonly end: number;
}

/**
 * Reads compounds as people write them: `GPLv2+ and (MIT or BSD)`, `MIT/Apache-2.0`, `MIT, BSD-3-Clause`. Names may hold
 * operators themselves, so at each place the longest run that is a name is taken. A comma means that all hold, unless
 * the only word between the others is "or".
 */
export class LooseReader {
  readonly #text: string;
  readonly #single: (name: string) => LicenceExpression | undefined;
  readonly #reference: (name: string) => string;
  readonly #tokens: readonly Token[];
  readonly #comma: "and" | "or";
  #at = 0;
  #known = 0;
  #broken = false;

  constructor(
    text: string,
    single: (name: string) => LicenceExpression | undefined,
    reference: (name: string) => string,
  ) {
    this.#text = text.replace(/[+|] ?file:? licen[cs]e.*$/i, "");
    this.#single = single;
    this.#reference = reference;
    this.#tokens = tokensOf(this.#text);
    const has = (kind: Token["kind"]) => this.#tokens.some((token) => token.kind === kind);
    this.#comma = has("or") && !has("and") ? "or" : "and";
  }

  /** Undefined when it is broken, when nothing in it is known, or when it is one name that is not known. */
  read(): LicenceExpression | undefined {
    if (this.#tokens.length > mostTokens) return undefined;
    const expression = this.#either(0);
    if (this.#broken || this.#at < this.#tokens.length || this.#known === 0) return undefined;
    return expression;
  }

  #either(depth: number): LicenceExpression | undefined {
    return this.#joined("or", () => this.#joined("and", () => this.#one(depth)));
  }

  #joined(kind: "and" | "or", part: () => LicenceExpression | undefined): LicenceExpression | undefined {
    const parts: LicenceExpression[] = [];
    do {
      const read = part();
      if (read === undefined || this.#broken) return undefined;
      parts.push(read);
    } while (this.#takes(kind));
    return joinLicences(kind, parts);
  }

  #one(depth: number): LicenceExpression | undefined {
    const named = this.#longest();
    if (named !== undefined) return named;
    const token = this.#tokens[this.#at];
    if (token?.kind === "(" && depth < deepest) {
      this.#at++;
      const inner = this.#either(depth + 1);
      if (this.#tokens[this.#at++]?.kind !== ")") this.#broken = true;
      return inner;
    }
    if (token?.kind !== "words") {
      this.#broken = true;
      return undefined;
    }
    this.#at++;
    const id = this.#reference(this.#text.slice(token.start, token.end));
    return { kind: "licence", id, orLater: false };
  }

  /** The longest run of tokens from here that is a name, taken. */
  #longest(): LicenceExpression | undefined {
    const first = this.#tokens[this.#at];
    if (first === undefined || first.kind === ")") return undefined;
    for (let length = longestName; length > 0; length--) {
      const last = this.#tokens[this.#at + length - 1];
      if (last === undefined || last.end - first.start > longestText || /^(?:and|or|comma|\()$/.test(last.kind))
        continue;
      const run = this.#text.slice(first.start, last.end);
      if (!isBalanced(run)) continue;
      const found = this.#single(run);
      if (found === undefined) continue;
      this.#at += length;
      this.#known++;
      return found;
    }
    return undefined;
  }

  /** Takes an operator of this kind; "A, and B" has two that are one. */
  #takes(kind: "and" | "or"): boolean {
    let end = this.#at;
    let said: "and" | "or" | undefined;
    for (;;) {
      const token = this.#tokens[end]?.kind;
      if (token === "comma") said ??= this.#comma;
      else if (token === "and" || token === "or") said = token;
      else break;
      end++;
    }
    if (said !== kind) return false;
    this.#at = end;
    return true;
  }
}

function isBalanced(text: string): boolean {
  let open = 0;
  for (const sign of text) {
    if (sign === "(") open++;
    else if (sign === ")" && --open < 0) return false;
  }
  return open === 0;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let words: Token | undefined;
  for (const match of text.matchAll(/[()]|[,;]|\|\|?|&&?|\/|(?<!\S)(?:and\/or|and|or)(?!\S)|[^\s(),;&|/]+/gi)) {
    const kind = kindOf(match[0].toLowerCase());
    const token = { kind, start: match.index, end: match.index + match[0].length };
    if (kind === "words" && words !== undefined) {
      words = { ...words, end: token.end };
      tokens[tokens.length - 1] = words;
      continue;
    }
    words = kind === "words" ? token : undefined;
    tokens.push(token);
  }
  return tokens;
}

function kindOf(text: string): Token["kind"] {
  if (text === "(" || text === ")") return text;
  if (text === "," || text === ";") return "comma";
  if (text === "and" || text.startsWith("&")) return "and";
  return text === "or" || text === "and/or" || text === "/" || text.startsWith("|") ? "or" : "words";
}
