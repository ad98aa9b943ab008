import { celErrors } from "../errors.ts";
import type { Native } from "../functions/native.ts";
import { matchesConstant } from "../functions/strings.ts";
import { functionNames, functions } from "../functions/table.ts";
import { Fault, raise } from "../runtime/fault.ts";
import { Frame, type Run } from "../runtime/frame.ts";
import { PreparedVariables } from "../runtime/inputs.ts";
import { typeNames } from "../runtime/types.ts";
import { TypeValue } from "../runtime/values.ts";
import type { CallNode, IndexNode, NameNode, Node, SelectNode } from "../syntax/node.ts";
import type { CelValue } from "../value.ts";
import { elementOf, fieldOf, hasField, optionalElement, optionalField } from "./access.ts";
import { callOf } from "./calls.ts";
import { comprehension } from "./comprehension.ts";
import { listOf, mapOf } from "./literals.ts";
import { conditional, logic } from "./logic.ts";
import { bound, optionalMapped, orElse } from "./optional-macros.ts";
import { pathOf, type Scope } from "./scope.ts";

/** What all constants of an expression may cost together while it is compiled. */
const folding = { cost: 20_000, memory: 65_536 };
const nothing = new PreparedVariables({});

/** Makes a function of every node, once; they call each other. */
export class Compiler {
  /** What each node is run by: for the explanation. */
  readonly runs = new Map<Node, Run>();
  /** Slots of the variables of each macro. */
  readonly slots = new Map<Node, readonly number[]>();
  /** Values that no variable has a part in. */
  readonly constants = new Map<Node, CelValue>();
  readonly #scope: Scope;
  readonly #folding = new Frame(0, nothing, folding);

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  compile(node: Node): Run {
    const made = this.#make(node);
    const value = this.constants.get(node);
    const run = value === undefined ? made : () => value;
    this.runs.set(node, run);
    return run;
  }

  #make(node: Node): Run {
    switch (node.kind) {
      case "literal":
        return this.#constant(node, node.value);
      case "name":
        return this.#name(node);
      case "select":
        return this.#select(node);
      case "has": {
        const operand = this.compile(node.select.operand);
        const { field } = node.select;
        return (frame) => {
          frame.spend(1);
          return hasField(operand(frame), field, node);
        };
      }
      case "index":
        return this.#index(node);
      case "call":
        return this.#call(node);
      case "list": {
        const nodes = node.elements.map(({ value }) => value);
        return this.#folded(node, listOf(node, this.#all(nodes)), nodes);
      }
      case "map": {
        const nodes = node.entries.flatMap(({ key, value }) => [key, value]);
        const runs = node.entries.map(({ key, value }) => [this.compile(key), this.compile(value)] as const);
        return this.#folded(node, mapOf(node, runs), nodes);
      }
      case "logic":
        return logic(node.operator, this.#all(node.operands), node.operands);
      case "conditional":
        return conditional(this.compile(node.condition), this.compile(node.yes), this.compile(node.no), node.condition);
      default:
        return this.#macro(node);
    }
  }

  #macro(node: Extract<Node, { readonly kind: "comprehension" | "bind" | "optionalMap" }>): Run {
    if (node.kind === "comprehension") {
      const range = this.compile(node.range);
      return this.#scope.within(node.variables, (slots) => {
        this.slots.set(node, slots);
        const filter = node.filter === undefined ? undefined : this.compile(node.filter);
        return comprehension({ node, range, slots, filter, body: this.compile(node.body) });
      });
    }
    const value = this.compile(node.kind === "bind" ? node.value : node.target);
    return this.#scope.within([node.variable], (slots) => {
      this.slots.set(node, slots);
      const [slot = 0] = slots;
      const body = this.compile(node.body);
      return node.kind === "bind" ? bound(slot, value, body) : optionalMapped(node, slot, value, body);
    });
  }

  #constant(node: Node, value: CelValue): Run {
    this.constants.set(node, value);
    return () => value;
  }

  /** Runs what has no variable once and for all, unless it fails or is long. */
  #folded(node: Node, run: Run, children: readonly Node[]): Run {
    if (!children.every((child) => this.constants.has(child))) return run;
    try {
      this.constants.set(node, run(this.#folding));
    } catch (caught) {
      if (!(caught instanceof Fault)) throw caught;
    }
    return run;
  }

  #name(node: NameNode): Run {
    const { name, rooted } = node;
    const local = rooted ? undefined : this.#scope.local(name);
    if (local !== undefined) return (frame) => frame.slots[local] ?? null;
    return this.#qualified(node) ?? this.#unknown(node);
  }

  #unknown(node: NameNode): Run {
    if (!this.#scope.unchecked) throw this.#scope.unknown(node.name, node);
    return () => raise("CEL_UNKNOWN_VARIABLE", `nothing declares \`${node.name.slice(0, 100)}\``, node);
  }

  #unknownFunction(node: CallNode, name: string): Run {
    if (!this.#scope.unchecked) throw unknownFunction(node, name);
    return () => raise("CEL_UNKNOWN_FUNCTION", `there is no function \`${node.name.slice(0, 100)}\``, node);
  }

  /** A declared variable or a type, whose name may have dots. */
  #qualified(node: NameNode | SelectNode): Run | undefined {
    const path = pathOf(node);
    if (path === undefined) return undefined;
    const name = path.names.join(".");
    if (!path.rooted && this.#scope.local(path.names[0] ?? "") !== undefined) return undefined;
    const declared = this.#scope.declared(name, path.rooted);
    if (declared === undefined) return typeNames.has(name) ? this.#constant(node, new TypeValue(name)) : undefined;
    const slot = this.#scope.slotOf(declared);
    return (frame) => {
      frame.spend(1);
      const value = frame.slots[slot];
      return value === undefined ? frame.load(slot, declared, node) : value;
    };
  }

  #select(node: SelectNode): Run {
    const qualified = node.optional ? undefined : this.#qualified(node);
    if (qualified !== undefined) return qualified;
    const operand = this.compile(node.operand);
    const { field } = node;
    if (node.optional) {
      return (frame) => {
        frame.spend(1);
        return optionalField(operand(frame), field, node);
      };
    }
    return (frame) => {
      frame.spend(1);
      return fieldOf(operand(frame), field, node);
    };
  }

  #index(node: IndexNode): Run {
    const operand = this.compile(node.operand);
    const index = this.compile(node.index);
    const look = node.optional ? optionalElement : elementOf;
    return (frame) => {
      frame.spend(1);
      return look(frame, operand(frame), index(frame), node);
    };
  }

  #call(node: CallNode): Run {
    const count = node.arguments.length;
    const path = node.target === undefined ? undefined : pathOf(node.target);
    const root = path?.names[0] ?? "";
    const isFree = path !== undefined && this.#scope.local(root) === undefined;
    const full = isFree ? `${path.names.join(".")}.${node.name}` : "";
    const qualified = functions.get(`${full}/${count}`);
    if (qualified !== undefined) return this.#native(node, qualified, node.arguments);
    const variadic = functions.get(`${full}/*`);
    if (variadic !== undefined) {
      const list = listOf(
        { ...node, kind: "list", elements: node.arguments.map((value) => ({ value, optional: false })) },
        this.#all(node.arguments),
      );
      return this.#folded(node, callOf(node, variadic, [list]), node.arguments);
    }
    if (node.target === undefined) {
      const native = functions.get(`${node.name}/${count}`);
      if (native === undefined) return this.#unknownFunction(node, node.name);
      return this.#native(node, native, node.arguments);
    }
    if (isFree && this.#scope.declared(root, path.rooted) === undefined && functionNames.has(full)) {
      return this.#unknownFunction(node, full);
    }
    return this.#method(node, node.target);
  }

  #method(node: CallNode, target: Node): Run {
    const isOr = node.name === "or" || node.name === "orValue";
    if (isOr && node.arguments.length === 1) {
      const [on = () => null, other = () => null] = this.#all([target, ...node.arguments]);
      return orElse(node, on, other);
    }
    const native = functions.get(`.${node.name}/${node.arguments.length}`);
    if (native === undefined) return this.#unknownFunction(node, `.${node.name}`);
    return this.#native(node, native, [target, ...node.arguments]);
  }

  #all(nodes: readonly Node[]): readonly Run[] {
    return nodes.map((node) => this.compile(node));
  }

  #native(node: CallNode, native: Native, nodes: readonly Node[]): Run {
    const runs = this.#all(nodes);
    const pattern = node.name === "matches" && nodes[1] !== undefined ? this.constants.get(nodes[1]) : undefined;
    const special = typeof pattern === "string" ? matchesConstant(pattern) : native;
    return this.#folded(node, callOf(node, special, runs), nodes);
  }
}

function unknownFunction(node: CallNode, name: string): Error {
  const spelled = (name.startsWith(".") ? name.slice(1) : name).slice(0, 100);
  const message = functionNames.has(name)
    ? `\`${spelled}\` does not take ${node.arguments.length} arguments, at offset ${node.from}`
    : `expected a function of CEL, found \`${spelled}\` at offset ${node.from}`;
  return celErrors.make("CEL_UNKNOWN_FUNCTION", message);
}
