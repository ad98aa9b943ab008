import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commitMaterial, sampleMaterial } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { exportMirror } from "./export-mirror.ts";
import { importMirror } from "./import-mirror.ts";
import { codeOf, freshDirectory, freshMirror } from "./mirror.fixture.ts";
import { verifyMirror } from "./verify-mirror.ts";

const scoped = { name: "@own/tin", version: "2.0.0", purl: "pkg:npm/%40own/tin@2.0.0", fileName: "tin-2.0.0.tgz" };

async function filled() {
  const made = await freshMirror();
  await commitMaterial(made.mirror, "struck in pewter");
  await commitMaterial(
    made.mirror,
    "tin",
    sampleMaterial("tin", { path: "/@own%2ftin/-/tin-2.0.0.tgz", facts: scoped }),
  );
  const index = { kind: "index", immutable: false } as const;
  await commitMaterial(made.mirror, "{}", sampleMaterial("{}", { path: "/pewter", facts: index }));
  return { ...made, out: freshDirectory() };
}

test("M8: an archive carries everything over, and the same records give the same bytes", async () => {
  const { options, mirror, out } = await filled();
  const report = await exportMirror(options, { file: join(out, "a.tar") });
  expect([report.records, report.bodies]).toEqual([3, 3]);
  expect(readdirSync(out)).toEqual(["a.tar"]);
  const again = await exportMirror(options, { file: join(out, "b.tar") });
  expect(again.digest).toBe(report.digest);
  expect(report.digest).toBe(
    `sha256:${createHash("sha256")
      .update(readFileSync(join(out, "a.tar")))
      .digest("hex")}`,
  );
  const other = await freshMirror();
  const told: number[] = [];
  const came = await importMirror(other.options, { file: join(out, "a.tar"), onProgress: (done) => told.push(done) });
  expect(came).toEqual({ records: 3, bodies: 3, added: 3, bytes: 21 });
  expect(told).toEqual([1, 2, 3]);
  for await (const record of mirror.records()) {
    expect(await other.mirror.find(record.key)).toEqual(record);
    expect(readFileSync(await other.mirror.body(record))).toEqual(readFileSync(await mirror.body(record)));
  }
  expect((await other.mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz"))[0]?.firstSeen).toBe(
    "2026-11-22T12:00:00Z",
  );
  expect(await importMirror(other.options, { file: join(out, "b.tar") })).toEqual({ ...came, added: 0 });
  expect((await exportMirror(other.options, { file: join(out, "c.tar") })).digest).toBe(report.digest);
  expect((await verifyMirror(other.options)).faults).toEqual([]);
});

test("M8: what to export can be chosen, by package and by what a run used", async () => {
  const { options, out } = await filled();
  const records = async (choice: object, name: string) =>
    (await exportMirror(options, { file: join(out, name), ...choice })).records;
  expect(await records({ purls: ["pkg:npm/@own/*"] }, "a")).toBe(1);
  expect(await records({ purls: ["pkg:npm/pewter"] }, "b")).toBe(2);
  expect(await records({ purls: ["pkg:npm/pewter@2*", "pkg:npm/*"] }, "c")).toBe(3);
  expect(await records({ digests: new Set([sampleMaterial("tin").digest]) }, "d")).toBe(1);
  expect(await codeOf(records({ purls: ["pkg:pypi/*"] }, "e"))).toBe("MIRROR_EXPORT_EMPTY");
  expect(await codeOf(records({}, "a"))).toBe("MIRROR_EXPORT_EXISTS");
  expect(readdirSync(out).sort()).toEqual(["a", "b", "c", "d"]);
});

test("M8: a damaged or interrupted export leaves no file", async () => {
  const { options, out, content } = await filled();
  const stopped = AbortSignal.abort();
  await expect(exportMirror(options, { file: join(out, "a"), signal: stopped })).rejects.toThrow("abort");
  await content.delete(sampleMaterial("tin").digest);
  expect(await codeOf(exportMirror(options, { file: join(out, "a") }))).toBe("MIRROR_BODY_MISSING");
  expect(readdirSync(out)).toEqual([]);
});

test("M9: any altered byte of an archive is refused, and nothing of it comes in", async () => {
  const { options, out } = await filled();
  await exportMirror(options, { file: join(out, "a.tar") });
  const bytes = readFileSync(join(out, "a.tar"));
  const other = await freshMirror();
  const codes = new Set<string>();
  for (let at = 0; at < bytes.length; at += bytes[at] === 0 ? 199 : 29) {
    const altered = Buffer.from(bytes);
    altered[at] = (altered[at] as number) ^ 1;
    writeFileSync(join(out, "b.tar"), altered);
    codes.add(await codeOf(importMirror(other.options, { file: join(out, "b.tar") })));
  }
  expect([...codes].filter((code) => !code.startsWith("MIRROR_ARCHIVE_"))).toEqual([]);
  expect((await verifyMirror(other.options)).faults).toEqual([]);
});
