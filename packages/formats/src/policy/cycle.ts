/** The first circle of a graph, as the names on it in order; undefined when it has none. Names without node are passed over. */
export function cycleIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of graph.keys()) {
    // Depth first without recursion: graphs are as deep as they are large.
    const path: string[] = [];
    const onPath = new Set<string>();
    const open: { readonly name: string; next: number }[] = [];
    const enter = (name: string) => {
      path.push(name);
      onPath.add(name);
      open.push({ name, next: 0 });
    };
    if (!done.has(start)) enter(start);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = graph.get(top.name)?.[top.next++];
      if (next === undefined) {
        done.add(top.name);
        onPath.delete(top.name);
        path.pop();
        open.pop();
      } else if (onPath.has(next)) return path.slice(path.indexOf(next));
      else if (graph.has(next) && !done.has(next)) enter(next);
    }
  }
  return undefined;
}
