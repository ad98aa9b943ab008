import type { Position } from "../pipeline/definition.ts";
import type { Report } from "./finding.ts";
import { type ImageName, isImageDigest, readImageName } from "./image-name.ts";
import type { Severity } from "./rules.ts";

/** How an image is judged where it stands. */
export interface ImagePlace {
  /** The rule that a missing digest breaks. */
  readonly rule: "from-without-digest" | "image-without-digest";
  /** Lower where it may be no image. */
  readonly severity?: Severity;
}

/** Judges a name of an image, variables resolved. Answers what it names; undefined when that is not known. */
export function judgeImage(
  image: { readonly text: string; readonly unresolved: readonly string[]; readonly at: Position },
  place: ImagePlace,
  report: Report,
): ImageName | undefined {
  const { text, unresolved, at } = image;
  const shown = JSON.stringify(text.slice(0, 200));
  const lower = place.severity === undefined ? {} : { severity: place.severity };
  const name = readImageName(text);
  if (name?.digest !== undefined && isImageDigest(name.digest)) return name;
  if (unresolved.length > 0) {
    const names = unresolved.slice(0, 5).join(", ");
    report("image-unresolved", at, `${shown}: nothing here says what ${names} is`, lower);
    return undefined;
  }
  if (name === undefined) {
    report("image-unresolved", at, `${shown} names no image`, lower);
    return undefined;
  }
  if (name.digest !== undefined) {
    report("digest-malformed", at, `${shown}: expected sha256: and 64 hexadecimal digits after @`, lower);
    return name;
  }
  report(place.rule, at, `${shown} is named without a digest`, lower);
  if (name.tag === undefined || name.tag === "latest") {
    const what = name.tag === undefined ? "no tag, which means latest" : "the tag latest";
    report("latest-tag", at, `${shown} has ${what}`, lower);
  }
  return name;
}
