import { type Condition, type Rule, refusalErrno, rules } from "./filter.ts";
import type { StepNetwork } from "./job.ts";
import { type Architecture, systemCallNumber } from "./system-calls.ts";

/** `linux.seccomp` of the runtime specification, as far as we write it. */
export interface SeccompProfile {
  readonly defaultAction: "SCMP_ACT_ALLOW";
  /** Calls of any other architecture kill. */
  readonly architectures: readonly string[];
  readonly syscalls: readonly ProfileRow[];
}

/** One refusal. */
export interface ProfileRow {
  readonly names: readonly string[];
  readonly action: "SCMP_ACT_ERRNO" | "SCMP_ACT_TRACE";
  readonly errnoRet: number;
  /** All must hold; no two look at one argument, which libseccomp would take for alternatives. */
  readonly args?: readonly ProfileArgument[];
}

interface ProfileArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo: number;
  readonly op: "SCMP_CMP_MASKED_EQ" | "SCMP_CMP_GT";
}

/**
 * The system-call filter as a profile for OCI runtimes (SPEC W5, W16), from the table that the kernel's own is made
 * from. A call is refused at least where that one refuses it: a value is compared in its lower half, as the kernel
 * reads it, and one with anything in the upper half counts as unknown.
 *
 * @param action `SCMP_ACT_ERRNO` refuses by itself. `SCMP_ACT_TRACE` never lets the call run either, and is outranked
 *   by the filter that asks the recorder, so that each refusal is recorded.
 */
export function seccompProfile(
  architecture: Architecture,
  network: StepNetwork,
  action: ProfileRow["action"],
): SeccompProfile {
  const clone3: Rule = { call: "clone3", errno: "ENOSYS" };
  const rows = [clone3, ...rules(network)].flatMap((rule): ProfileRow[] => {
    if (systemCallNumber(architecture, rule.call) === undefined) return [];
    const row = { names: [rule.call], action, errnoRet: refusalErrno[rule.errno] };
    if (rule.when === undefined) return [row];
    return combine(rule.when.map(alternatives)).map((args) => ({ ...row, args }));
  });
  return {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: [architecture === "x86_64" ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64"],
    syscalls: rows,
  };
}

/** A condition as alternatives of one comparison each. */
function alternatives(condition: Condition): ProfileArgument[] {
  const index = condition.argument;
  const masked = (mask: number, value: number): ProfileArgument => ({
    index,
    value: mask >>> 0,
    valueTwo: value >>> 0,
    op: "SCMP_CMP_MASKED_EQ",
  });
  switch (condition.test) {
    case "has-bit":
      return bitsOf(condition.mask).map((bit) => masked(bit, bit));
    case "is":
      return [masked(0xffffffff, condition.value)];
    case "is-none-of": {
      const most = Math.max(...condition.values);
      const below = Array.from({ length: most }, (_, value) => value).filter(
        (value) => !condition.values.includes(value),
      );
      return [
        ...below.map((value) => masked(0xffffffff, value)),
        { index, value: most, valueTwo: 0, op: "SCMP_CMP_GT" },
      ];
    }
  }
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => 2 ** bit).filter((bit) => (mask & bit) !== 0);
}

/** Every way to take one of each. */
function combine<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((found, list) => found.flatMap((head) => list.map((one) => [...head, one])), [[]]);
}
