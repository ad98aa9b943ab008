import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, fixedClock, sha256 } from "@touchmark/core";
import { mediaTypes } from "@touchmark/formats/oci";
import { afterAll, expect, test } from "vitest";
import type { RegistryBackend, StoredManifest } from "../backend.ts";
import { memoryRegistryBackend } from "../backends/memory.ts";
import { parseRegistryConfiguration } from "../configuration/parse.ts";
import { openAuditLog } from "./audit-log.ts";
import { withQuotas } from "./quotas.ts";
import { configuredTagRules, withProtectedTags } from "./tag-rules.ts";

const refusal = (code: string) => expect.objectContaining({ code }) as object;
const clock = fixedClock("2026-11-21T10:42:31Z");
const document = (body: string) => () => parseRegistryConfiguration(`touchmark: registry/v1\n${body}`, "registry.yaml");
const directory = mkdtempSync(join(tmpdir(), "touchmark-audit-"));
afterAll(() => rmSync(directory, { recursive: true }));

function manifest(text: string): StoredManifest {
  const bytes = Buffer.from(text);
  const digest = sha256(bytes);
  const shown = { mediaType: mediaTypes.manifest, digest, size: bytes.length };
  return { digest, mediaType: mediaTypes.manifest, bytes, references: [], shown };
}
async function* chunks(...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield Buffer.alloc(size, size);
}
const digestOf = (...sizes: number[]): Digest => sha256(Buffer.concat(sizes.map((size) => Buffer.alloc(size, size))));
const put = (backend: RegistryBackend, repository: string, ...sizes: number[]) =>
  backend.uploads.put(repository, digestOf(...sizes), 1e9, chunks(...sizes));

test("A13: a tag of an immutable pattern keeps its digest and is not deleted", async () => {
  const configuration = document('tags: { immutable: [{ repositories: ["prod/**"], tags: ["v*"] }] }');
  const rules = configuredTagRules(configuration);
  const [a, b] = [manifest("a"), manifest("b")];
  expect(await rules.judge("prod/app", "v1", a.digest)).toEqual({ immutable: true });
  expect(await rules.judge("prod/app", "latest", a.digest)).toEqual({ immutable: false });
  expect(await rules.judge("test/app", "v1", a.digest)).toEqual({ immutable: false });
  const inner = memoryRegistryBackend();
  const backend = withProtectedTags(inner, configuration);
  const set = (text: StoredManifest, name: string) =>
    backend.manifests.put("prod/app", text, { name, immutable: true });
  await set(a, "v1");
  await set(a, "v1");
  await expect(set(b, "v1")).rejects.toThrow(refusal("REGISTRY_TAG_IMMUTABLE"));
  await expect(backend.tags.delete("prod/app", "v1")).rejects.toThrow(refusal("REGISTRY_TAG_IMMUTABLE"));
  await expect(backend.manifests.delete("prod/app", a.digest)).rejects.toThrow(refusal("REGISTRY_TAG_IMMUTABLE"));
  expect(await backend.tags.delete("prod/app", "v2")).toBe(false);
  await backend.manifests.put("prod/app", b, { name: "latest", immutable: false });
  expect(await backend.manifests.delete("prod/app", b.digest)).toBe(true);
  expect(await backend.tags.resolve("prod/app", "v1")).toBe(a.digest);
});

test("A13: a tag of a promotion-only pattern is set with the gate's decision alone", async () => {
  const configuration = document('tags: { promotion-only: [{ repositories: ["prod/**"], tags: ["*"] }] }');
  const { digest } = manifest("a");
  await expect(configuredTagRules(configuration).judge("prod/app", "v1", digest)).rejects.toThrow(
    refusal("REGISTRY_PROMOTION_REFUSED"),
  );
  const asked: unknown[] = [];
  const rules = configuredTagRules(configuration, {
    missing: async (...words) => {
      asked.push(words);
      return words[1] === "good" ? undefined : "no decision names this tag";
    },
  });
  expect(await rules.judge("prod/app", "good", digest)).toEqual({ immutable: false });
  await expect(rules.judge("prod/app", "bad", digest)).rejects.toThrow(/no decision names this tag/);
  await rules.judge("test/app", "any", digest);
  expect(asked).toEqual([
    ["prod/app", "good", digest],
    ["prod/app", "bad", digest],
  ]);
});

test("A14: bytes beyond a quota are refused while they come in, also by several uploads at once", async () => {
  const configuration = document("quotas: { repositories: [{ repositories: [a], bytes: 1kB }] }");
  const backend = withQuotas(memoryRegistryBackend(), configuration, clock);
  await put(backend, "a", 400);
  await expect(put(backend, "a", 300, 301)).rejects.toThrow(refusal("REGISTRY_QUOTA_EXCEEDED"));
  await put(backend, "b", 2000);
  // Each alone would fit; together they do not.
  const outcomes = await Promise.allSettled([put(backend, "a", 150, 201), put(backend, "a", 151, 202)]);
  expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1);
  // What lies in an upload that is not finished counts, and what is mounted.
  const id = await backend.uploads.begin("a");
  await expect(backend.uploads.append("a", id, { offset: 0, maxBytes: 1e9 }, chunks(260))).rejects.toThrow(
    refusal("REGISTRY_QUOTA_EXCEEDED"),
  );
  await expect(backend.blobs.mount(digestOf(2000), "b", "a")).rejects.toThrow(refusal("REGISTRY_QUOTA_EXCEEDED"));
  await backend.uploads.cancel("a", id);
  await put(backend, "a", 200);
  await expect(backend.manifests.put("a", manifest("x".repeat(100)))).rejects.toThrow(
    refusal("REGISTRY_QUOTA_EXCEEDED"),
  );
});

test("A14: manifests and tags have quotas; what is there may be put again", async () => {
  const configuration = document('quotas: { repositories: [{ repositories: ["**"], manifests: 2, tags: 1 }] }');
  const backend = withQuotas(memoryRegistryBackend(), configuration, clock);
  await backend.manifests.put("a", manifest("1"), { name: "t", immutable: false });
  await backend.manifests.put("a", manifest("2"), { name: "t", immutable: false });
  await backend.manifests.put("a", manifest("2"));
  await expect(backend.manifests.put("a", manifest("3"))).rejects.toThrow(refusal("REGISTRY_QUOTA_EXCEEDED"));
  await expect(backend.tags.set("a", "u", manifest("1").digest, false)).rejects.toThrow(
    refusal("REGISTRY_QUOTA_EXCEEDED"),
  );
  await backend.tags.set("a", "t", manifest("1").digest, false);
  await backend.manifests.put("b", manifest("3"));
});

test("A14: all repositories together have a quota", async () => {
  const configuration = document("quotas: { total: 1kB }");
  const backend = withQuotas(memoryRegistryBackend(), configuration, clock);
  await put(backend, "a", 600);
  await put(backend, "b", 300);
  await expect(put(backend, "c", 101)).rejects.toThrow(refusal("REGISTRY_QUOTA_EXCEEDED"));
  await put(backend, "c", 100);
});

test("A14: without a quota nothing is counted, and everything else is the backend's", async () => {
  const inner = memoryRegistryBackend();
  const backend = withQuotas(
    { ...inner, ...portsOf(inner), usage: async () => Promise.reject(new Error("asked")) },
    document(""),
    clock,
  );
  await put(backend, "a", 10);
  await backend.manifests.put("a", manifest("1"), { name: "t", immutable: false });
  expect(await backend.repositories({ limit: 9 })).toEqual(["a"]);
  expect(await backend.tags.list("a", { limit: 9 })).toEqual(["t"]);
  expect((await backend.blobs.open("a", digestOf(10)))?.size).toBe(10);
  expect(await backend.blobs.delete("a", digestOf(10))).toBe(true);
});

const portsOf = (backend: RegistryBackend) => ({
  blobs: backend.blobs,
  uploads: backend.uploads,
  manifests: backend.manifests,
  tags: backend.tags,
  repositories: backend.repositories.bind(backend),
  close: backend.close.bind(backend),
});

test("A16: lines stand in order in files of bounded size and number, of their owner alone", () => {
  const path = join(directory, "audit.jsonl");
  const problems: string[] = [];
  const open = () => openAuditLog({ path, fileBytes: 200, keep: 2, onProblem: (text) => problems.push(text) });
  for (let i = 0; i < 20; i++) {
    const log = open();
    log.write({ at: clock.now(), number: i, reference: `${"x".repeat(30)}\n\u001b[2J\u009b2J\u202e` });
    log.close();
  }
  expect(readdirSync(directory).sort()).toEqual(["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]);
  const lines = [".2", ".1", ""].flatMap((suffix) => readFileSync(`${path}${suffix}`, "utf8").trimEnd().split("\n"));
  const numbers = lines.map((line) => (JSON.parse(line) as { number: number }).number);
  expect(numbers).toEqual(numbers.map((_, i) => 20 - numbers.length + i));
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ at: "2026-11-21T10:42:31Z" });
  expect(lines.join("")).toMatch(/^[ -~]*$/);
  expect((JSON.parse(lines[0] ?? "") as { reference: string }).reference.at(-1)).toBe("\u202e");
  for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
  expect(problems).toEqual([]);
});

test("A16: a value is bounded, and a disk that takes no lines is told", () => {
  const path = join(directory, "bounded.jsonl");
  const log = openAuditLog({ path, fileBytes: 1e6, keep: 1, onProblem: () => undefined });
  log.write({ reference: "x".repeat(5000) });
  log.close();
  expect(statSync(path).size).toBeLessThan(600);
  const problems: string[] = [];
  const full = openAuditLog({ path: "/dev/full", fileBytes: 1e6, keep: 1, onProblem: (text) => problems.push(text) });
  full.write({ at: "now" });
  full.close();
  expect(problems).toEqual(["1 audit lines were not written: ENOSPC"]);
});
