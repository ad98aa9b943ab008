import { carriesPackage, missing, nameOf, notApplicable, notEvaluated, passed, type Rule, refused } from "../rule.ts";

/** One name and version has one content, for ever. */
export const sameNameOtherBytes: Rule = {
  id: "same-name-other-bytes",
  what: "A package of one name, version and file name has the bytes that were ever seen under them, from any repository.",
  setting: "No setting: always on.",
  example:
    "expected the bytes seen on 2026-01-02T03:04:05Z from public (sha256:...) of left-pad@1.3.0 (npm), found others (sha256:...)",
  exceptable: "versioned",
  evaluate(_rules, candidate) {
    const { kind } = candidate.facts;
    if (!carriesPackage(candidate) || kind === "git") return notApplicable("no published file");
    const digests = new Set(candidate.seen.map((each) => each.digest));
    const first = candidate.seen[0];
    if (candidate.phase === "contact") return notEvaluated(`${digests.size} contents seen so far`);
    const sha256 = candidate.hashes?.sha256;
    if (sha256 === undefined) return missing("the SHA-256 of the bytes that arrived");
    if (first === undefined) return passed("never seen before");
    const other = candidate.seen.find((each) => each.digest !== `sha256:${sha256}`);
    if (!other) return passed(`the bytes seen since ${first.firstSeen}`);
    return refused(
      "GATE_BYTES_CHANGED",
      `expected the bytes seen on ${other.firstSeen} from ${other.upstream} (${other.digest}) of ${nameOf(candidate)}, found others (sha256:${sha256})`,
    );
  },
};
