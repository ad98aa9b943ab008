import { isFactoryError } from "@touchmark/core";
import type { AffectedRange, RangeEvent } from "../advisory.ts";
import type { VersionScheme } from "../versions/scheme.ts";
import { isComparable, schemeOf } from "../versions/schemes.ts";
import { semver } from "../versions/semver.ts";
import { advisorySourceErrors } from "./errors.ts";

/**
 * Refuses a range that can hold no version: nothing is introduced, or all of it ends where it begins or before. Such a
 * range would pass for a statement that nothing is affected.
 * @throws ADVISORY_RANGE_IMPOSSIBLE
 */
export function checkRange({ type, events }: AffectedRange, ecosystem: string): void {
  if (!events.some((event) => "introduced" in event)) {
    throw advisorySourceErrors.make("ADVISORY_RANGE_IMPOSSIBLE", "expected a range with an event that introduces it");
  }
  if (type === "GIT" || isPlain(events) || (type !== "SEMVER" && !isComparable(ecosystem))) return;
  const scheme = type === "SEMVER" ? semver : schemeOf(ecosystem);
  const read = events.map((event) => readEvent(event, scheme));
  // What cannot be compared is told of by whoever matches it.
  if (read.includes(undefined)) return;
  if (holdsAny(read as readonly Mark[], scheme)) return;
  const spelled = events.slice(0, 4).map((event) => Object.entries(event)[0]?.join(" "));
  throw advisorySourceErrors.make(
    "ADVISORY_RANGE_IMPOSSIBLE",
    `expected a range that holds a version, found ${spelled.join(", ").slice(0, 200)}`,
  );
}

/** Most ranges begin at the beginning, and end once. */
function isPlain(events: readonly RangeEvent[]): boolean {
  return events.some((event) => "introduced" in event && event.introduced === "0") && events.length <= 2
    ? !events.some((event) => "fixed" in event && event.fixed === "0")
    : false;
}

interface Mark {
  readonly kind: "introduced" | "fixed" | "last_affected" | "limit";
  /** Undefined: before every version. */
  readonly order: unknown;
}

function readEvent(event: RangeEvent, scheme: VersionScheme): Mark | undefined {
  const [kind, text] = Object.entries(event)[0] as [Mark["kind"], string];
  if (text === "0" || kind === "limit") return { kind, order: undefined };
  try {
    return { kind, order: scheme.read(text) };
  } catch (error) {
    if (isFactoryError(error)) return undefined;
    throw error;
  }
}

function holdsAny(events: readonly Mark[], scheme: VersionScheme): boolean {
  const compare = (a: unknown, b: unknown): number => {
    if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
    return scheme.compare(a, b);
  };
  const marks = events.filter(({ kind }) => kind !== "limit").sort((a, b) => compare(a.order, b.order));
  let since: Mark | undefined;
  for (const mark of marks) {
    if (mark.kind === "introduced") since ??= mark;
    else if (since !== undefined) {
      const distance = compare(mark.order, since.order);
      if (mark.kind === "fixed" ? distance > 0 : distance >= 0) return true;
      since = undefined;
    }
  }
  return since !== undefined;
}
