import { expect, test } from "vitest";
import { checkLinks, documentationPages } from "./links.ts";

test("D1: every link of the pages leads somewhere", () => {
  expect(documentationPages()).toContain("docs/tour.md");
  expect(checkLinks()).toEqual([]);
});

test("D1: a link to nothing is found", () => {
  const page = "tools/SPEC.md";
  expect(checkLinks([page])).toEqual([]);
  expect(checkLinks(["tools/testdata/broken-links.md"]).map((finding) => finding.message)).toEqual([
    "links to nowhere.md, which does not exist",
    "links to ../../../outside.md, which does not exist",
  ]);
});
