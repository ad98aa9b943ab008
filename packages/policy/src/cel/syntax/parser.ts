import { celErrors } from "../errors.ts";
import { int64Maximum } from "../runtime/values.ts";
import { tokensOf } from "./lexer.ts";
import { macroOf } from "./macros.ts";
import type { Depthless, LiteralNode, Node, Span } from "./node.ts";
import { syntaxError } from "./refusal.ts";
import type { Token } from "./token.ts";

const longestSource = 32_768;
const deepest = 250;

/** Words that no variable may be called; after a dot they are fields like any other. */
const reserved: ReadonlySet<string> = new Set(
  "as break const continue else for function if import let loop package namespace return var void while in".split(" "),
);
const keywords: ReadonlySet<string> = new Set(["in", "true", "false", "null"]);

/** Binding strength of the operators between two values, weakest first. */
const strengths: ReadonlyMap<string, number> = new Map([
  ["==", 1],
  ["!=", 1],
  ["<", 1],
  ["<=", 1],
  [">", 1],
  [">=", 1],
  ["in", 1],
  ["+", 2],
  ["-", 2],
  ["*", 3],
  ["/", 3],
  ["%", 3],
]);

/** Reads an expression: its tree, with the place of every part. Macros stay as written. */
export function parseExpression(source: string): Node {
  if (source.length > longestSource) {
    const found = `found ${source.length}`;
    throw celErrors.make("CEL_TOO_LONG", `expected an expression of at most ${longestSource} characters, ${found}`);
  }
  return new Parser(source).whole();
}

/** No more of the source in a message than a line holds. */
function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text;
}

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #position = 0;
  #nesting = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokensOf(source);
  }

  whole(): Node {
    const node = this.#expression();
    if (this.#token.kind !== "end") throw this.#unexpected("an operator or the end");
    return node;
  }

  get #token(): Token {
    return (
      this.#tokens[this.#position] ?? { kind: "end", text: "", from: this.#source.length, to: this.#source.length }
    );
  }

  #is(text: string): boolean {
    const token = this.#token;
    return token.text === text && token.kind === "op";
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#position += 1;
    return true;
  }

  #expect(text: string): Token {
    const token = this.#token;
    if (!this.#take(text)) throw this.#unexpected(`\`${text}\``);
    return token;
  }

  #unexpected(expected: string): Error {
    const token = this.#token;
    const found = token.kind === "end" ? "the end" : `\`${short(this.#source.slice(token.from, token.to))}\``;
    return syntaxError(this.#source, token.from, `expected ${expected}, found ${found}`);
  }

  #make<Kind extends Node>(node: Depthless<Kind>, ...children: readonly Node[]): Kind {
    let depth = 1;
    for (const child of children) depth = Math.max(depth, child.depth + 1);
    if (depth > deepest) throw this.#tooDeep(node);
    return { ...node, depth } as unknown as Kind;
  }

  #tooDeep(at: Span): Error {
    const message = `expected at most ${deepest} levels, found more from offset ${at.from} on`;
    return celErrors.make("CEL_TOO_DEEP", message);
  }

  #expression(): Node {
    this.#nesting += 1;
    if (this.#nesting > deepest) throw this.#tooDeep(this.#token);
    const condition = this.#logic("||");
    let node = condition;
    if (this.#take("?")) {
      const yes = this.#logic("||");
      this.#expect(":");
      const no = this.#expression();
      const span = { from: condition.from, to: no.to };
      node = this.#make({ kind: "conditional", condition, yes, no, ...span }, condition, yes, no);
    }
    this.#nesting -= 1;
    return node;
  }

  #logic(operator: "&&" | "||"): Node {
    const part = (): Node => (operator === "||" ? this.#logic("&&") : this.#binary(1));
    const first = part();
    if (!this.#is(operator)) return first;
    const operands = [first];
    let to = first.to;
    while (this.#take(operator)) {
      const operand = part();
      operands.push(operand);
      to = operand.to;
    }
    return this.#make({ kind: "logic", operator, operands, from: first.from, to }, ...operands);
  }

  #binary(strength: number): Node {
    let left = strength > 3 ? this.#unary() : this.#binary(strength + 1);
    if (strength > 3) return left;
    for (;;) {
      const token = this.#token;
      const isOperator = token.kind === "op" || (token.kind === "name" && token.text === "in");
      if (!isOperator || strengths.get(token.text) !== strength) return left;
      this.#position += 1;
      const right = this.#binary(strength + 1);
      left = this.#operator(`_${token.text}_`, [left, right], left.from, right.to);
    }
  }

  #operator(name: string, operands: readonly Node[], from: number, to: number): Node {
    return this.#make({ kind: "call", name, target: undefined, arguments: operands, from, to }, ...operands);
  }

  #unary(): Node {
    const first = this.#token;
    if (first.kind !== "op" || (first.text !== "!" && first.text !== "-")) return this.#member();
    const signs: Token[] = [];
    while (this.#is(first.text)) {
      signs.push(this.#token);
      this.#position += 1;
    }
    const last = signs.at(-1);
    let node: Node;
    if (first.text === "-" && last !== undefined && this.#isNumber(this.#token)) {
      signs.pop();
      node = this.#postfix(this.#negative(last.from));
    } else node = this.#member();
    for (const sign of signs.reverse()) node = this.#operator(`${first.text}_`, [node], sign.from, node.to);
    return node;
  }

  #isNumber(token: Token): boolean {
    return token.kind === "literal" && (token.magnitude !== undefined || typeof token.value === "number");
  }

  #negative(from: number): LiteralNode {
    const token = this.#token;
    this.#position += 1;
    if (token.magnitude === undefined) {
      return this.#make({ kind: "literal", value: -Number(token.value), from, to: token.to });
    }
    if (token.magnitude > int64Maximum + 1n) throw this.#tooLarge(token);
    return this.#make({ kind: "literal", value: -token.magnitude, from, to: token.to });
  }

  #tooLarge(token: Token): Error {
    return syntaxError(this.#source, token.from, `expected an int of 64 bits, found ${short(token.text)}`);
  }

  #member(): Node {
    return this.#postfix(this.#primary());
  }

  #postfix(start: Node): Node {
    let node = start;
    for (;;) {
      if (this.#is(".") || this.#is(".?")) node = this.#dot(node);
      else if (this.#is("[") || this.#is("[?")) {
        const optional = this.#is("[?");
        this.#position += 1;
        const index = this.#expression();
        const to = this.#expect("]").to;
        node = this.#make({ kind: "index", operand: node, index, optional, from: node.from, to }, node, index);
      } else if (this.#is("{") && (node.kind === "name" || node.kind === "select")) {
        throw syntaxError(this.#source, this.#token.from, "expected no message: protobuf has no place in these rules");
      } else return node;
    }
  }

  #dot(operand: Node): Node {
    const optional = this.#token.text === ".?";
    this.#position += 1;
    const token = this.#token;
    const isName = token.kind === "quoted" || (token.kind === "name" && !keywords.has(token.text));
    if (!isName) throw this.#unexpected("a field name");
    this.#position += 1;
    const from = operand.from;
    if (token.kind === "name" && !optional && this.#take("(")) {
      const { nodes, to } = this.#list(")");
      return this.#call(token, operand, nodes, from, to);
    }
    const select = { operand, field: token.text, optional, quoted: token.kind === "quoted" };
    return this.#make({ kind: "select", ...select, from, to: token.to }, operand);
  }

  #call(name: Token, target: Node | undefined, nodes: readonly Node[], from: number, to: number): Node {
    const children = target === undefined ? nodes : [target, ...nodes];
    const macro = macroOf(name.text, target, nodes, { from, to });
    if (typeof macro === "string") throw syntaxError(this.#source, nodes[0]?.from ?? from, macro);
    if (macro !== undefined) return this.#make<Node>(macro, ...children);
    return this.#make({ kind: "call", name: name.text, target, arguments: nodes, from, to }, ...children);
  }

  /** Expressions between commas, up to the closing bracket. */
  #list(close: string): { readonly nodes: readonly Node[]; readonly to: number } {
    const nodes: Node[] = [];
    while (!this.#is(close)) {
      nodes.push(this.#expression());
      if (!this.#take(",")) break;
      if (this.#is(close)) throw this.#unexpected("an argument");
    }
    return { nodes, to: this.#expect(close).to };
  }

  #primary(): Node {
    const token = this.#token;
    const { from, to } = token;
    if (token.kind === "literal") {
      this.#position += 1;
      if (token.magnitude !== undefined && token.magnitude > int64Maximum) throw this.#tooLarge(token);
      return this.#make({ kind: "literal", value: token.magnitude ?? token.value ?? null, from, to });
    }
    if (token.kind === "name") return this.#name(token);
    if (this.#take("(")) {
      const node = this.#expression();
      this.#expect(")");
      return node;
    }
    if (this.#is("[") || this.#is("[?")) return this.#listLiteral();
    if (this.#take("{")) return this.#mapLiteral(from);
    if (this.#take(".") && this.#token.kind === "name") return this.#rooted(from);
    throw this.#unexpected("a value");
  }

  #name(token: Token): Node {
    const { from, to, text } = token;
    if (text === "true" || text === "false" || text === "null") {
      this.#position += 1;
      return this.#make({ kind: "literal", value: text === "null" ? null : text === "true", from, to });
    }
    if (reserved.has(text)) throw this.#unexpected("a value (the word is reserved)");
    this.#position += 1;
    if (this.#take("(")) {
      const list = this.#list(")");
      return this.#call(token, undefined, list.nodes, from, list.to);
    }
    return this.#make({ kind: "name", name: text, rooted: false, from, to });
  }

  #rooted(from: number): Node {
    const token = this.#token;
    if (reserved.has(token.text)) throw this.#unexpected("a name");
    this.#position += 1;
    if (this.#take("(")) {
      const list = this.#list(")");
      return this.#call(token, undefined, list.nodes, from, list.to);
    }
    return this.#make({ kind: "name", name: token.text, rooted: true, from, to: token.to });
  }

  #listLiteral(): Node {
    const from = this.#token.from;
    // `[?` is one token, and stands also before the first element of a list.
    let optional = this.#token.text === "[?";
    this.#position += 1;
    const elements: { value: Node; optional: boolean }[] = [];
    while (!this.#is("]") || optional) {
      optional = this.#take("?") || optional;
      elements.push({ value: this.#expression(), optional });
      optional = false;
      if (!this.#take(",")) break;
    }
    const to = this.#expect("]").to;
    return this.#make({ kind: "list", elements, from, to }, ...elements.map(({ value }) => value));
  }

  #mapLiteral(from: number): Node {
    const entries: { key: Node; value: Node; optional: boolean }[] = [];
    while (!this.#is("}")) {
      const optional = this.#take("?");
      const key = this.#expression();
      this.#expect(":");
      entries.push({ key, value: this.#expression(), optional });
      if (!this.#take(",")) break;
    }
    const to = this.#expect("}").to;
    return this.#make({ kind: "map", entries, from, to }, ...entries.flatMap(({ key, value }) => [key, value]));
  }
}
