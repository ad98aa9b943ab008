import type { SubExpressionValue } from "../evaluation.ts";
import { Fault } from "../runtime/fault.ts";
import type { Frame } from "../runtime/frame.ts";
import { shortText } from "../runtime/text.ts";
import type { ComprehensionNode, Node, Span, Variable } from "../syntax/node.ts";
import type { CelValue } from "../value.ts";
import type { Compiler } from "./compiler.ts";
import { visit } from "./comprehension.ts";

const most = 50;

/** What a part came to: a value, or why it has none. */
type Worth = { readonly value: CelValue } | { readonly fault: Fault };

/** Tells which parts of an expression made its result, by running them again one at a time. */
export class Explainer {
  readonly #source: string;
  readonly #program: Compiler;
  readonly #frame: Frame;
  readonly #found: SubExpressionValue[] = [];

  constructor(source: string, program: Compiler, frame: Frame) {
    this.#source = source;
    this.#program = program;
    this.#frame = frame;
  }

  /** Outermost first. What the limits allow no more is left out. */
  explain(root: Node): readonly SubExpressionValue[] {
    try {
      const constant = this.#program.constants.get(root);
      if (constant === undefined) this.#node(root);
      else this.#add(root, { value: constant });
    } catch (caught) {
      if (!(caught instanceof Fault || caught instanceof RangeError)) throw caught;
    }
    return this.#found;
  }

  #worth(node: Node): Worth {
    const run = this.#program.runs.get(node);
    if (run === undefined) return { value: null };
    try {
      return { value: run(this.#frame) };
    } catch (caught) {
      if (caught instanceof Fault) return { fault: caught };
      throw caught;
    }
  }

  #add(span: Span, worth: Worth): void {
    const { from, to } = span;
    const part = { expression: this.#source.slice(from, to), from, to };
    if (this.#found.length >= most || this.#found.some((known) => known.from === from && known.to === to)) return;
    const shown = "fault" in worth ? { error: worth.fault.message } : { value: shortText(worth.value) };
    this.#found.push({ ...part, ...shown });
  }

  #node(node: Node): void {
    if (this.#found.length >= most || this.#program.constants.has(node)) return;
    const worth = this.#worth(node);
    this.#add(node, worth);
    if ("fault" in worth && !worth.fault.isAbsorbable) return;
    this.#parts(node, worth);
  }

  #parts(node: Node, worth: Worth): void {
    switch (node.kind) {
      case "logic":
        this.#logic(node.operands, node.operator, worth);
        break;
      case "conditional": {
        this.#node(node.condition);
        const condition = this.#worth(node.condition);
        if ("value" in condition && typeof condition.value === "boolean")
          this.#node(condition.value ? node.yes : node.no);
        break;
      }
      case "comprehension":
        this.#comprehension(node, worth);
        break;
      case "bind":
        this.#node(node.value);
        this.#within(node, node.variable, this.#worth(node.value), node.body);
        break;
      case "optionalMap": {
        this.#node(node.target);
        const target = this.#worth(node.target);
        const held = "value" in target ? heldBy(target.value) : undefined;
        if (held !== undefined) this.#within(node, node.variable, { value: held }, node.body);
        break;
      }
      default:
        for (const child of this.#children(node, worth)) this.#node(child);
    }
  }

  /** Operands whose values say more than the value of the whole does. */
  #children(node: Node, worth: Worth): readonly Node[] {
    const failed = "fault" in worth;
    switch (node.kind) {
      case "call":
        return node.target === undefined ? node.arguments : [node.target, ...node.arguments];
      case "select":
        return failed && this.#program.runs.has(node.operand) ? [node.operand] : [];
      case "has":
        return failed || worth.value === false ? [node.select.operand] : [];
      case "index":
        return failed ? [node.operand, node.index] : [node.index];
      case "list":
        return failed ? node.elements.map(({ value }) => value) : [];
      case "map":
        return failed ? node.entries.flatMap(({ key, value }) => [key, value]) : [];
      default:
        return [];
    }
  }

  /** The side that decided; all of them where none did. */
  #logic(operands: readonly Node[], operator: "&&" | "||", worth: Worth): void {
    const deciding = operator === "||";
    const worths = operands.map((operand) => this.#worth(operand));
    const isDecided = "value" in worth && worth.value === deciding;
    for (const [index, operand] of operands.entries()) {
      const own = worths[index];
      if (own === undefined) continue;
      const isCause = "fault" in worth ? "fault" in own || typeof own.value !== "boolean" : true;
      if (isDecided) {
        if ("value" in own && own.value === deciding) {
          this.#node(operand);
          return;
        }
      } else if (isCause) this.#node(operand);
    }
  }

  #within(macro: Node, variable: Variable, value: Worth, body: Node): void {
    const [slot] = this.#program.slots.get(macro) ?? [];
    if (slot === undefined || "fault" in value) return;
    this.#frame.slots[slot] = value.value;
    this.#add(variable, value);
    this.#node(body);
  }

  /** The element that decided, with its part of the body; without one, the range. */
  #comprehension(node: ComprehensionNode, worth: Worth): void {
    const slots = this.#program.slots.get(node) ?? [];
    const range = this.#worth(node.range);
    this.#node(node.range);
    if ("fault" in range) return;
    const isQuantifier = node.name === "all" || node.name === "exists";
    const failed = "fault" in worth;
    if (!failed && !(isQuantifier && worth.value === (node.name === "exists"))) return;
    visit(this.#frame, range.value, slots, node.range, () => {
      const tested = node.filter === undefined ? undefined : this.#worth(node.filter);
      const own = this.#worth(node.body);
      const hit = failed
        ? "fault" in own || (tested !== undefined && "fault" in tested)
        : "value" in own && own.value === worth.value;
      if (!hit) return false;
      for (const [index, variable] of node.variables.entries()) {
        this.#add(variable, { value: this.#frame.slots[slots[index] ?? 0] ?? null });
      }
      if (node.filter !== undefined) this.#node(node.filter);
      this.#node(node.body);
      return true;
    });
  }
}

function heldBy(value: CelValue): CelValue | undefined {
  return typeof value === "object" && value !== null && "cel" in value && value.cel === "optional"
    ? value.value
    : undefined;
}
