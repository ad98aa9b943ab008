import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { statementOf, subjectOf } from "@touchmark/formats/predicates";
import { mintBundle, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { readTrustRoot } from "@touchmark/verify";
import { afterAll, describe, expect, test } from "vitest";
import {
  buildReview,
  type Reviewer,
  type ReviewWords,
  readReview,
  readReviewers,
  readReviews,
  reviewSubject,
} from "./review.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-reviews-"));
const world = mintWorld({ intermediate: { permittedUris: ["factory.example"] } });
const identity = "spiffe://factory.example/attest";
const issuer = "https://issuer.example";
afterAll(() => rmSync(directory, { recursive: true }));

const words: ReviewWords = {
  packages: "pkg:npm/left-pad",
  decision: "accept",
  party: "second",
  approver: "Ada",
  health: "well kept",
  disclosure: "by mail",
  reasons: ["eleven lines"],
  expires: "2099-01-01T00:00:00Z",
};

function signed(changes: Partial<ReviewWords> = {}, subject?: string): Uint8Array {
  const review = buildReview({ ...words, ...changes }, fixedClock(world.at));
  const digest = reviewSubject(subject ?? review.packages);
  const statement = statementOf("third-party-review", [subjectOf("review", digest)], review);
  return mintBundle(world, { statement, leaf: { uris: [identity], identityIssuer: issuer } }).bytes;
}
const reviewer = (changes: Partial<Reviewer> = {}): Reviewer => ({
  root: readTrustRoot(trustedRootBytes(world)),
  identity,
  issuer,
  isOwn: true,
  ...changes,
});

describe("D3: writing", () => {
  const clock = fixedClock("2026-06-01T00:00:00Z");
  test.each<[string, Partial<ReviewWords>]>([
    ["has expired already", { expires: "2026-05-31T00:00:00Z" }],
    ["limits to no step", { decision: "limit" }],
    ["accepts for one step", { steps: ["docs"] }],
    ["has no reason", { reasons: [] }],
    ["covers everything", { packages: "*" }],
    ["names no person", { approver: "" }],
  ])("a review that %s is refused", (_what, changes) => {
    expect(() => buildReview({ ...words, ...changes }, clock)).toThrow(
      expect.objectContaining({ code: "PROCEDURE_REVIEW_INVALID" }),
    );
  });
  test("a whole one has the moment", () => {
    expect(buildReview({ ...words, decision: "limit", steps: ["docs"] }, clock).createdAt).toBe("2026-06-01T00:00:00Z");
  });
});

describe("D3: reading", () => {
  test("a signed review counts by its words", () => {
    expect(readReview(signed({ decision: "limit", steps: ["docs"] }), [reviewer()])).toMatchObject({
      packages: "pkg:npm/left-pad",
      decision: "limit",
      steps: ["docs"],
      party: "second",
      approver: "Ada",
    });
  });
  test("another signer, another subject, changed bytes, a first party that is none, nobody", () => {
    const refused = (bytes: Uint8Array, reviewers: readonly Reviewer[]) =>
      expect(() => readReview(bytes, reviewers)).toThrow(
        expect.objectContaining({ code: "PROCEDURE_REVIEW_UNVERIFIED" }),
      );
    const bytes = signed();
    refused(bytes, [reviewer({ identity: "spiffe://factory.example/builder" })]);
    refused(bytes, [reviewer({ issuer: "https://other.example" })]);
    refused(bytes, []);
    const bundle = JSON.parse(Buffer.from(bytes).toString("utf8")) as { dsseEnvelope: { payload: string } };
    const payload = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString("utf8").replace("accept", "ACCEPT");
    bundle.dsseEnvelope.payload = Buffer.from(payload).toString("base64");
    refused(Buffer.from(JSON.stringify(bundle)), [reviewer()]);
    refused(signed({}, "pkg:npm/other"), [reviewer()]);
    const first = signed({ party: "first" });
    expect(readReview(first, [reviewer()]).party).toBe("first");
    refused(first, [reviewer({ isOwn: false })]);
  });
  test("a directory: none, several, and one that does not verify", () => {
    expect(readReviews(join(directory, "none"), [reviewer()])).toEqual([]);
    writeFileSync(join(directory, "a.json"), signed());
    writeFileSync(join(directory, "b.json"), signed({ decision: "deny" }));
    expect(readReviews(directory, [reviewer()]).map((each) => each.decision)).toEqual(["accept", "deny"]);
    writeFileSync(join(directory, "c.json"), "{}");
    expect(() => readReviews(directory, [reviewer()])).toThrow(/c\.json/);
  });
  test("others by their trust root and rules that name identity and issuer", () => {
    const root = join(directory, "other.root");
    const rules = join(directory, "other.yaml");
    writeFileSync(root, trustedRootBytes(world));
    writeFileSync(
      rules,
      `touchmark: evidence-trust/v1\nsigners:\n  - packages: "*"\n    identity: ${identity}\n    issuer: ${issuer}\n`,
    );
    expect(readReviewers([root])).toEqual([]);
    const others = readReviewers([root, rules]);
    expect(others).toHaveLength(1);
    expect(readReview(signed({ party: "third" }), others).party).toBe("third");
  });
});
