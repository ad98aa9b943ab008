/** A rule about tags of some repositories. */
export interface TagPattern {
  readonly repositories: readonly string[];
  readonly tags: readonly string[];
}

/** Whether a name is what a pattern stands for: itself, everything below `prefix/**`, everything for `**`. */
export function fitsRepository(pattern: string, name: string): boolean {
  if (name === "") return false;
  if (pattern === "**") return true;
  // Below the prefix, never the prefix itself nor a name that only begins alike.
  if (pattern.endsWith("/**")) return name.startsWith(pattern.slice(0, -2)) && name.length > pattern.length - 2;
  return name === pattern;
}

/** Whether a tag is what a pattern stands for; `*` is anything, also nothing. Linear in the tag for each star. */
export function fitsTag(pattern: string, tag: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return tag === pattern;
  const tail = parts.pop() ?? "";
  if (tag.length < head.length + tail.length || !tag.startsWith(head) || !tag.endsWith(tail)) return false;
  let from = head.length;
  const end = tag.length - tail.length;
  for (const part of parts) {
    const at = tag.indexOf(part, from);
    if (at === -1 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}

/** Whether one of the rules is about this tag. */
export function fitsRules(rules: readonly TagPattern[], repository: string, tag: string): boolean {
  return rules.some(
    (rule) =>
      rule.repositories.some((pattern) => fitsRepository(pattern, repository)) &&
      rule.tags.some((pattern) => fitsTag(pattern, tag)),
  );
}
