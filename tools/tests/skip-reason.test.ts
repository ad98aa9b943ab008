import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { skipReason } from "./skip-reason.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-skip-"));
afterAll(() => rmSync(directory, { recursive: true }));

function reasonOf(text: string, lines: readonly number[]): string {
  const file = join(directory, "x.test.ts");
  writeFileSync(file, text);
  return skipReason(file, lines);
}

test("T1: the reason is the condition, in words where it names a tool", () => {
  expect(reasonOf(`test.skipIf(!cosign)("a", f);`, [1])).toBe("cosign is not here");
  expect(reasonOf(`test.skipIf(cosign === undefined)("a", f);`, [1])).toBe("cosign is not here");
  expect(reasonOf(`test.runIf(linux)("a", f);`, [1])).toBe("linux is not here");
  expect(reasonOf(`test.skipIf(a(1) > 2)("a", f);`, [1])).toBe("because a(1) > 2");
});

test("T1: the condition may stand at the suite, or some lines above the title", () => {
  expect(reasonOf(`describe.skipIf(!git)("a", () => {\n\n\n\n\n\n\n\n\n  test("b", f);\n});`, [10, 1])).toBe(
    "git is not here",
  );
  expect(reasonOf(`test.skipIf(\n  !bwrap,\n)("a", f);`, [3])).toBe("bwrap is not here");
  expect(reasonOf(`test("a", f);`, [1])).toBe("no reason given");
});
