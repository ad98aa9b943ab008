import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, fixedClock, sha256 } from "@touchmark/core";
import { descriptorOf, emptyContent, emptyDescriptor, mediaTypes, serializeManifest } from "@touchmark/formats/oci";
import {
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  type RunningRegistry,
  startRegistry,
} from "@touchmark/registry";
import { mintRun, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { isVerified } from "@touchmark/verify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attestArtifact } from "../attest.ts";
import { type Factory, openFactory } from "../factory.ts";
import { type AdmissionEvidenceOptions, admissionEvidence } from "./evidence-source.ts";

const CHECKED = "https://example.com/checked/v1";
const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-evidence-source-")));
const never = new AbortController().signal;
const created = fixedClock("2026-11-21T12:00:00Z");
const patience = { connectMs: 2000, headMs: 300, idleMs: 300, attempts: 1, pauseMs: 1, longestPauseMs: 10 };
const client = openRegistryClient({ environment: {}, patience });
let factory: Factory;
let stranger: Factory;
let registry: RunningRegistry;
let silent: Server;
beforeAll(async () => {
  factory = await openFactory({ home: join(directory, "own"), create: true });
  stranger = await openFactory({ home: join(directory, "other"), create: true });
  const listen = { host: "127.0.0.1", port: 0 };
  const backend = memoryRegistryBackend();
  registry = await startRegistry({ backend, authority: openAuthority(), listen, closeSeconds: 0 });
  // Takes connections, and never answers.
  silent = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
});
afterAll(async () => {
  client.close();
  silent.close();
  await registry.close();
  await factory.close();
  await stranger.close();
  rmSync(directory, { recursive: true, force: true });
});

const source = (more: Partial<AdmissionEvidenceOptions> = {}) =>
  admissionEvidence({
    ...{ factory, places: { client, own: () => Promise.reject(new Error("not asked")) } },
    ...more,
  });

/** Statements by a factory about a digest; its store has them, unless it is another's. */
const attest = async (by: Factory, digest: Digest, ok = true): Promise<Uint8Array> =>
  (await attestArtifact(by, { artifact: { digest }, type: CHECKED, predicate: Buffer.from(JSON.stringify({ ok })) }))
    .bytes;

/** Publishes an image of some bytes, tagged 1. */
async function image(name: string, content: string): Promise<{ reference: string; digest: Digest }> {
  const repository = client.repository({ registry: registry.address, repository: name });
  const layer = descriptorOf(Buffer.from(content), "application/vnd.oci.image.layer.v1.tar");
  await repository.putBlob(layer, async function* () {
    yield Buffer.from(content);
  });
  await repository.putBlob(emptyDescriptor, async function* () {
    yield emptyContent;
  });
  const manifest = {
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: emptyDescriptor,
    layers: [layer],
  } as const;
  const { digest } = await repository.putManifest(serializeManifest(manifest), mediaTypes.manifest, "1");
  return { reference: `${registry.address}/${name}:1`, digest };
}

async function beside(reference: string, digest: Digest, bundles: readonly Uint8Array[]): Promise<void> {
  const name = reference.slice(registry.address.length + 1).replace(/:1$/, "");
  const to = client.repository({ registry: registry.address, repository: name });
  const { descriptor } = await to.manifest(digest);
  const listed = bundles.map((bytes) => ({ bytes, predicateType: CHECKED }));
  await publishArtifact(to, { subject: descriptor, bundles: listed, created });
}

test("AD1: own store and referrers are both looked at, every bundle verified; others are named with their code", async () => {
  const { reference, digest } = await image("team/app", "app");
  await attest(factory, digest);
  const published = await attest(stranger, digest);
  await beside(reference, digest, [published, Buffer.from("no bundle")]);
  const evidence = source();
  expect(await evidence.resolve(reference, never)).toBe(digest);
  const found = await evidence.gather(digest, reference, never);
  expect(found.digest).toBe(digest);
  expect(found.trustRoot).toBe(await evidence.trustRoot());
  expect(found.statements.map(({ statement }) => statement.predicate)).toEqual([{ ok: true }]);
  expect(found.statements.every(isVerified)).toBe(true);
  expect(found.refused.get(sha256(published))).toMatch(/^[A-Z_]+$/);
  expect(found.refused.size).toBe(2);
  expect(found.chains).toEqual([]);
  expect(found.bytes).toBeGreaterThan(published.length);
});

test("AD1: a registry that cannot be reached, or does not answer, is a failure by its code and no absence", async () => {
  const digest = sha256("any");
  await attest(factory, digest);
  const { port } = silent.address() as { port: number };
  const free = createServer();
  await new Promise<void>((done) => free.listen(0, "127.0.0.1", done));
  const { port: closed } = free.address() as { port: number };
  await new Promise((done) => free.close(done));
  for (const [host, code] of [
    [`127.0.0.1:${closed}`, "OCI_CLIENT_UNREACHABLE"],
    [`127.0.0.1:${port}`, "OCI_CLIENT_SLOW"],
  ] as const) {
    const failure = expect.objectContaining({ code, nature: "unavailable" });
    await expect(source().gather(digest, `${host}/a@${digest}`, never)).rejects.toThrow(failure);
    await expect(source().resolve(`${host}/a:1`, never)).rejects.toThrow(failure);
  }
  await expect(source().resolve(`${registry.address}/a`, never)).rejects.toThrow(
    expect.objectContaining({ code: "EVIDENCE_CACHE_NO_REFERENCE" }),
  );
});

test("AD1: a list of referrers that does not end in time is no whole answer", async () => {
  const digest = sha256("endless");
  const reader = {
    ...client.repository({ registry: registry.address, repository: "x" }),
    referrers: async function* () {
      yield { mediaType: mediaTypes.manifest, digest: sha256("r"), size: 10 };
      await new Promise<never>(() => {});
    },
    manifest: () => Promise.reject(new Error("none")),
  };
  const places = { client: { repository: () => reader }, own: () => Promise.reject(new Error("not asked")) };
  const endless = source({ places, search: { deadlineMs: 30, itemMs: 30 } });
  await expect(endless.gather(digest, `h.example/x@${digest}`, never)).rejects.toThrow(
    expect.objectContaining({ code: "EVIDENCE_CACHE_INCOMPLETE" }),
  );
});

test("AD2: a tenant's parties take the place of the factory's trust root, with whole chains of theirs", async () => {
  const world = mintWorld();
  const run = mintRun(world);
  const { reference, digest } = await image("tenant/app", "tenant");
  await beside(reference, digest, run.bundles());
  const parties = [
    {
      ...{ trustRoot: trustedRootBytes(world), issuers: ["https://nobody.example", issuerOf(run.builder)] },
      ...{ builder: run.builder, sources: ["git+https://nobody.example", run.source] },
    },
  ];
  const theirs = source({ parties, manifestOf: () => digest, keep: true });
  const found = await theirs.gather(run.artifact, reference, never);
  expect(found.statements.length).toBeGreaterThan(3);
  expect(found.chains.map(({ artifact }) => artifact.digest)).toEqual([run.artifact]);
  // What verified is kept, so that a decision can be taken again.
  const kept = await Promise.all(found.statements.map(({ bundle }) => factory.content.has(bundle)));
  expect(new Set(kept)).toEqual(new Set([true]));
  expect(found.trustRoot).not.toBe(await source().trustRoot());
  const ours = await source({ manifestOf: () => digest }).gather(run.artifact, reference, never);
  expect(ours.statements).toEqual([]);
  expect(ours.refused.size).toBe(run.bundles().length);
});

const issuerOf = (builder: string): string => `https://${/^spiffe:\/\/([^/]+)/.exec(builder)?.[1] ?? ""}`;
