import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { forgeZip } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { flaw, freshDirectory, known, victim, write } from "./advisories-scene.ts";

/** What a home says of a feed with one good record and a bad one. */
async function afterUpdate(name: string, bad: unknown) {
  const feed = join(freshDirectory(), "feed");
  write(join(feed, "good.json"), flaw("A-1"));
  write(join(feed, name), bad);
  const { update, place, clock } = victim(feed);
  const { database } = await update();
  const losses = database.footer.sources[0]?.losses.named.map(({ path, code }) => `${path} ${code}`);
  return { losses, known: known(place, clock.now()) };
}

/** What a program says that goes through a range from its first event to its last. */
function naivelyAffected(events: readonly Record<string, string>[], version: string): boolean {
  const introduced = events.find((event) => event["introduced"] !== undefined)?.["introduced"] ?? "";
  const fixed = events.find((event) => event["fixed"] !== undefined)?.["fixed"] ?? "";
  return version >= introduced && version < fixed;
}

test("attack: a range that ends before it begins passes for a statement that nothing is affected", async () => {
  const events = [{ introduced: "2.0.0" }, { fixed: "1.0.0" }, { fixed: "2.0.0" }] as Record<string, string>[];
  for (const version of ["0.5.0", "1.5.0", "2.5.0"]) expect(naivelyAffected(events, version)).toBe(false);
  const said = await afterUpdate("empty.json", flaw("A-2", undefined, events));
  expect(said).toEqual({ losses: ["empty.json ADVISORY_RANGE_IMPOSSIBLE"], known: ["A-1"] });
  const endless = await afterUpdate("ends.json", flaw("A-2", undefined, [{ fixed: "1.0.0" }]));
  expect(endless.losses).toEqual(["ends.json ADVISORY_RANGE_IMPOSSIBLE"]);
});

test("attack: names in records draw on the screen, or are other than they look", async () => {
  for (const id of ["\u001b[2J\u001b[HCVE-2026-1", "CVE-2026-1\u202e", "CVE-2026-1\nok", "../../../etc/passwd"]) {
    // Whoever prints it as it is prints that.
    expect(`${id} is fixed`).toContain(id);
    const said = await afterUpdate("hostile.json", flaw(id));
    expect([id, said]).toEqual([id, { losses: ["hostile.json ADVISORY_NAME_INVALID"], known: ["A-1"] }]);
  }
});

test("attack: a few kilobytes unpack to what fills memory", async () => {
  const zeros = Buffer.alloc(80 << 20);
  const packed = gzipSync(zeros);
  expect(zeros.length / packed.length).toBeGreaterThan(900);
  const gzip = await afterUpdate("bomb.json.gz", packed);
  expect(gzip).toEqual({ losses: ["bomb.json ADVISORY_RECORD_TOO_LARGE"], known: ["A-1"] });
  const zip = await afterUpdate("bomb.zip", forgeZip([{ name: "bomb.json", content: zeros }]));
  expect(zip).toEqual({ losses: ["bomb.zip!/bomb.json ADVISORY_RECORD_TOO_LARGE"], known: ["A-1"] });
  // One that says a small size and unpacks to a large one.
  const lying = forgeZip([
    { name: "lie.json", content: zeros, central: { size: 100 }, local: { size: 100 } },
    { name: "fine.json", content: JSON.stringify(flaw("A-2")) },
  ]);
  const lie = await afterUpdate("lie.zip", lying);
  expect(lie).toEqual({ losses: ["lie.zip!/lie.json ADVISORY_MALFORMED"], known: ["A-1", "A-2"] });
});

test("attack: one broken record ends the reading of all others", async () => {
  const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  expect(() => JSON.parse("{")).toThrow();
  for (const [name, bad] of [
    ["cut.json", JSON.stringify(flaw("A-2")).slice(0, 60)],
    ["deep.json", nested],
    ["null.json", "null"],
    ["aliases.yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"],
  ] as const) {
    const said = await afterUpdate(name, bad);
    expect([name, said.known]).toEqual([name, ["A-1"]]);
    expect(said.losses?.[0]).toMatch(/ADVISORY_(?:MALFORMED|RECORD_TOO_LARGE)$/);
  }
});
