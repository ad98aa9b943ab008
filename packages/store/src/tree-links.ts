import type { TreeWalk } from "./tree-walk.ts";

// Linux follows at most 40 links in one resolution.
const MAX_LINKS = 40;

/**
 * The paths of links that lead out of their tree, resolved as the kernel would: through other links, since `d/..` is
 * not where it stands when `d` is a link. Links that lead nowhere inside the tree are harmless.
 */
export function linksOutside(walk: TreeWalk): string[] {
  const outside: string[] = [];
  for (const [path, target] of walk.links) {
    if (escapes(path, target, walk.links)) outside.push(path);
  }
  return outside.sort();
}

function escapes(path: string, target: string, links: ReadonlyMap<string, string>): boolean {
  const at = path.split("/").slice(0, -1);
  const rest = target.split("/").reverse();
  if (target.startsWith("/")) return true;
  for (let followed = 0; rest.length > 0; ) {
    const part = rest.pop() as string;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.pop() === undefined) return true;
      continue;
    }
    at.push(part);
    const next = links.get(at.join("/"));
    if (next === undefined) continue;
    // A loop: the kernel gives up, so it leads nowhere.
    if (++followed > MAX_LINKS) return false;
    if (next.startsWith("/")) return true;
    at.pop();
    rest.push(...next.split("/").reverse());
  }
  return false;
}
