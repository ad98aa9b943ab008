import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { commitMaterial, sampleMaterial } from "@touchmark/test-kit";
import { describe, expect, test } from "vitest";
import { npm } from "../ecosystems/npm.ts";
import type { MaterialRecord } from "../material.ts";
import { memoryMirror } from "../mirror/memory-mirror.ts";
import type { Mirror } from "../mirror/mirror.ts";
import { recordKey } from "../mirror/record-key.ts";
import { procedureErrors } from "./procedure-errors.ts";
import { type WatchReport, type WatchSettings, watchExitCode, watchMirror } from "./watch.ts";

const upstream = { name: "main", ecosystem: "npm", url: "http://127.0.0.1:4873/", exclusive: [], order: 0 } as const;
const bytes = "struck in pewter";
const sri = (content: string): string => `sha512-${createHash("sha512").update(content).digest("base64")}`;

interface Version {
  readonly content?: string;
  readonly by?: string;
  readonly deprecated?: string;
  readonly attested?: boolean;
}

/** A packument as the registry has it. */
function packument(versions: Record<string, Version>): string {
  const entries = Object.entries(versions).map(([version, { content = bytes, by = "ann", deprecated, attested }]) => [
    version,
    {
      name: "pewter",
      version,
      ...(deprecated === undefined ? {} : { deprecated }),
      _npmUser: { name: by },
      dist: {
        tarball: `${upstream.url}pewter/-/pewter-${version}.tgz`,
        integrity: sri(content),
        ...(attested ? { attestations: { url: `${upstream.url}-/npm/v1/attestations/pewter@${version}` } } : {}),
      },
    },
  ]);
  return JSON.stringify({ name: "pewter", versions: Object.fromEntries(entries) });
}

async function mirrorWith(index: string): Promise<Mirror> {
  const mirror = memoryMirror();
  await commitMaterial(mirror, bytes);
  const facts = { kind: "index", name: "pewter", immutable: false } as const;
  const record = sampleMaterial(index, { path: "/pewter", facts, more: { expected: [] } });
  const { version: _, purl: __, fileName: ___, ...plain } = record.facts;
  await commitMaterial(mirror, index, { ...record, facts: plain });
  return mirror;
}

async function watch(
  before: Record<string, Version>,
  now: Record<string, Version> | number,
  more: Partial<WatchSettings> = {},
): Promise<WatchReport> {
  return watchMirror({
    mirror: await mirrorWith(packument(before)),
    upstreams: [upstream],
    adapters: { npm },
    get: async () =>
      typeof now === "number"
        ? { status: now, bytes: new Uint8Array() }
        : { status: 200, bytes: Buffer.from(packument(now)) },
    ...more,
  });
}

describe("D2: what the mirror holds against what its upstream announces now", () => {
  test("D2: nothing to say of what is as it was", async () => {
    const report = await watch({ "1.0.0": {} }, { "1.0.0": {}, "1.0.1": {} });
    expect(report).toMatchObject({ findings: [], asked: 1, compared: 1, unreachable: [], notCompared: {} });
    expect(watchExitCode(report)).toBe(0);
  });

  test.each<[string, Record<string, Version>, Record<string, Version> | number, string[]]>([
    ["other bytes", { "1.0.0": {} }, { "1.0.0": { content: "lead" } }, ["republished 1.0.0 !"]],
    ["a version that is gone", { "1.0.0": {} }, { "1.0.1": {} }, ["vanished 1.0.0"]],
    ["a package that is gone", { "1.0.0": {} }, 404, ["vanished 1.0.0"]],
    ["a deprecation", { "1.0.0": {} }, { "1.0.0": { deprecated: "use tin" } }, ["withdrawn 1.0.0"]],
    ["an old deprecation", { "1.0.0": { deprecated: "a" } }, { "1.0.0": { deprecated: "b" } }, []],
    ["attestations that are gone", { "1.0.0": { attested: true } }, { "1.0.0": {} }, ["evidence-vanished 1.0.0"]],
    ["another publisher", { "1.0.0": {} }, { "1.0.0": {}, "1.0.1": { by: "eve" } }, ["new-publisher null"]],
    ["a publisher who took over", { "1.0.0": {} }, { "1.0.0": { by: "eve" } }, ["new-publisher null"]],
  ])("D2: %s", async (_, before, now, expected) => {
    const report = await watch(before, now);
    expect(report.findings.map(({ kind, version, alarm }) => `${kind} ${version}${alarm ? " !" : ""}`)).toEqual(
      expected,
    );
    expect(watchExitCode(report)).toBe(expected.length === 0 ? 0 : 3);
  });

  test("D2: an upstream that does not answer, or not sensibly, is listed and no all-clear", async () => {
    for (const status of [503, 429]) {
      const report = await watch({ "1.0.0": {} }, status);
      expect(report.unreachable[0]?.message).toContain(String(status));
      expect(watchExitCode(report)).toBe(4);
    }
    const failing = async () => {
      throw procedureErrors.make("PROCEDURE_UPSTREAM_SILENT", "no route");
    };
    expect((await watch({ "1.0.0": {} }, 200, { get: failing })).unreachable).toHaveLength(1);
    const noise = async () => ({ status: 200, bytes: Buffer.from("<html>") });
    expect((await watch({ "1.0.0": {} }, 200, { get: noise })).unreachable).toHaveLength(1);
    expect(procedureErrors.rows.PROCEDURE_UPSTREAM_SILENT.nature).toBe("unavailable");
  });

  test("D2: what cannot be compared is counted by reason", async () => {
    const gone = await watch({ "1.0.0": {} }, {}, { upstreams: [] });
    expect(gone.notCompared).toEqual({ "the upstream main is no longer configured": 1 });
    const mirror = memoryMirror();
    await commitMaterial(mirror, bytes);
    const bare = await watch({ "1.0.0": {} }, {}, { mirror });
    expect(bare.notCompared).toEqual({ "no index of npm that names them is in the mirror": 1 });
  });
});

/** A small package of the registry that the installed npm is configured for. */
const registry = (spawnSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).stdout ?? "").trim();
const ask = async (address: string): Promise<{ status: number; bytes: Uint8Array } | undefined> => {
  try {
    const answer = await fetch(address);
    return { status: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) };
  } catch {
    return undefined;
  }
};
const live = registry.startsWith("https:") ? await ask(`${registry}isarray`) : undefined;

test.skipIf(live?.status !== 200)("D2: live: a package of npm's own registry is as its mirror has it", async () => {
  const facts = { ecosystem: "npm", upstream: "live", name: "isarray", immutable: false } as const;
  const own = { ...upstream, name: "live", url: registry };
  const mirror = memoryMirror();
  const index = live?.bytes ?? new Uint8Array();
  const url = new URL("isarray", registry);
  const found = npm
    .announced({ ...facts, kind: "index", upstream: own }, index, url)
    .find((each) => each.version === "2.0.5");
  const archive = (await ask(found?.url ?? ""))?.bytes ?? new Uint8Array();
  const put = (
    bytes: Uint8Array,
    at: URL,
    more: Partial<MaterialRecord["facts"]> & Pick<MaterialRecord["facts"], "kind">,
  ): Promise<unknown> =>
    commitMaterial(mirror, bytes, {
      ...sampleMaterial(bytes, { more: { key: recordKey("GET", at, {}), url: at.href, expected: [] } }),
      facts: { ...facts, ...more },
    });
  await put(index, url, { kind: "index" });
  await put(archive, new URL(found?.url ?? ""), { kind: "archive", version: "2.0.5", fileName: found?.fileName ?? "" });
  const get = async (to: URL) => (await ask(to.href)) ?? { status: 503, bytes: new Uint8Array() };
  const report = await watchMirror({ mirror, upstreams: [own], adapters: { npm }, get });
  expect(report).toMatchObject({ findings: [], asked: 1, compared: 1, unreachable: [] });
});
