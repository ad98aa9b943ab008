/** Parts of a version as RubyGems compares them: numbers, and words, which stand for something before a release. */
type Part = bigint | string;

/** Zeros at the end of the release, and at the end of all, say nothing. */
function partsOf(version: string): readonly Part[] {
  const words =
    version
      .slice(0, 200)
      .replaceAll("-", ".pre.")
      .match(/\d+|[a-z]+/gi) ?? [];
  const parts = words.map((word): Part => (/^\d/.test(word) ? BigInt(word) : word));
  const first = parts.findIndex((part) => typeof part === "string");
  const release = first < 0 ? parts : parts.slice(0, first);
  return [release, first < 0 ? [] : parts.slice(first)].flatMap((half) =>
    half.slice(0, half.findLastIndex((part) => part !== 0n) + 1),
  );
}

/** Order of two versions of a gem (Gem::Version). */
export function compareGemVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [one, other] = [left[index] ?? 0n, right[index] ?? 0n];
    if (one === other) continue;
    if (typeof one !== typeof other) return typeof one === "string" ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return 0;
}

/** True when a version meets a requirement: `>= 1.2`, `~> 2.0`, `!= 3`. One that cannot be read is met. */
export function meetsGemRequirement(version: string, requirement: string): boolean {
  const [, operator = "=", wanted] = /^\s*(=|!=|>=|<=|~>|>|<)?\s*([0-9A-Za-z.-]{1,200})\s*$/.exec(requirement) ?? [];
  if (wanted === undefined) return true;
  const order = compareGemVersions(version, wanted);
  switch (operator) {
    case "!=":
      return order !== 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case "~>":
      return order >= 0 && compareGemVersions(releaseOf(version), nextOf(wanted)) < 0;
    default:
      return order === 0;
  }
}

/** The release that a version is or comes before: what stands before its first word. */
function releaseOf(version: string): string {
  return version.split(/\.?[a-z-]/i, 1)[0] ?? version;
}

/** The first release that `~>` leaves out: without its last number, and one more in what is then last. */
function nextOf(version: string): string {
  const numbers = releaseOf(version).split(".");
  if (numbers.length > 1) numbers.pop();
  const last = numbers.pop() ?? "0";
  return [...numbers, String(BigInt(/^\d+$/.test(last) ? last : 0) + 1n)].join(".");
}
