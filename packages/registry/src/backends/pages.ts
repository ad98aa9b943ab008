import type { Page } from "../backend.ts";

/** A page of names in byte order. */
export function pageOf<T extends string>(names: Iterable<T>, page: Page): T[] {
  const { after } = page;
  const sorted = [...names].sort(byBytes);
  const rest = after === undefined ? sorted : sorted.filter((name) => byBytes(name, after) > 0);
  return rest.slice(0, page.limit);
}

/** Names of repositories, tags and digests are ASCII: the order of their code units is that of their bytes. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
