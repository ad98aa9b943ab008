import { existsSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commitMaterial, sampleMaterial } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { historyText } from "./documents.ts";
import { codeOf, freshMirror } from "./mirror.fixture.ts";
import { pruneMirror } from "./prune-mirror.ts";
import { verifyMirror } from "./verify-mirror.ts";

const day = (n: number) => `2026-11-${String(n).padStart(2, "0")}T10:00:00Z`;
const sample = (word: string, n: number) =>
  sampleMaterial(word, {
    path: `/${word}`,
    facts: { name: word, purl: `pkg:npm/${word}@1.0.0`, fileName: `${word}-1.0.0.tgz` },
    more: { fetchedAt: day(n) },
  });

async function filled() {
  const made = await freshMirror();
  const words = ["one", "three", "seventeen"];
  const records = [];
  for (const [n, word] of words.entries()) records.push(await commitMaterial(made.mirror, word, sample(word, n + 1)));
  // Content has the real time: to the prune it is old.
  made.clock.set(new Date(Date.now() + 86_400_000));
  return { ...made, records: records as [(typeof records)[0], (typeof records)[0], (typeof records)[0]] };
}

test("M11: bodies go by age and by size, the oldest first, with their records; the ledger stays", async () => {
  const { options, mirror, stores, records, content } = await filled();
  const [one, three, seventeen] = records;
  const all = await stores();
  expect((await pruneMirror(all, options)).bodies).toEqual([]);
  const before = one.size + three.size + seventeen.size;
  const dry = await pruneMirror(all, options, { maxBytes: before - 1, dryRun: true });
  expect(dry).toMatchObject({ bytesBefore: before, freedBytes: 3, aboveMaxBytes: false });
  expect(await mirror.find(one.key)).toEqual(one);
  const report = await pruneMirror(all, options, { maxBytes: before - 1 });
  expect(report).toEqual({ ...dry, dryRun: false });
  expect(report.bodies.map(({ digest }) => digest)).toEqual([one.digest]);
  expect(await mirror.find(one.key)).toBeUndefined();
  expect(await mirror.findByDigest({ algorithm: "sha256", value: one.digest.slice(7) })).toBeUndefined();
  expect(await content.has(one.digest)).toBe(false);
  expect((await mirror.seen("pkg:npm/one@1.0.0", "one-1.0.0.tgz")).length).toBe(1);
  const old = await pruneMirror(all, options, { olderThanSeconds: 1 });
  expect(old.bodies.map(({ digest }) => digest)).toEqual([three.digest, seventeen.digest]);
  expect((await verifyMirror(options)).faults).toEqual([]);
  await commitMaterial(mirror, "one", one);
  expect(await mirror.find(one.key)).toEqual(one);
});

test("M11: what the evidence of a kept run names stays, also where other evidence names the body alone", async () => {
  const { options, mirror, stores, records, content, home } = await filled();
  const [one, three, seventeen] = records;
  const all = await stores();
  const run = await all.runs.create({ project: "p", pipeline: "default" });
  await run.finish("succeeded", { details: { fetched: [one.digest] } });
  writeFileSync(join(home.paths.projects, "p.json"), JSON.stringify({ digest: three.digest }));
  const report = await pruneMirror(all, options, { unused: true, maxBytes: 1 });
  expect(report.bodies.map(({ digest }) => digest)).toEqual([three.digest, seventeen.digest]);
  expect([report.kept["a kept run refers to it"], report.aboveMaxBytes, report.freedBytes]).toEqual([1, true, 9]);
  expect(await mirror.find(one.key)).toEqual(one);
  expect([await content.has(three.digest), await content.has(seventeen.digest)]).toEqual([true, false]);
});

test("M11: what was used lately stays, and so does what a run that is going on may use", async () => {
  const { options, mirror, stores, records, clock } = await filled();
  const all = await stores();
  clock.set(new Date());
  expect((await pruneMirror(all, options, { unused: true })).kept["it was used lately"]).toBe(3);
  clock.set(new Date(Date.now() + 86_400_000));
  const run = await all.runs.create({ project: "p", pipeline: "default" });
  clock.set(new Date(Date.now() + 2 * 86_400_000));
  await mirror.body(records[0]);
  const now = Date.now() / 1000 + 100_000;
  utimesSync(options.content.path(records[0].digest), now, now);
  const report = await pruneMirror(all, options, { unused: true, graceSeconds: 0 });
  expect(report.bodies.map(({ digest }) => digest)).toEqual([records[1].digest, records[2].digest]);
  await run.finish("succeeded");
});

test("M10: verify names each fault, and a repair makes index and ledger again", async () => {
  const { options, mirror, records, home, content } = await filled();
  expect(await verifyMirror(options)).toEqual({
    records: 3,
    bodies: 3,
    bytes: 17,
    seen: 3,
    faults: [],
    repaired: false,
  });
  const [one, three] = records;
  const materials = home.paths.materials;
  rmSync(join(materials, "seen"), { recursive: true });
  rmSync(join(materials, "digests"), { recursive: true });
  rmSync(content.path(one.digest));
  writeFileSync(join(materials, "records", three.key.slice(0, 2), "stray.json"), "{}");
  const told: number[] = [];
  const report = await verifyMirror(options, { onProgress: (done) => told.push(done) });
  expect(new Set(report.faults.map(({ code }) => code))).toEqual(
    new Set(["MIRROR_RECORD_CORRUPT", "MIRROR_LEDGER_CORRUPT", "MIRROR_BODY_MISSING"]),
  );
  expect(told).toEqual([2, 3]);
  expect((await verifyMirror(options, { repair: true })).repaired).toBe(true);
  const after = await verifyMirror(options);
  expect(after.faults.map(({ code, subject }) => [code, subject])).toEqual([["MIRROR_BODY_MISSING", one.digest]]);
  expect((await mirror.seen("pkg:npm/three@1.0.0", "three-1.0.0.tgz"))[0]?.firstSeen).toBe(day(2));
  const sha512 = three.expected[0];
  expect(await mirror.findByDigest({ algorithm: "sha512", value: sha512?.value ?? "" })).toEqual(three);
  await expect(verifyMirror(options, { signal: AbortSignal.abort() })).rejects.toThrow("abort");
});

test("M10: a body that has its own digest and not the announced one is named", async () => {
  const { options, mirror, records, home } = await filled();
  const [one] = records;
  const other = sampleMaterial("other").expected;
  // What a program with a fault, or another's hand, may write: sound in itself, and untrue.
  const path = join(home.paths.materials, "records", one.key.slice(0, 2), `${one.key}.json`);
  writeFileSync(path, historyText([{ ...one, expected: other }]));
  expect((await verifyMirror(options)).faults.map(({ code }) => code)).toContain("MIRROR_BODY_MISMATCH");
  const lying = await mirror.find(one.key);
  expect(lying?.expected).toEqual(other);
  expect(await codeOf(mirror.body(lying ?? one))).toBe("MIRROR_BODY_MISMATCH");
  expect(existsSync(path)).toBe(false);
});
