import type { CelValue } from "../value.ts";

/** Where something stands in the source: offsets from, to. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

interface Placed extends Span {
  /** Levels beneath, this one included. */
  readonly depth: number;
}

export interface LiteralNode extends Placed {
  readonly kind: "literal";
  readonly value: CelValue;
}

/** A name. `rooted`: written with a dot before it, so that no variable of a macro hides it. */
export interface NameNode extends Placed {
  readonly kind: "name";
  readonly name: string;
  readonly rooted: boolean;
}

/** `operand.field`, `operand.?field`. */
export interface SelectNode extends Placed {
  readonly kind: "select";
  readonly operand: Node;
  readonly field: string;
  readonly optional: boolean;
  /** Written between backticks: never a part of a qualified name. */
  readonly quoted: boolean;
}

/** `has(operand.field)`. */
export interface HasNode extends Placed {
  readonly kind: "has";
  readonly select: SelectNode;
}

/** `operand[index]`, `operand[?index]`. */
export interface IndexNode extends Placed {
  readonly kind: "index";
  readonly operand: Node;
  readonly index: Node;
  readonly optional: boolean;
}

/** A function, a method (with target), or an operator, whose name is then `_+_` and the like. */
export interface CallNode extends Placed {
  readonly kind: "call";
  readonly name: string;
  readonly target: Node | undefined;
  readonly arguments: readonly Node[];
}

export interface ListNode extends Placed {
  readonly kind: "list";
  readonly elements: readonly { readonly value: Node; readonly optional: boolean }[];
}

export interface MapNode extends Placed {
  readonly kind: "map";
  readonly entries: readonly { readonly key: Node; readonly value: Node; readonly optional: boolean }[];
}

/** `a && b && c` or `a || b || c`, flat. */
export interface LogicNode extends Placed {
  readonly kind: "logic";
  readonly operator: "&&" | "||";
  readonly operands: readonly Node[];
}

export interface ConditionalNode extends Placed {
  readonly kind: "conditional";
  readonly condition: Node;
  readonly yes: Node;
  readonly no: Node;
}

/** A variable of a macro, where it is named. */
export interface Variable extends Span {
  readonly name: string;
}

export type ComprehensionName =
  | "all"
  | "exists"
  | "existsOne"
  | "map"
  | "filter"
  | "sortBy"
  | "transformList"
  | "transformMap"
  | "transformMapEntry";

/** `range.all(x, body)` and its kin; `filter` is the condition that some take before their body. */
export interface ComprehensionNode extends Placed {
  readonly kind: "comprehension";
  readonly name: ComprehensionName;
  readonly range: Node;
  readonly variables: readonly Variable[];
  readonly filter: Node | undefined;
  readonly body: Node;
}

/** `cel.bind(name, value, body)`. */
export interface BindNode extends Placed {
  readonly kind: "bind";
  readonly variable: Variable;
  readonly value: Node;
  readonly body: Node;
}

/** `target.optMap(name, body)`, `target.optFlatMap(name, body)`. */
export interface OptionalMapNode extends Placed {
  readonly kind: "optionalMap";
  readonly flat: boolean;
  readonly target: Node;
  readonly variable: Variable;
  readonly body: Node;
}

export type Node =
  | LiteralNode
  | NameNode
  | SelectNode
  | HasNode
  | IndexNode
  | CallNode
  | ListNode
  | MapNode
  | LogicNode
  | ConditionalNode
  | ComprehensionNode
  | BindNode
  | OptionalMapNode;

/** A node without its depth, which the parser works out. */
export type Depthless<Kind extends Node> = Kind extends Node ? Omit<Kind, "depth"> : never;
