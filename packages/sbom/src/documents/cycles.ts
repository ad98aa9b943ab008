import type { DependencyEdges } from "@touchmark/formats/sbom";

/** Groups of components that depend on each other in a circle (strongly connected), without recursion; a self edge counts. */
export function cyclesOf(dependencies: readonly DependencyEdges[]): readonly (readonly string[])[] {
  const edges = new Map(dependencies.map(({ from, to }) => [from, to]));
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const cycles: string[][] = [];
  const enter = (ref: string): { ref: string; next: number } => {
    order.set(ref, order.size);
    low.set(ref, order.size - 1);
    stack.push(ref);
    onStack.add(ref);
    return { ref, next: 0 };
  };
  const lower = (ref: string, value: number): void => {
    if (value < (low.get(ref) ?? value)) low.set(ref, value);
  };
  for (const { from } of dependencies) {
    if (order.has(from)) continue;
    const open = [enter(from)];
    for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
      const { ref } = frame;
      const to = edges.get(ref)?.[frame.next++];
      if (to !== undefined) {
        if (!order.has(to)) open.push(enter(to));
        else if (onStack.has(to)) lower(ref, order.get(to) ?? 0);
        continue;
      }
      open.pop();
      const parent = open.at(-1);
      if (parent !== undefined) lower(parent.ref, low.get(ref) ?? 0);
      if (low.get(ref) !== order.get(ref)) continue;
      const group = stack.splice(stack.lastIndexOf(ref));
      for (const each of group) onStack.delete(each);
      if (group.length > 1 || edges.get(ref)?.includes(ref) === true) cycles.push(group);
    }
  }
  return cycles;
}
