import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFactory } from "@touchmark/pipeline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { say } from "../../fixture.ts";

let directory: string;
let reviews: string;

beforeAll(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-review-")));
  process.env["TOUCHMARK_HOME"] = join(directory, "home");
  const factory = await openFactory({ create: true });
  reviews = join(factory.home.paths.materials, "reviews");
  await factory.close();
});

afterAll(() => {
  delete process.env["TOUCHMARK_HOME"];
  rmSync(directory, { recursive: true, force: true });
});

const words = [
  "--reason",
  "eleven lines",
  "--health",
  "old",
  "--disclosure",
  "none",
  "--approver",
  "Ada",
  "--party",
  "second",
];

test("X16: signs, keeps and lists decisions; a damaged one is an error", async () => {
  expect(await say(["materials", "review"])).toMatchObject({ code: 0, out: "" });
  const denied = await say([
    "materials",
    "review",
    "pkg:npm/left-pad",
    "--decision",
    "deny",
    ...words,
    "--expires",
    "180d",
  ]);
  expect(denied).toMatchObject({ code: 0 });
  expect(denied.out).toMatch(
    /^deny {2}pkg:npm\/left-pad, until .*Z\nsha256:[0-9a-f]{64}\nsigned as spiffe:\/\/.*\/attest/,
  );
  const limit = ["--decision", "limit", "--step", "docs", "--expires", "2099-01-31", "--json"];
  expect((await say(["materials", "review", "pkg:pypi/a@1.*", ...limit, ...words])).code).toBe(0);
  const listed = JSON.parse((await say(["materials", "review", "--json"])).out) as {
    packages: string;
    steps: string[];
  }[];
  expect(listed.map((each) => [each.packages, each.steps]).sort()).toEqual([
    ["pkg:npm/left-pad", []],
    ["pkg:pypi/a@1.*", ["docs"]],
  ]);
  expect((await say(["materials", "review"])).out).toContain("deny    pkg:npm/left-pad  Ada, until ");
  expect(readdirSync(reviews)).toHaveLength(2);
  writeFileSync(join(reviews, "forged.json"), "{}");
  expect(await say(["materials", "review"])).toMatchObject({ code: 3 });
});

test("X16: an incomplete decision is refused before anything is signed", async () => {
  const short = await say(["materials", "review", "pkg:npm/a", "--decision", "accept"]);
  expect([short.code, short.err]).toEqual([2, expect.stringContaining("expected --party")]);
  const stale = ["--decision", "accept", ...words, "--expires", "2020-01-01"];
  expect((await say(["materials", "review", "pkg:npm/a", ...stale])).err).toContain("PROCEDURE_REVIEW_INVALID");
  const odd = ["--decision", "accept", ...words, "--expires", "soon"];
  expect((await say(["materials", "review", "pkg:npm/a", ...odd])).code).toBe(2);
  const wide = ["--decision", "accept", ...words, "--expires", "1d"];
  expect((await say(["materials", "review", "*", ...wide])).err).toContain("PROCEDURE_REVIEW_INVALID");
});
