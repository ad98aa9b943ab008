import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import type { Candidate } from "../decision.ts";
import {
  announcementsOf,
  carriesPackage,
  type Finding,
  missing,
  nameOf,
  notApplicable,
  notEvaluated,
  passed,
  type Rule,
  refused,
} from "../rule.ts";
import { lockEntries } from "./locked.ts";
import { strong } from "./trusted-repositories.ts";

/** The bytes are those that the lockfile says. */
export const lockedDigest: Rule = {
  id: "locked-digest",
  what: "The bytes of a package have every digest that its lockfile says, at least one of them strong. Where the lockfile keeps no digest, the index's counts, unless the rules want the lockfile's.",
  setting: "`gate.locked-digest`: `announced` (default) or `lockfile`.",
  example: "expected sha512 9b71d2... of left-pad@1.3.0 (npm), as the lockfile says, found 0f1e22...",
  exceptable: "never",
  evaluate(rules, candidate) {
    if (!carriesPackage(candidate)) return notApplicable("an index or signature is no package");
    if (candidate.facts.kind === "git") return notApplicable("a commit id is the digest of a repository's content");
    const locked = lockDigests(candidate);
    const announced = announcementsOf(candidate).flatMap((each) => each.digests);
    const wanted = locked.length > 0 || rules.lockedDigest === "lockfile" ? locked : announced;
    const where = wanted === locked ? "lockfile" : "index";
    if (candidate.phase === "contact") {
      if (wanted.length === 0) return notEvaluated("no digest is known before the index is here");
      return passed(`${wanted.length} digests of the ${where} are expected`);
    }
    if (candidate.hashes?.sha256 === undefined) return missing("the digests of the bytes that arrived");
    const isRecorded = rules.unlocked[candidate.facts.ecosystem] === "record" && lockEntries(candidate).length === 0;
    return compare(candidate, wanted, where, isRecorded);
  },
};

function compare(
  candidate: Candidate,
  wanted: readonly AnnouncedDigest[],
  where: string,
  isRecorded: boolean,
): Finding {
  const measured = candidate.hashes ?? {};
  const held: AnnouncedDigest[] = [];
  for (const each of wanted) {
    const found = measured[each.algorithm];
    if (found === each.value) held.push(each);
    else if (found !== undefined) {
      const message = `expected ${each.algorithm} ${each.value} of ${nameOf(candidate)}, as the ${where} says, found ${found}`;
      return refused("GATE_DIGEST_DIFFERS", message);
    }
  }
  if (strong(held)) return passed(`has the ${where}'s ${held.find((each) => strong([each]))?.algorithm}`);
  if (strong(wanted))
    return missing(`the digests that the ${where} names (${wanted.map((w) => w.algorithm).join(", ")})`);
  if (candidate.evidence.some((each) => each.outcome === "verified"))
    return passed("no strong digest was announced; verified evidence covers the bytes");
  // The user chose to record what is not locked; then what the registry itself announces is all there is.
  if (isRecorded) return passed(`recorded: not locked, and announced with ${algorithms(wanted)} alone`);
  return refused(
    "GATE_DIGEST_UNKNOWN",
    `expected a strong digest of ${nameOf(candidate)} from the ${where}, found ${algorithms(wanted)}`,
  );
}

const algorithms = (digests: readonly AnnouncedDigest[]): string =>
  digests.map((each) => each.algorithm).join(", ") || "none";

/** Digests that the lock entries give for the file that is asked for. */
function lockDigests(candidate: Candidate): readonly AnnouncedDigest[] {
  const { fileName } = candidate.facts;
  const own = lockEntries(candidate).flatMap((entry) => {
    const files = entry.files ?? [];
    const named = files.filter((file) => file.name !== "" && file.name === fileName);
    const digests = named.flatMap((file) => file.digests);
    // Several of one file (a requirement with an address) are alternatives.
    return [...entry.digests, ...(named.length > 1 ? theOneOf(digests, candidate) : digests)];
  });
  if (own.length > 0) return own;
  // Digests without file names (requirements.txt): any one that the bytes have is the one.
  const anonymous = lockEntries(candidate).flatMap((entry) =>
    (entry.files ?? []).filter((file) => file.name === "").flatMap((file) => file.digests),
  );
  return theOneOf(anonymous, candidate);
}

/** Those of alternative digests that the bytes have; all, when they have none. */
function theOneOf(digests: readonly AnnouncedDigest[], candidate: Candidate): readonly AnnouncedDigest[] {
  const hit = digests.filter((each) => candidate.hashes?.[each.algorithm] === each.value);
  return hit.length > 0 ? hit : digests;
}
