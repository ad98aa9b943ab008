import { sourceErrors } from "./errors.ts";

/**
 * Refuses a link that is absolute or leads out of the tree, following the other links of the tree on the way as a
 * kernel would. A link to nothing inside the tree is left as it is: it leads nowhere.
 *
 * @param links targets of all links of the tree, by path
 * @throws SOURCE_LINK_OUTSIDE
 */
export function checkLinks(links: ReadonlyMap<string, string>): void {
  for (const [path, target] of links) {
    const refuse = (why: string) =>
      sourceErrors.make(
        "SOURCE_LINK_OUTSIDE",
        `expected a link that stays inside the tree, found ${JSON.stringify(path)} -> ${JSON.stringify(target.slice(0, 200))}: ${why}`,
      );
    if (target === "" || target.includes("\0")) throw refuse("it is empty or holds a NUL");
    if (target.includes("\\")) throw refuse("it holds a backslash");
    const at = path.split("/").slice(0, -1);
    const todo = target.split("/").reverse();
    if (target.startsWith("/")) throw refuse("it is absolute");
    for (let hops = 0; todo.length > 0; ) {
      const part = todo.pop() ?? "";
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (at.pop() === undefined) throw refuse("it leads out of the tree");
        continue;
      }
      at.push(part);
      const next = links.get(at.join("/"));
      if (next === undefined) continue;
      // A kernel gives up after 40 links; so a longer chain leads nowhere.
      if (++hops > 40 || next.startsWith("/")) break;
      at.pop();
      todo.push(...next.split("/").reverse());
    }
  }
}
