import { expect, test } from "vitest";
import { buildLines, type ShownBuild } from "./build-lines.ts";

const build = (name: string, materials: ShownBuild["materials"] = []): ShownBuild => ({
  ...{ digest: "0".repeat(64), name, signer: "spiffe://maker/builder", materials },
});

test("X18: what a package was built of is a list of bounded length and depth, and cannot act on the screen", () => {
  const plain = { uri: "pkg:npm/plain@1", digests: { sha256: "ab" } };
  const inner = { uri: "pkg:npm/inner@1\u001b[2J", digests: {}, build: build("inner", [plain]) };
  expect(buildLines(build("top", [plain, inner]))).toEqual([
    "built by spiffe://maker/builder of",
    expect.stringMatching(/^ {2}pkg:npm\/inner@1/),
    "    built by spiffe://maker/builder of",
    "      pkg:npm/plain@1 sha256:ab",
    "  pkg:npm/plain@1 sha256:ab",
  ]);
  expect(buildLines(build("top", [inner])).join("")).not.toContain("\u001b");
  const many = Array.from({ length: 25 }, () => plain);
  expect(buildLines(build("top", many)).at(-1)).toBe("  and 5 more");
  let deep = build("bottom", [plain]);
  for (let level = 0; level < 7; level++) deep = build("above", [{ ...plain, build: deep }]);
  expect(buildLines(deep).at(-1)?.trim()).toBe("built of 1 materials");
});
