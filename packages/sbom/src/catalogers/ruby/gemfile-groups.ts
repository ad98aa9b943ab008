const developmentGroups = new Set(["development", "test", "dev"]);
const mostLines = 20_000;

/**
 * Gems that a Gemfile names only in groups for development. It is Ruby code, of which the common forms are known: blocks
 * `group :a, :b do` and the option `group:`. A gem in any other block, or named twice, counts as needed to run.
 */
export function developmentGems(gemfile: string): ReadonlySet<string> {
  const development = new Set<string>();
  const others = new Set<string>();
  const blocks: boolean[] = [];
  for (const written of gemfile.split("\n").slice(0, mostLines)) {
    if (written.length > 2000) continue;
    const line = written.replace(/(^|\s)#.*$/, "").trim();
    const gem = /^gem\s*\(?\s*["']([^"']{1,256})["'](.*)$/.exec(line);
    if (gem?.[1] !== undefined) {
      const named = /(?::groups?\s*=>|groups?:)\s*(\[[^\]]*\]|:?["']?\w+["']?)/.exec(gem[2] ?? "")?.[1];
      const isDevelopment = named === undefined ? blocks.includes(true) : onlyDevelopment(named);
      (isDevelopment ? development : others).add(gem[1]);
    }
    if (/\bdo(?:\s*\|[^|]*\|)?$/.test(line) || /^(?:if|unless|case|begin|while|until|def)\b/.test(line)) {
      blocks.push(/^group\b/.test(line) && onlyDevelopment(line.replace(/^group\b|\bdo$/g, "")));
    } else if (/^end\b/.test(line)) {
      blocks.pop();
    }
  }
  return new Set([...development].filter((name) => !others.has(name)));
}

function onlyDevelopment(names: string): boolean {
  const words = names.replace(/\boptional\s*:\s*\w+|:optional\s*=>\s*\w+/g, "").match(/\w+/g) ?? [];
  return words.length > 0 && words.every((name) => developmentGroups.has(name));
}
