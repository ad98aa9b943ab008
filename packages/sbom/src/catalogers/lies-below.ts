/** True for a directory that is one of some, or lies below one. The root of the tree is the empty one. */
export function liesBelow(directory: string, some: ReadonlySet<string>): boolean {
  if (some.has("") || some.has(directory)) return true;
  for (let slash = directory.lastIndexOf("/"); slash > 0; slash = directory.lastIndexOf("/", slash - 1)) {
    if (some.has(directory.slice(0, slash))) return true;
  }
  return false;
}
