import type { AffectedPackage } from "../advisory.ts";
import { rpm } from "../versions/rpm.ts";
import { schemeOf } from "../versions/schemes.ts";

/** Releases of packages that are built for a stream of a module: `1.module+el8.8.0+19613`, `1.module_el8.8.0+3613`. */
const modular = /\.module[+_]/;

/**
 * Of the entries that an advisory has for an RPM package, those for the stream that the installed one belongs to.
 * Streams of a module are other lines of the same package: a fix of one says nothing of another, nor of the package
 * that is in no module. The stream is not written in a version, and is taken to be that with the same first number,
 * where the advisory has one; entries without a fix are about all.
 */
export function entriesOfStream(entries: readonly AffectedPackage[], version: string): readonly AffectedPackage[] {
  const [first] = entries;
  if (first === undefined || schemeOf(first.ecosystem) !== rpm) return entries;
  const isModular = modular.test(version);
  const same = entries.filter((entry) => {
    const fixed = fixesOf(entry);
    return fixed.length === 0 || fixed.some((each) => modular.test(each)) === isModular;
  });
  if (!isModular || same.length < 2) return same;
  const ofLine = same.filter((entry) => fixesOf(entry).some((each) => lineOf(each) === lineOf(version)));
  return ofLine.length > 0 ? ofLine : same;
}

function fixesOf({ ranges }: AffectedPackage): readonly string[] {
  return ranges.flatMap(({ events }) => events.flatMap((event) => ("fixed" in event ? [event.fixed] : [])));
}

/** First number of the version, without epoch. */
function lineOf(version: string): string {
  return /^(?:\d+:)?(\d*)/.exec(version)?.[1] ?? "";
}
