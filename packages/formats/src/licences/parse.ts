import { licenceErrors } from "./errors.ts";
import { joinLicences, type LicenceExpression, type LicenceTerm } from "./expression.ts";
import { findLicence, findLicenceException } from "./list.ts";

const longestText = 65_536;
const mostTerms = 2_000;
const deepest = 64;

const reference = /^(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$/;
const addition = /^(?:DocumentRef-[A-Za-z0-9.-]+:)?AdditionRef-[A-Za-z0-9.-]+$/;

/**
 * Reads an SPDX licence expression (SPDX 2.3 annex D; 3.0 annex B). Identifiers are matched in any case and made
 * canonical; operators are all upper or all lower case. Deprecated identifiers are kept: see `currentLicence`.
 *
 * @throws LICENCE_EXPRESSION_MALFORMED, LICENCE_EXPRESSION_TOO_LARGE, LICENCE_UNKNOWN
 */
export function parseLicenceExpression(text: string): LicenceExpression {
  if (text.length > longestText) throw tooLarge(`at most ${longestText} characters`, String(text.length));
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  if (tokens.length > 4 * mostTerms) throw tooLarge(`at most ${mostTerms} licences`, `${tokens.length} words`);
  return new ExpressionReader(tokens, text).read();
}

/** Recursive descent over the words of an expression. WITH binds tighter than AND, AND tighter than OR. */
class ExpressionReader {
  readonly #tokens: readonly string[];
  readonly #text: string;
  #at = 0;
  #terms = 0;

  constructor(tokens: readonly string[], text: string) {
    this.#tokens = tokens;
    this.#text = text;
  }

  read(): LicenceExpression {
    const expression = this.#either(0);
    if (this.#at < this.#tokens.length) throw this.#malformed("AND, OR, WITH or the end");
    return expression;
  }

  #either(depth: number): LicenceExpression {
    return this.#joined("or", () => this.#joined("and", () => this.#one(depth)));
  }

  #joined(kind: "and" | "or", part: () => LicenceExpression): LicenceExpression {
    const first = part();
    if (!this.#takes(kind)) return first;
    const parts = [first];
    do parts.push(part());
    while (this.#takes(kind));
    return joinLicences(kind, parts) ?? first;
  }

  #one(depth: number): LicenceExpression {
    if (depth > deepest) throw tooLarge(`nesting of at most ${deepest}`, "more");
    if (!this.#takes("(")) return this.#term();
    const inner = this.#either(depth + 1);
    if (!this.#takes(")")) throw this.#malformed("a closing parenthesis");
    return inner;
  }

  #term(): LicenceTerm {
    const token = this.#tokens[this.#at];
    if (token === undefined || /^(?:[()]|and|or|with)$/i.test(token)) throw this.#malformed("a licence");
    if (++this.#terms > mostTerms) throw tooLarge(`at most ${mostTerms} licences`, "more");
    const term = this.#licence(token);
    this.#at++;
    if (!this.#takes("with")) return term;
    const exception = this.#exception();
    this.#at++;
    return { ...term, exception };
  }

  #licence(token: string): LicenceTerm {
    // `GPL-2.0+` is itself on the list (deprecated), so the whole word comes first.
    const listed = findLicence(token);
    if (listed !== undefined) return { kind: "licence", id: listed.id, orLater: false };
    const orLater = token.endsWith("+");
    const name = orLater ? token.slice(0, -1) : token;
    if (reference.test(name) && !orLater) return { kind: "licence", id: name, orLater };
    const base = findLicence(name);
    if (base !== undefined) return { kind: "licence", id: base.id, orLater };
    throw this.#unknown(name, "a licence of the SPDX list");
  }

  #exception(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined || token === "(" || token === ")") throw this.#malformed("an exception");
    if (addition.test(token)) return token;
    const listed = findLicenceException(token);
    if (listed === undefined) throw this.#unknown(token, "an exception of the SPDX list");
    return listed.id;
  }

  #takes(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token !== word && token !== word.toUpperCase()) return false;
    this.#at++;
    return true;
  }

  #unknown(token: string, expected: string): Error {
    if (!/^(?!(?:License|Document|Addition)Ref)[A-Za-z0-9.+-]+$/.test(token)) return this.#malformed(expected);
    return licenceErrors.make("LICENCE_UNKNOWN", `expected ${expected}, found ${quoted(token)}`);
  }

  #malformed(expected: string): Error {
    const token = this.#tokens[this.#at];
    const found = token === undefined ? "the end" : quoted(token);
    return licenceErrors.make(
      "LICENCE_EXPRESSION_MALFORMED",
      `expected ${expected} as word ${this.#at + 1}, found ${found} in ${quoted(this.#text)}`,
    );
  }
}

function tooLarge(expected: string, found: string): Error {
  return licenceErrors.make("LICENCE_EXPRESSION_TOO_LARGE", `expected ${expected}, found ${found}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
