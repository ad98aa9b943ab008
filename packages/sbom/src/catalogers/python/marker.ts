import { pypiName } from "@touchmark/formats/package-url";

/** What a marker is judged by; a variable that is not known makes its comparison true. */
export interface MarkerFacts {
  /** `3.11`, where the place of the installation says it. */
  readonly python?: string;
  readonly system?: "linux" | "windows" | "darwin";
  /** The extra that was asked for, empty for none. */
  readonly extra: string;
}

type Operand = { readonly variable: string } | { readonly text: string };

const token =
  /\s*(?:(\(|\))|(<=|>=|==|!=|~=|===|<|>|not\s+in\b|in\b)|(and|or)\b|"([^"]*)"|'([^']*)'|([a-z_][a-z_.0-9]*))/iy;
const mostTokens = 2000;

/**
 * Judges an environment marker (PEP 508). What cannot be judged here, as the release of a kernel, counts as true: the
 * installation was made where it held. A marker that is none is true, too.
 */
export function markerHolds(marker: string, facts: MarkerFacts): boolean {
  const tokens = tokensOf(marker);
  if (tokens === undefined) return true;
  let at = 0;
  const either = (depth: number): boolean => {
    let holds = both(depth);
    while (tokens[at] === "or") {
      at++;
      const other = both(depth);
      holds ||= other;
    }
    return holds;
  };
  const both = (depth: number): boolean => {
    let holds = one(depth);
    while (tokens[at] === "and") {
      at++;
      const other = one(depth);
      holds &&= other;
    }
    return holds;
  };
  const one = (depth: number): boolean => {
    if (tokens[at] === "(" && depth < 50) {
      at++;
      const holds = either(depth + 1);
      if (tokens[at] === ")") at++;
      return holds;
    }
    const [left, operator, right] = [tokens[at], tokens[at + 1], tokens[at + 2]];
    at += 3;
    if (typeof left !== "object" || typeof operator !== "string" || typeof right !== "object") return true;
    return compare(left, operator, right, facts);
  };
  return either(0);
}

function tokensOf(marker: string): (string | Operand)[] | undefined {
  const tokens: (string | Operand)[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < marker.trimEnd().length) {
    const found = token.exec(marker);
    if (found === null || tokens.length > mostTokens) return undefined;
    const [, bracket, operator, word, double, single, variable] = found;
    const text = double ?? single;
    if (text !== undefined) tokens.push({ text });
    else if (variable !== undefined) tokens.push({ variable: variable.toLowerCase().replaceAll(".", "_") });
    else tokens.push((bracket ?? operator ?? word ?? "").toLowerCase().replace(/\s+/g, " "));
  }
  return tokens;
}

function compare(left: Operand, operator: string, right: Operand, facts: MarkerFacts): boolean {
  const [a, b] = [valueOf(left, facts), valueOf(right, facts)];
  if (a === undefined || b === undefined) return true;
  const isVersion = [left, right].some((one) => "variable" in one && one.variable.startsWith("python_"));
  if ([left, right].some((one) => "variable" in one && one.variable === "extra")) {
    return (pypiName(a) === pypiName(b)) === (operator !== "!=");
  }
  if (operator === "in") return b.includes(a);
  if (operator === "not in") return !b.includes(a);
  if (!isVersion) return operator === "!=" ? a !== b : operator.startsWith("=") ? a === b : true;
  const order = compareReleases(a, b);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
    case "~=":
      return order >= 0;
    case "!=":
      return order !== 0;
    default:
      return order === 0;
  }
}

const platforms = {
  linux: { sys_platform: "linux", platform_system: "Linux", os_name: "posix" },
  darwin: { sys_platform: "darwin", platform_system: "Darwin", os_name: "posix" },
  windows: { sys_platform: "win32", platform_system: "Windows", os_name: "nt" },
} as const;

function valueOf(operand: Operand, { python, system, extra }: MarkerFacts): string | undefined {
  if ("text" in operand) return operand.text;
  switch (operand.variable) {
    case "extra":
      return extra;
    case "python_version":
      return python;
    // The place says `3.11` and not which release of it; `.99` is later than what markers compare with.
    case "python_full_version":
      return python === undefined ? undefined : `${python}.99`;
    // Other interpreters name their directories differently: `pypy3.10`.
    case "implementation_name":
      return python === undefined ? undefined : "cpython";
    case "platform_python_implementation":
      return python === undefined ? undefined : "CPython";
    case "sys_platform":
    case "platform_system":
    case "os_name":
      return system === undefined ? undefined : platforms[system][operand.variable];
    default:
      return undefined;
  }
}

/** By numbers; `3.*` counts as 3. */
function compareReleases(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split(".").map((part) => Number.parseInt(part, 10) || 0));
  const length = other.endsWith(".*") ? (b?.length ?? 1) - 1 : Math.max(a?.length ?? 0, b?.length ?? 0);
  for (let at = 0; at < length; at++) {
    const difference = (a?.[at] ?? 0) - (b?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
