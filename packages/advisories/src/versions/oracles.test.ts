import { isFactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareVersions } from "./compare.ts";
import { oracles } from "./oracles.fixture.ts";
import { spellings } from "./spellings.fixture.ts";

const pairsEach = 250;

function ours(ecosystem: string, a: string, b: string): number | undefined {
  try {
    return Math.sign(compareVersions(ecosystem, a, b)) || 0;
  } catch (error) {
    if (isFactoryError(error) && error.code === "VERSION_UNREADABLE") return undefined;
    throw error;
  }
}

for (const { ecosystem, tool, isHere, compare } of oracles) {
  test.skipIf(!isHere)(
    `M1: versions of ${ecosystem} compare as by ${tool}${isHere ? "" : " (skipped: not here)"}`,
    () => {
      const spelled = spellings[ecosystem] ?? fc.constant("1");
      const pairs = fc.sample(fc.tuple(spelled, spelled), pairsEach);
      // Neighbours differ in one part only, which is where rules are tried.
      const close = fc.sample(
        fc.tuple(spelled, fc.constantFrom("~", ".0", "-1", "a", ".1", "-rc1", "_p1", "^1", "+1")),
        150,
      );
      const suffixed = close.map(([a, suffix]) => [a, a + suffix] as const);
      const all = [...pairs, ...suffixed];
      const answers = compare(all);
      expect(answers.length).toBe(all.length);
      const differences = all.flatMap(([a, b], i) => {
        const [mine, theirs] = [ours(ecosystem, a, b), answers[i]];
        // What either refuses has no order that could differ.
        return mine === undefined || theirs === undefined || mine === theirs ? [] : [{ a, b, mine, theirs }];
      });
      expect(differences).toEqual([]);
      const judged = all.filter(([a, b], i) => ours(ecosystem, a, b) !== undefined && answers[i] !== undefined);
      expect(judged.length).toBeGreaterThan(pairsEach / 2);
    },
  );
}
