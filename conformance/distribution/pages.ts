import { expectThat } from "./check.ts";
import type { Answer } from "./client.ts";

/** @returns the address of the next page, undefined at the last */
export function nextOf(answer: Answer): string | undefined {
  const { link } = answer.headers;
  if (link === undefined) return undefined;
  const found = /^<([^>]+)>\s*;\s*rel="?next"?$/.exec(String(link).trim());
  expectThat(found !== null, `${answer.asked}: expected <ADDRESS>; rel="next", found ${String(link)}`);
  return found[1];
}

const same = (a: readonly string[], b: readonly string[]): boolean => JSON.stringify(a) === JSON.stringify(b);

/** @throws Unmet unless both lists are the same */
export function expectList(found: readonly string[], expected: readonly string[]): void {
  expectThat(same(found, expected), `expected ${expected.join()}, found ${found.join()}`);
}
