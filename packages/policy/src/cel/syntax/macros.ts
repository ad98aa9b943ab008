import type { ComprehensionName, Depthless, Node, Span, Variable } from "./node.ts";

type Macro = Depthless<Node>;

interface Shape {
  readonly name: ComprehensionName;
  /** Numbers of arguments with one variable, and with two; the larger of each pair has a filter. */
  readonly one: readonly number[];
  readonly two: readonly number[];
}

const comprehensions: ReadonlyMap<string, Shape> = new Map([
  ["all", { name: "all", one: [2], two: [3] }],
  ["exists", { name: "exists", one: [2], two: [3] }],
  ["exists_one", { name: "existsOne", one: [2], two: [3] }],
  ["existsOne", { name: "existsOne", one: [2], two: [3] }],
  ["filter", { name: "filter", one: [2], two: [] }],
  ["sortBy", { name: "sortBy", one: [2], two: [] }],
  ["map", { name: "map", one: [2, 3], two: [] }],
  ["transformList", { name: "transformList", one: [], two: [3, 4] }],
  ["transformMap", { name: "transformMap", one: [], two: [3, 4] }],
  ["transformMapEntry", { name: "transformMapEntry", one: [], two: [3, 4] }],
] satisfies [string, Shape][]);

/** The macro that a call is; undefined where it is none, and text where it is one wrongly written. */
export function macroOf(
  name: string,
  target: Node | undefined,
  nodes: readonly Node[],
  span: Span,
): Macro | string | undefined {
  if (target === undefined) return name === "has" ? hasMacro(nodes, span) : undefined;
  if (name === "bind" && target.kind === "name" && target.name === "cel" && nodes.length === 3) {
    return bindMacro(nodes, span);
  }
  if ((name === "optMap" || name === "optFlatMap") && nodes.length === 2) {
    const variable = variableOf(nodes[0]);
    const body = nodes[1];
    if (variable === undefined || body === undefined) return `expected a name as first argument of \`${name}\``;
    return { kind: "optionalMap", flat: name === "optFlatMap", target, variable, body, ...span };
  }
  const shape = comprehensions.get(name);
  return shape === undefined ? undefined : comprehension(shape, target, nodes, span);
}

function hasMacro(nodes: readonly Node[], span: Span): Macro | string | undefined {
  const [select] = nodes;
  if (nodes.length !== 1 || select === undefined) return undefined;
  if (select.kind !== "select" || select.optional) return "expected a field, as in `has(a.b)`";
  return { kind: "has", select, ...span };
}

function bindMacro(nodes: readonly Node[], span: Span): Macro | string {
  const [variable, value, body] = nodes;
  const name = variableOf(variable);
  if (name === undefined || value === undefined || body === undefined) {
    return "expected a name as first argument of `cel.bind`";
  }
  return { kind: "bind", variable: name, value, body, ...span };
}

function comprehension(shape: Shape, range: Node, nodes: readonly Node[], span: Span): Macro | string | undefined {
  const hasTwo = shape.two.includes(nodes.length);
  if (!hasTwo && !shape.one.includes(nodes.length)) return undefined;
  const count = hasTwo ? 2 : 1;
  const variables: Variable[] = [];
  for (const node of nodes.slice(0, count)) {
    const variable = variableOf(node);
    if (variable === undefined) return `expected a name as argument of \`${shape.name}\``;
    if (variables.some(({ name }) => name === variable.name))
      return `expected two names, found \`${variable.name}\` twice`;
    variables.push(variable);
  }
  const rest = nodes.slice(count);
  const body = rest.at(-1);
  if (body === undefined) return undefined;
  const filter = rest.length === 2 ? rest[0] : undefined;
  return { kind: "comprehension", name: shape.name, range, variables, filter, body, ...span };
}

function variableOf(node: Node | undefined): Variable | undefined {
  if (node?.kind !== "name" || node.rooted) return undefined;
  return { name: node.name, from: node.from, to: node.to };
}
