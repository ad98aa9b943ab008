import { sha256 } from "@touchmark/core";
import { describe, expect, test } from "vitest";
import type { Announcement } from "../material.ts";
import { candidateWith, inner, outer, plainArchive, rulesWith, sha } from "./candidate.fixture.ts";
import { decide, gateRefusal } from "./decide.ts";
import type { Candidate } from "./decision.ts";
import { needsAnnouncement } from "./needs-announcement.ts";
import type { GateException, GateRules } from "./rules.ts";
import { gateRules } from "./table.ts";

const codes = (rules: GateRules, candidate: Candidate) =>
  decide(rules, candidate)
    .results.filter((each) => each.outcome === "refused")
    .map((each) => each.code);
const outcome = (rule: string, rules: GateRules, candidate: Candidate) =>
  decide(rules, candidate).results.find((each) => each.rule === rule);
const announcement = (changes: Partial<Announcement> = {}): Announcement => ({
  url: "https://packages.example.com/left-pad-1.3.0.tgz",
  ecosystem: "npm",
  kind: "archive",
  name: "left-pad",
  version: "1.3.0",
  fileName: "left-pad-1.3.0.tgz",
  digests: [],
  ...changes,
});

test("G1: a locked, plain package is admitted, and every rule says what became of it", () => {
  const decision = decide(rulesWith(), candidateWith());
  expect(decision.results.filter((each) => each.outcome === "refused")).toEqual([]);
  expect(decision.verdict).toBe("admitted");
  expect(decision.results.map((each) => each.rule)).toEqual(gateRules.map((rule) => rule.id));
  expect(gateRefusal(decision)).toBeUndefined();
});

test("G1: one refusal refuses; the error has its code, its rule and how to ask for an exception", () => {
  const decision = decide(
    rulesWith({ denied: [{ packages: "pkg:npm/left-pad", reason: "sabotaged release" }] }),
    candidateWith(),
  );
  const error = gateRefusal(decision);
  expect(error).toMatchObject({ code: "GATE_DENIED", nature: "refused" });
  expect(error?.message).toContain("left-pad@1.3.0 (npm): sabotaged release [rule denied]");
  expect(error?.hint).toContain("gate.exceptions");
});

test("G2: rules that need an index say so, so that it is asked for", () => {
  expect(needsAnnouncement(rulesWith())).toBe(false);
  const ones = [{ minimumAge: { seconds: 1, except: [] } }, { asOf: "2026-01-01T00:00:00Z" }] as const;
  for (const one of ones) expect(needsAnnouncement(rulesWith(one))).toBe(true);
  expect(needsAnnouncement(rulesWith({ withdrawn: "refuse" }))).toBe(true);
  expect(needsAnnouncement(rulesWith({ newPublisher: "refuse" }))).toBe(true);
});

test("G1: the result is the same for the same question, and the question is not changed", () => {
  const [rules, candidate] = [rulesWith(), candidateWith()];
  const before = JSON.stringify(candidate);
  expect(decide(rules, candidate)).toEqual(decide(rules, candidate));
  expect(JSON.stringify(candidate)).toBe(before);
});

describe("G2: absence never passes", () => {
  test("no rules, no upstream, no setting", () => {
    expect(codes({} as GateRules, candidateWith())).toEqual(["GATE_RULES_EMPTY"]);
    expect(codes(rulesWith({ upstreams: {} }), candidateWith())).toEqual(["GATE_RULES_EMPTY"]);
    const { sizes: _, ...incomplete } = rulesWith();
    expect(codes(incomplete as GateRules, candidateWith())).toEqual(["GATE_RULES_EMPTY"]);
  });
  test("an unknown ecosystem", () => {
    expect(codes(rulesWith(), candidateWith({}, { ecosystem: "gem" as "npm" }))).toEqual(["GATE_ECOSYSTEM_UNKNOWN"]);
  });
  test("an archive that was not inspected, hashed or measured", () => {
    const { archive: _, hashes: __, size: ___, ...bare } = candidateWith();
    const decision = decide(rulesWith(), bare);
    expect(decision.results.filter((each) => each.code === "GATE_FACTS_MISSING").map((each) => each.rule)).toEqual([
      "locked-digest",
      "same-name-other-bytes",
      "install-scripts",
      "archive-safety",
      "size-and-count",
    ]);
  });
  test("a package without a name or date, where a rule needs them", () => {
    const nameless = candidateWith();
    const { name: _, purl: __, ...facts } = nameless.facts;
    expect(codes(rulesWith(), { ...nameless, facts })).toContain("GATE_FACTS_MISSING");
    expect(codes(rulesWith({ minimumAge: { seconds: 60, except: [] } }), candidateWith())).toEqual([
      "GATE_FACTS_MISSING",
    ]);
  });
  test("before the file is here, what only it can tell is not evaluated and refuses nothing", () => {
    const { archive: _, hashes: __, size: ___, ...asked } = candidateWith({ phase: "contact" });
    const decision = decide(rulesWith(), asked);
    expect(decision.verdict).toBe("admitted");
    expect(outcome("archive-safety", rulesWith(), asked)?.outcome).toBe("not-evaluated");
  });
});

describe("G3: exceptions", () => {
  const exception = (changes: Partial<GateException> = {}): GateException => ({
    rule: "denied",
    packages: "pkg:npm/left-pad@1.3.0",
    reason: "looked at",
    approver: "Ada",
    expires: "2026-07-01T00:00:00Z",
    digest: sha256("exception"),
    ...changes,
  });
  const denied = [{ packages: "pkg:npm/*", reason: "all" }];
  test("let one rule pass, visibly", () => {
    const rules = rulesWith({ denied, exceptions: [exception()] });
    expect(decide(rules, candidateWith()).verdict).toBe("admitted");
    expect(outcome("denied", rules, candidateWith())).toMatchObject({
      outcome: "excepted",
      code: "GATE_DENIED",
      exception: sha256("exception"),
    });
  });
  test("expire, cover what they say, and name a version where the rule demands one", () => {
    const stale = rulesWith({ denied, exceptions: [exception({ expires: "2026-05-01T00:00:00Z" })] });
    expect(outcome("denied", stale, candidateWith())?.message).toContain("expired on 2026-05-01");
    expect(
      codes(rulesWith({ denied, exceptions: [exception({ packages: "pkg:npm/other@1" })] }), candidateWith()),
    ).toEqual(["GATE_DENIED"]);
    const wide = rulesWith({ denied, exceptions: [exception({ packages: "pkg:npm/left-pad" })] });
    expect(outcome("denied", wide, candidateWith())?.message).toContain("names no version");
  });
  test("never excuse bytes that are not the locked ones", () => {
    const rules = rulesWith({ exceptions: [exception({ rule: "locked-digest" })] });
    expect(codes(rules, candidateWith({ hashes: { sha256: "b".repeat(64) } }))).toEqual(["GATE_DIGEST_DIFFERS"]);
  });
});

describe("G4: what is fetched is what was declared", () => {
  test("not locked; another version is, and would pass", () => {
    const decision = decide(rulesWith(), candidateWith({}, {}));
    expect(decision.verdict).toBe("admitted");
    const other = candidateWith();
    const locked = other.locked.map((each) => ({ ...each, version: "1.2.0" }));
    expect(outcome("locked", rulesWith(), { ...other, locked })).toMatchObject({
      code: "GATE_NOT_LOCKED",
      wouldPass: "1.2.0",
    });
  });
  test("an ecosystem may be recorded, or signed instead", () => {
    const unlocked = candidateWith({ locked: [], announced: [announcement({ digests: [digestOf(sha)] })] });
    const mode = (npm: "record" | "signed") => rulesWith({ unlocked: { ...rulesWith().unlocked, npm } });
    expect(codes(mode("record"), unlocked)).toEqual([]);
    expect(codes(mode("record"), { ...unlocked, announced: [] })).toEqual([]);
    expect(codes(mode("signed"), unlocked)).toEqual(["GATE_NOT_LOCKED"]);
    const evidence = [{ kind: "npm-signature", outcome: "verified", message: "good" }] as const;
    expect(codes(mode("signed"), { ...unlocked, evidence })).toEqual([]);
  });
  test("weak digests alone, or none, are not enough", () => {
    const weak = candidateWith({ hashes: { sha256: sha, sha1: "c".repeat(40) } });
    const digests = [{ algorithm: "sha1" as const, value: "c".repeat(40) }];
    const locked = weak.locked.map((each) => ({ ...each, digests }));
    expect(codes(rulesWith(), { ...weak, locked })).toEqual(["GATE_DIGEST_UNKNOWN"]);
    const none = weak.locked.map((each) => ({ ...each, digests: [] }));
    const announced = [announcement({ digests: [digestOf(sha)] })];
    expect(codes(rulesWith(), { ...weak, locked: none, announced })).toEqual([]);
    expect(codes(rulesWith({ lockedDigest: "lockfile" }), { ...weak, locked: none, announced })).toEqual([
      "GATE_DIGEST_UNKNOWN",
    ]);
  });
  test("other bytes than ever seen under the name", () => {
    const seen = [
      {
        purl: "pkg:npm/left-pad@1.3.0",
        fileName: "left-pad-1.3.0.tgz",
        digest: sha256("other"),
        size: 3,
        firstSeen: "2026-01-01T00:00:00Z",
        upstream: "outer",
      },
    ];
    expect(codes(rulesWith(), candidateWith({ seen }))).toEqual(["GATE_BYTES_CHANGED"]);
  });
  test("a repository that is not configured", () => {
    const upstream = { ...outer, url: "https://elsewhere.example.com/" };
    expect(codes(rulesWith(), candidateWith({}, { upstream }))).toEqual(["GATE_UPSTREAM_UNTRUSTED"]);
  });
  test("an exclusive name from another repository, however it is spelled", () => {
    for (const name of ["@acme/billing", "@ACME/billing"]) {
      expect(codes(rulesWith(), candidateWith({}, { name }))).toContain("GATE_SCOPE_EXCLUSIVE");
      expect(codes(rulesWith(), candidateWith({}, { name, upstream: inner }))).toEqual([]);
    }
  });
  test("a later repository without a locked digest must wait for what the earlier ones say", () => {
    const first = { ...inner, exclusive: [] };
    const rules = rulesWith({
      upstreams: { npm: [first, outer] },
      unlocked: { ...rulesWith().unlocked, npm: "record" },
    });
    const candidate = candidateWith({ locked: [], announced: [announcement({ digests: [digestOf(sha)] })] });
    expect(codes(rules, candidate)).toEqual(["GATE_UPSTREAM_UNTRUSTED"]);
    expect(codes(rules, { ...candidate, absentFrom: ["inner"] })).toEqual([]);
    expect(codes(rulesWith({ upstreams: { npm: [first, outer] } }), candidateWith())).toEqual([]);
  });
});

describe("G6: the user's rules", () => {
  const published = (publishedAt: string, version = "1.3.0") =>
    announcement({ publishedAt, version, fileName: `left-pad-${version}.tgz` });
  test("minimum age names the version that would pass, and knows exceptions", () => {
    const announced = [published("2026-05-31T22:00:00Z"), published("2026-04-01T00:00:00Z", "1.2.0")];
    const rules = rulesWith({ minimumAge: { seconds: 7 * 86_400, except: [] } });
    expect(outcome("minimum-age", rules, candidateWith({ announced }))).toMatchObject({
      code: "GATE_TOO_YOUNG",
      wouldPass: "1.2.0",
      message: "expected left-pad@1.3.0 (npm) to be published for 7 days, found 2 hours",
    });
    const except = rulesWith({ minimumAge: { seconds: 7 * 86_400, except: ["pkg:npm/left-*"] } });
    expect(codes(except, candidateWith({ announced }))).toEqual([]);
    expect(codes(rules, candidateWith({ announced: [published("2027-01-01T00:00:00Z")] }))).toEqual(["GATE_TOO_YOUNG"]);
  });
  test("the world as of a date", () => {
    const announced = [published("2026-02-03T00:00:00Z")];
    expect(codes(rulesWith({ asOf: "2026-01-31T00:00:00Z" }), candidateWith({ announced }))).toEqual([
      "GATE_AFTER_DATE",
    ]);
    expect(codes(rulesWith({ asOf: "2026-02-28T00:00:00Z" }), candidateWith({ announced }))).toEqual([]);
  });
  test("install-time programs are listed, refused, or allowed by name", () => {
    const archive = { ...plainArchive, installScripts: ["package.json scripts.postinstall"] };
    expect(outcome("install-scripts", rulesWith(), candidateWith({ archive }))?.message).toContain("does not run");
    const strict = rulesWith({ installScripts: { mode: "refuse", allowed: [] } });
    expect(codes(strict, candidateWith({ archive }))).toEqual(["GATE_INSTALL_SCRIPT"]);
    const { archive: _, ...asked } = candidateWith({ phase: "contact" });
    expect(codes(strict, { ...asked, announced: [announcement({ installScripts: true })] })).toEqual([
      "GATE_INSTALL_SCRIPT",
    ]);
    const allowed = rulesWith({ installScripts: { mode: "refuse", allowed: ["pkg:npm/left-pad"] } });
    expect(codes(allowed, candidateWith({ archive }))).toEqual([]);
  });
  test("required evidence, and evidence that is wrong", () => {
    const rules = rulesWith({ requiredEvidence: [{ packages: "pkg:npm/*", all: ["npm-provenance"] }] });
    expect(codes(rules, candidateWith())).toEqual(["GATE_EVIDENCE_MISSING"]);
    const evidence = [{ kind: "npm-provenance", outcome: "verified", message: "" }] as const;
    expect(codes(rules, candidateWith({ evidence }))).toEqual([]);
    const wrong = [{ kind: "npm-signature", outcome: "refused", message: "another key" }] as const;
    expect(codes(rulesWith(), candidateWith({ evidence: wrong }))).toEqual(["GATE_EVIDENCE_MISSING"]);
  });
  const before = {
    version: "1.2.0",
    admittedAt: "2026-01-01T00:00:00Z",
    publisher: "ada",
    evidence: ["npm-provenance"],
    installScripts: false,
    upstream: "outer",
  } as const;
  const history = { package: "pkg:npm/left-pad", versions: [before] };
  test("a new publisher", () => {
    const announced = [announcement({ publisher: "mallory" })];
    const evidence = [{ kind: "npm-provenance", outcome: "verified", message: "" }] as const;
    const candidate = candidateWith({ history, announced, evidence });
    expect(outcome("new-publisher", rulesWith(), candidate)).toMatchObject({ outcome: "passed" });
    expect(codes(rulesWith({ newPublisher: "refuse" }), candidate)).toEqual(["GATE_NEW_PUBLISHER"]);
    const same = candidateWith({ history, announced: [announcement({ publisher: "ada" })], evidence });
    expect(codes(rulesWith({ newPublisher: "refuse" }), same)).toEqual([]);
  });
  test("vanished evidence", () => {
    expect(outcome("vanished-evidence", rulesWith(), candidateWith({ history }))).toMatchObject({
      code: "GATE_EVIDENCE_VANISHED",
      wouldPass: "1.2.0",
    });
    const again = { ...history, versions: [before, { ...before, version: "1.3.0", evidence: [] }] };
    expect(codes(rulesWith(), candidateWith({ history: again }))).toEqual([]);
    const { history: _, ...unknown } = candidateWith();
    expect(codes(rulesWith(), unknown)).toEqual(["GATE_FACTS_MISSING"]);
  });
  test("withdrawn versions", () => {
    const announced = [
      announcement({ withdrawn: "broken\u001b[31m" }),
      announcement({ version: "1.2.0", fileName: "x" }),
    ];
    expect(outcome("withdrawn", rulesWith(), candidateWith({ announced }))?.message).toBe(
      "recorded: withdrawn, broken [31m",
    );
    expect(outcome("withdrawn", rulesWith({ withdrawn: "refuse" }), candidateWith({ announced }))).toMatchObject({
      code: "GATE_WITHDRAWN",
      wouldPass: "1.2.0",
    });
  });
  test("licences", () => {
    const archive = { ...plainArchive, licence: "(MIT OR GPL-3.0-only) AND ISC" };
    const rules = (licence: GateRules["licence"]) => rulesWith({ licence });
    expect(outcome("licence", rulesWith(), candidateWith())?.outcome).toBe("not-evaluated");
    expect(codes(rules({ denied: ["GPL-3.0-only"] }), candidateWith({ archive }))).toEqual([]);
    expect(codes(rules({ denied: ["ISC"] }), candidateWith({ archive }))).toEqual(["GATE_LICENCE"]);
    expect(codes(rules({ denied: [], allowed: ["MIT"] }), candidateWith({ archive }))).toEqual(["GATE_LICENCE"]);
    const odd = { ...plainArchive, licence: "see the file ((" };
    expect(codes(rules({ denied: ["ISC"] }), candidateWith({ archive: odd }))).toEqual(["GATE_LICENCE"]);
    const { licence: _, ...silent } = plainArchive;
    expect(codes(rules({ denied: ["ISC"] }), candidateWith({ archive: silent }))).toEqual(["GATE_FACTS_MISSING"]);
  });
  test("vulnerabilities without advisory data are recorded as not evaluated, and refused once configured", () => {
    expect(outcome("vulnerabilities", rulesWith(), candidateWith())?.outcome).toBe("not-evaluated");
    expect(codes(rulesWith({ vulnerabilities: "high" }), candidateWith())).toEqual(["GATE_NOT_EVALUATED"]);
    const blind = candidateWith({ vulnerabilities: { findings: [], notEvaluated: "no data about npm" } });
    expect(codes(rulesWith({ vulnerabilities: "high" }), blind)).toEqual(["GATE_NOT_EVALUATED"]);
  });

  test("vulnerabilities refuse from the severity that is configured, and so does one without a score", () => {
    const rules = rulesWith({ vulnerabilities: "high" });
    const knowing = (which: "low" | "high" | "unscored") =>
      candidateWith({
        vulnerabilities: { findings: [{ id: "CVE-2026-0001", class: which, fixed: "1.3.1" }], clean: "1.4.0" },
      });
    expect(codes(rules, knowing("high"))).toEqual(["GATE_VULNERABLE"]);
    expect(outcome("vulnerabilities", rules, knowing("high"))?.wouldPass).toBe("1.4.0");
    expect(codes(rules, knowing("unscored"))).toEqual(["GATE_VULNERABLE"]);
    expect(outcome("vulnerabilities", rules, knowing("low"))?.outcome).toBe("passed");
    expect(outcome("vulnerabilities", rulesWith(), knowing("high"))?.message).toContain("CVE-2026-0001 (high)");
    expect(outcome("vulnerabilities", rules, candidateWith({ vulnerabilities: { findings: [] } }))?.outcome).toBe(
      "passed",
    );
  });
  test("sizes, counts and ratio", () => {
    expect(codes(rulesWith(), candidateWith({ size: 3 * 2 ** 30 }))).toEqual(["GATE_TOO_LARGE"]);
    const many = { ...plainArchive, files: 600_000 };
    expect(codes(rulesWith(), candidateWith({ archive: many }))).toEqual(["GATE_TOO_LARGE"]);
    const bomb = { ...plainArchive, unpackedBytes: 2 ** 30 };
    expect(codes(rulesWith(), candidateWith({ archive: bomb }))).toEqual(["GATE_TOO_LARGE"]);
    expect(codes(rulesWith(), candidateWith({ size: 2 ** 28 }, { kind: "index" }))).toEqual(["GATE_TOO_LARGE"]);
  });
  test("archives with faults", () => {
    const archive = { ...plainArchive, faults: [{ code: "ARCHIVE_PATH_OUTSIDE", message: "../x" }] };
    expect(codes(rulesWith(), candidateWith({ archive }))).toEqual(["GATE_ARCHIVE_UNSAFE"]);
  });
  test("chatter", () => {
    expect(codes(rulesWith(), candidateWith({}, { kind: "chatter" }))).toEqual(["GATE_CHATTER"]);
    expect(codes(rulesWith({ chatter: "allow" }), candidateWith({}, { kind: "chatter" }))).toEqual([]);
  });
  describe("third-party reviews", () => {
    const review = {
      digest: sha256("review"),
      packages: "pkg:npm/left-pad",
      decision: "accept" as "accept" | "limit" | "deny",
      steps: [] as string[],
      party: "first",
      approver: "Ada",
      expires: "2026-07-01T00:00:00Z",
    } as const;
    const rules = (required: "all" | "new") => rulesWith({ thirdPartyReview: { required, parties: ["first"] } });
    test("no decision, no ingest", () => {
      expect(codes(rules("all"), candidateWith())).toEqual(["GATE_REVIEW_MISSING"]);
      expect(codes(rules("new"), candidateWith())).toEqual(["GATE_REVIEW_MISSING"]);
      expect(codes(rules("new"), candidateWith({ known: ["left-pad"] }))).toEqual([]);
      expect(codes(rules("all"), candidateWith({ reviews: [review] }))).toEqual([]);
    });
    test("expired ones and those of other parties do not count", () => {
      const stale = { ...review, expires: "2026-05-01T00:00:00Z" };
      expect(codes(rules("all"), candidateWith({ reviews: [stale] }))).toEqual(["GATE_REVIEW_MISSING"]);
      const other = { ...review, party: "third" } as const;
      expect(codes(rules("all"), candidateWith({ reviews: [other] }))).toEqual(["GATE_REVIEW_MISSING"]);
    });
    test("a denial refuses always, a limit elsewhere", () => {
      const denial = { ...review, decision: "deny" } as const;
      expect(codes(rulesWith(), candidateWith({ reviews: [review, denial] }))).toEqual(["GATE_REVIEW_DENIES"]);
      const limit = { ...review, decision: "limit", steps: ["docs"] } as const;
      expect(codes(rules("all"), candidateWith({ reviews: [limit] }))).toEqual(["GATE_REVIEW_DENIES"]);
      expect(codes(rules("all"), candidateWith({ reviews: [limit], step: "docs" }))).toEqual([]);
    });
  });
});

function digestOf(value: string) {
  return { algorithm: "sha256", value, source: "index", from: "https://packages.example.com/left-pad" } as const;
}
