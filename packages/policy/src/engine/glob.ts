/** True when a text fits a pattern: `*` stands for characters other than `/`, `**` for any. Linear but for the stars. */
export function fits(pattern: string, text: string): boolean {
  const tokens = pattern.split(/(\*\*|\*)/).filter((token) => token !== "");
  // Positions of the text that the tokens so far can end at: never more than its length, so that no pattern explodes.
  let ends = new Set([0]);
  for (const token of tokens) {
    const next = new Set<number>();
    if (token === "**") for (let at = Math.min(...ends); at <= text.length; at++) next.add(at);
    else if (token === "*") spread(ends, text, next);
    else for (const at of ends) if (text.startsWith(token, at)) next.add(at + token.length);
    if (next.size === 0) return false;
    ends = next;
  }
  return ends.has(text.length);
}

function spread(ends: ReadonlySet<number>, text: string, next: Set<number>): void {
  for (const start of ends) {
    for (let at = start; at <= text.length; at++) {
      if (next.has(at)) break; // An earlier start went on from here already.
      next.add(at);
      if (text[at] === "/") break;
    }
  }
}
