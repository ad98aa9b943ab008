import { expect, test } from "vitest";
import { reconcile } from "./reconcile.ts";
import type { Reconciliation } from "./reconciliation.ts";
import { assertReconciled, reconciliationSummary } from "./summary.ts";
import { digestOf, locked, lockfile, record, world } from "./world.fixture.ts";

const list = (count: number): [string, string][] => Array.from({ length: count }, (_, index) => [`p${index}`, "1.0.0"]);

test("R6: one line says how it went", () => {
  const input = world(list(679), 1);
  const others = list(26).map(([name]) => locked(`other-${name}`, "1.0.0", { platform: { cpu: ["mips"] } }));
  const lockfiles = [lockfile([...(input.lockfiles[0]?.packages ?? []), ...others])];
  expect(reconciliationSummary(reconcile({ ...input, lockfiles }))).toBe(
    "705 locked, 679 fetched, 26 for other platforms, 0 unknown",
  );
});

test("R6: what is not nothing is in the line, what is nothing is not", () => {
  const input = world(list(3), 1);
  const more = [locked("maybe", "1.0.0", { scope: "optional" }), locked("missing", "1.0.0")];
  const result = reconcile({
    ...input,
    lockfiles: [lockfile([...(input.lockfiles[0]?.packages ?? []), ...more])],
    records: [...input.records, record("evil", "6.6.6"), record("libc6", "2.36", { ecosystem: "deb" })],
    policy: { unlocked: { deb: "signed" } },
  });
  expect(reconciliationSummary(result)).toBe(
    "5 locked, 3 fetched, 1 optional left out, 1 not fetched, 1 without a lockfile, 1 unknown",
  );
  expect(reconciliationSummary(reconcile(world([])))).toBe("0 locked, 0 fetched, 0 unknown");
});

const input = world(list(2), 1);
const cases: readonly (readonly [string, Reconciliation])[] = [
  ["RECONCILE_NOT_LOCKED", reconcile({ ...input, records: [...input.records, record("evil", "6.6.6")] })],
  [
    "RECONCILE_DIGEST_DIFFERS",
    reconcile({ ...input, records: [record("p0", "1.0.0", {}, { digest: digestOf("x") })] }),
  ],
  [
    "RECONCILE_DIGEST_UNCHECKED",
    reconcile({
      ...input,
      lockfiles: [lockfile([locked("p0", "1.0.0", { digests: [{ algorithm: "sha512", value: "00" }] })])],
      records: [record("p0", "1.0.0")],
    }),
  ],
  [
    "RECONCILE_BYTES_CHANGED",
    reconcile({ ...input, refused: [{ url: "https://x.example/p0", code: "GATE_BYTES_CHANGED" }] }),
  ],
  [
    "RECONCILE_LOCKFILES_DISAGREE",
    reconcile({
      ...input,
      lockfiles: [
        ...input.lockfiles,
        lockfile([locked("p0", "1.0.0", { digests: [{ algorithm: "sha256", value: "00" }] })]),
      ],
    }),
  ],
  ["RECONCILE_REFUSED", reconcile({ ...input, used: [], policy: { effects: { "never-used": "refuse" } } })],
];

test.each(cases)("R6: a difference that refuses fails the step: %s", (code, result) => {
  expect(() => assertReconciled("fetch", result)).toThrow(expect.objectContaining({ code }));
});

test("R6: the message names the step, the difference and the first packages; notes fail nothing", () => {
  const records = [...input.records, ...list(5).map(([name]) => record(`evil-${name}`, "6.6.6"))];
  expect(() => assertReconciled("fetch", reconcile({ ...input, records }))).toThrow(
    /step fetch: fetched-not-locked: pkg:npm\/evil-p0@6.6.6; .* and 2 more/,
  );
  expect(() => assertReconciled("fetch", reconcile({ ...input, used: [] }))).not.toThrow();
});
