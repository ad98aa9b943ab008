import { celErrors } from "../errors.ts";
import type { Node, Span, Variable } from "../syntax/node.ts";

/** Which variable a name means: those of macros first, innermost first, then those declared. */
export class Scope {
  readonly #declared: ReadonlySet<string>;
  readonly #container: readonly string[];
  readonly #locals: { readonly name: string; readonly slot: number }[] = [];
  /** Declared variables that the expression reads, with their slots. */
  readonly used = new Map<string, number>();
  /** Names that nothing declares fail when they are reached, not when the expression is compiled. */
  readonly unchecked: boolean;
  /** Slots given out so far. */
  slots = 0;

  constructor(declared: Iterable<string>, container: string, unchecked: boolean) {
    this.unchecked = unchecked;
    this.#declared = new Set(declared);
    this.#container = prefixesOf(container);
  }

  /** Brings variables of a macro into sight while `work` goes on. */
  within<Result>(variables: readonly Variable[], work: (slots: readonly number[]) => Result): Result {
    const slots = variables.map(({ name }) => {
      const slot = this.slots;
      this.slots += 1;
      this.#locals.push({ name, slot });
      return slot;
    });
    const result = work(slots);
    this.#locals.length -= variables.length;
    return result;
  }

  /** Slot of a macro's variable. */
  local(name: string): number | undefined {
    return this.#locals.findLast((local) => local.name === name)?.slot;
  }

  /** The declared variable that a name, perhaps with dots, stands for. */
  declared(name: string, rooted: boolean): string | undefined {
    if (rooted) return this.#declared.has(name) ? name : undefined;
    return this.#container.map((prefix) => prefix + name).find((full) => this.#declared.has(full));
  }

  /** Slot of a declared variable. */
  slotOf(name: string): number {
    const known = this.used.get(name);
    if (known !== undefined) return known;
    const slot = this.slots;
    this.slots += 1;
    this.used.set(name, slot);
    return slot;
  }

  unknown(name: string, at: Span): Error {
    const names = [...this.#declared].sort().slice(0, 20).join(", ");
    const found = `found \`${name.slice(0, 100)}\` at offset ${at.from}`;
    return celErrors.make("CEL_UNKNOWN_VARIABLE", `expected one of the variables ${names || "(none)"}; ${found}`);
  }
}

/** `a.b` gives `a.b.`, `a.`, and nothing: the order in which names are looked up. */
function prefixesOf(container: string): readonly string[] {
  const parts = container === "" ? [] : container.split(".");
  return [...parts.map((_, index) => `${parts.slice(0, parts.length - index).join(".")}.`), ""];
}

/** Names of a chain like `a.b.c`, and whether it begins with a dot; undefined for anything else. */
export function pathOf(node: Node): { readonly names: readonly string[]; readonly rooted: boolean } | undefined {
  const names: string[] = [];
  let at = node;
  while (at.kind === "select" && !at.optional && !at.quoted) {
    names.push(at.field);
    at = at.operand;
  }
  if (at.kind !== "name") return undefined;
  return { names: [at.name, ...names.reverse()], rooted: at.rooted };
}
