/** Compares two Python versions (PEP 440) by epoch, release and pre-release; negative when the first is older. */
export function comparePython(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  for (let i = 0; i < Math.max(a.release.length, b.release.length); i++) {
    const difference = (a.release[i] ?? 0) - (b.release[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.stage === b.stage ? a.number - b.number : a.stage - b.stage;
}

const stages: Readonly<Record<string, number>> = { dev: -4, a: -3, alpha: -3, b: -2, beta: -2, c: -1, rc: -1, post: 1 };

function partsOf(version: string) {
  const [, epoch = "0", release = "0", stage = "", number = "0"] =
    /^v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)[-_.]?([a-z]*)[-_.]?([0-9]*)/.exec(version.toLowerCase()) ?? [];
  return {
    epoch: Number(epoch),
    release: release.split(".").map(Number),
    stage: stages[stage] ?? 0,
    number: Number(number === "" ? 0 : number),
  };
}

/** True when a version fits a constraint such as `>=1.0,<2.0 || ^3.1`; what is not understood fits. */
export function fitsPython(version: string, constraint: string): boolean {
  return constraint.split("||").some((all) => all.split(",").every((one) => fitsOne(version, one.trim())));
}

function fitsOne(version: string, constraint: string): boolean {
  const [, operator = "", wanted = ""] = /^(>=|<=|==|!=|~=|<|>|=|\^|~)?\s*([0-9][^\s]*)$/.exec(constraint) ?? [];
  if (wanted === "") return true;
  if (wanted.endsWith(".*")) {
    const isBelow = `${version}.`.startsWith(wanted.slice(0, -1));
    return operator === "!=" ? !isBelow : isBelow;
  }
  const order = comparePython(version, wanted);
  switch (operator) {
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case "!=":
      return order !== 0;
    case "^":
      return order >= 0 && comparePython(version, next(wanted, firstNotZero(wanted))) < 0;
    case "~":
      return order >= 0 && comparePython(version, next(wanted, wanted.includes(".") ? 1 : 0)) < 0;
    case "~=":
      return order >= 0 && comparePython(version, next(wanted, wanted.split(".").length - 2)) < 0;
    default:
      return order === 0;
  }
}

function firstNotZero(version: string): number {
  const release = version.split(".").map((part) => Number.parseInt(part, 10));
  const at = release.findIndex((part) => part > 0);
  return at === -1 ? release.length - 1 : at;
}

/** The version after all that agree up to a position. */
function next(version: string, at: number): string {
  const release = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const place = Math.max(at, 0);
  return [...release.slice(0, place), (release[place] ?? 0) + 1].join(".");
}
