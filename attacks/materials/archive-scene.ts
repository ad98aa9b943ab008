import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  type Candidate,
  decide,
  defaultRules,
  gateRefusal,
  type InspectedArchive,
  inspectArchive,
} from "@touchmark/materials";
import { type ForgedTarEntry, forgeTar } from "@touchmark/test-kit/archives";
import { afterAll } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "touchmark-attack-archive-"));
afterAll(() => rmSync(directory, { recursive: true }));
const upstream = {
  name: "public",
  ecosystem: "npm",
  url: "https://packages.example.com/",
  exclusive: [],
  order: 0,
} as const;
const sha256 = "a".repeat(64);
let count = 0;

/** Inspects an archive, and asks the gate what it says of a locked package with it. */
export async function judge(
  bytes: Uint8Array,
  name: string,
  limits = { unpackedBytes: 32 * 2 ** 20, files: 1000, ratio: 400 },
): Promise<{ archive: InspectedArchive; faults: string[]; code: string | undefined }> {
  const path = join(directory, String(count++));
  writeFileSync(path, bytes);
  const archive = await inspectArchive(path, name, limits);
  const candidate: Candidate = {
    phase: "arrival",
    facts: {
      ecosystem: "npm",
      kind: "archive",
      upstream,
      name: "a",
      version: "1.0.0",
      purl: "pkg:npm/a@1.0.0",
      fileName: name,
      immutable: true,
    },
    step: "fetch",
    now: new Date("2026-06-01T00:00:00Z"),
    locked: [
      {
        key: "node_modules/a",
        ecosystem: "npm",
        name: "a",
        version: "1.0.0",
        from: { kind: "registry" },
        digests: [{ algorithm: "sha256", value: sha256 }],
        scope: "runtime",
        dependencies: [],
        direct: true,
      },
    ],
    announced: [],
    seen: [],
    evidence: [],
    archive,
    size: bytes.length,
    hashes: { sha256 },
    history: { package: "pkg:npm/a", versions: [] },
  };
  const decision = decide({ ...defaultRules, upstreams: { npm: [upstream] } }, candidate);
  return { archive, faults: [...new Set(archive.faults.map((each) => each.code))], code: gateRefusal(decision)?.code };
}

/** The same of a forged package of npm. */
export const judgeTgz = (entries: readonly ForgedTarEntry[], tail?: Uint8Array) =>
  judge(gzipSync(forgeTar(entries, tail)), "a-1.0.0.tgz");
