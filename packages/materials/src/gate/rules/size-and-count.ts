import type { Candidate } from "../decision.ts";
import { announcementsOf, carriesPackage, type Finding, missing, nameOf, passed, type Rule, refused } from "../rule.ts";
import type { GateRules } from "../rules.ts";

/** Limits of size and number. */
export const sizeAndCount: Rule = {
  id: "size-and-count",
  what: "A file, the content of an archive, the number of its entries and the ratio between both are within limits.",
  setting: "`gate.sizes`: `archive` 2GiB, `index` 128MiB, `unpacked` 8GiB, `files` 500000, `ratio` 400.",
  example: "expected at most 2147483648 bytes of left-pad@1.3.0 (npm), found 3000000000",
  exceptable: "any",
  evaluate(rules, candidate) {
    const announced = Math.max(0, ...announcementsOf(candidate).map((each) => each.size ?? 0));
    const size = candidate.size ?? (candidate.phase === "contact" ? announced : undefined);
    if (size === undefined) return missing("the size of what arrived");
    const { archiveBytes, indexBytes } = rules.sizes;
    const most = carriesPackage(candidate) ? archiveBytes : indexBytes;
    if (size > most) return over(`${most} bytes of ${nameOf(candidate)}`, size);
    return candidate.archive === undefined ? passed(`${size} bytes`) : content(rules, candidate, size);
  },
};

function content(rules: GateRules, candidate: Candidate, size: number): Finding {
  const { archive } = candidate;
  if (archive === undefined) return passed(`${size} bytes`);
  const { files, unpackedBytes, ratio } = rules.sizes;
  const name = nameOf(candidate);
  if (archive.files > files) return over(`${files} entries in ${name}`, archive.files);
  if (archive.unpackedBytes > unpackedBytes) return over(`${unpackedBytes} bytes in ${name}`, archive.unpackedBytes);
  // Small archives of text compress very well: a ratio says something from a megabyte on.
  if (archive.unpackedBytes > 2 ** 20 && archive.unpackedBytes > size * ratio) {
    return over(`${ratio} times its size in ${name}`, Math.round(archive.unpackedBytes / Math.max(1, size)));
  }
  return passed(`${size} bytes, ${archive.files} entries, ${archive.unpackedBytes} bytes of content`);
}

const over = (most: string, found: number): Finding =>
  refused("GATE_TOO_LARGE", `expected at most ${most}, found ${found}`);
