import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock, sha256 } from "@touchmark/core";
import { openFactory, promotionProof } from "@touchmark/pipeline";
import {
  findEvidence,
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  type RegistryBackend,
  type RegistryRepository,
  type RunningRegistry,
  startRegistry,
} from "@touchmark/registry";
import { mintRun, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { say } from "../../fixture.ts";

const world = mintWorld();
const good = mintRun(world);
let directory: string;
let backend: RegistryBackend;
let registry: RunningRegistry;
let trust: string[];
beforeAll(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-copy-")));
  process.env.TOUCHMARK_HOME = join(directory, "home");
  await (await openFactory({ create: true })).close();
  backend = memoryRegistryBackend();
  const listen = { host: "127.0.0.1", port: 0 };
  registry = await startRegistry({ backend, authority: openAuthority(), listen, closeSeconds: 0 });
  const root = join(directory, "trusted_root.json");
  writeFileSync(root, trustedRootBytes(world));
  trust = ["--trust-root", root, "--builder", good.builder, "--source", good.source];
});
afterAll(async () => {
  delete process.env.TOUCHMARK_HOME;
  await registry.close();
  rmSync(directory, { recursive: true, force: true });
});

const repository = (name: string): RegistryRepository =>
  openRegistryClient({ environment: {} }).repository({ registry: registry.address, repository: name });

async function publish(name: string, bundles: readonly Uint8Array[]): Promise<string> {
  const bytes = Buffer.from("app.tgz");
  const open = async function* () {
    yield bytes;
  };
  const { subject } = await publishArtifact(repository(name), {
    files: [{ name: "app.tgz", mediaType: "application/gzip", digest: sha256(bytes), size: bytes.length, open }],
    bundles: bundles.map((each) => ({ bytes: each, predicateType: "https://example.com/any" })),
    ...{ created: fixedClock(world.at), tag: "1.0" },
  });
  return subject.digest;
}

test("X35: a copy goes from registry to directory and back, with what refers to it, and says what it sent", async () => {
  const digest = await publish("ci/app", good.bundles());
  const layout = `oci-dir:${join(directory, "layout")}:1.0`;
  const out = await say(["image", "copy", `${registry.address}/ci/app:1.0`, layout, "--json"]);
  expect(out.code).toBe(0);
  const report = JSON.parse(out.out) as { blobs: { sent: number } };
  expect(report).toMatchObject({
    digest,
    referrers: good.bundles().length,
    resolvedTag: "1.0",
    tag: "1.0",
    skipped: [],
  });
  expect(report.blobs.sent).toBe(good.bundles().length + 2);
  const back = await say(["image", "copy", layout, `${registry.address}/copied/app:1.0`]);
  expect(back).toMatchObject({ code: 0, out: expect.stringContaining(`copied ${digest}`) });
  expect((await say(["verify", `${registry.address}/copied/app:1.0`, ...trust])).code).toBe(0);
  const bare = await say(["image", "copy", layout, `${registry.address}/bare/app:1.0`, "--no-referrers", "--json"]);
  expect(JSON.parse(bare.out)).toMatchObject({ referrers: 0 });
  for (const wrong of [[layout], [layout, `${registry.address}/x@${digest}`], ["oci-dir:/nowhere", layout]]) {
    expect((await say(["image", "copy", ...wrong])).code).toBe(2);
  }
});

test("X35: what verifies is promoted, with a decision beside it that lets the tag be set", async () => {
  const digest = await publish("ci/good", good.bundles());
  const to = `${registry.address}/prod/good:1.0`;
  const { code, out, err } = await say(["image", "promote", `${registry.address}/ci/good:1.0`, to, ...trust, "--json"]);
  expect([code, err]).toEqual([0, ""]);
  const report = JSON.parse(out) as { decision: { bundle: string } };
  expect(report).toMatchObject({ verdict: "accepted", digest, tag: "1.0", verified: [{ artifact: good.artifact }] });
  expect((await repository("prod/good").manifest("1.0")).descriptor.digest).toBe(digest);
  const found: string[] = [];
  for await (const { bytes } of findEvidence(repository("prod/good"), digest as never)) found.push(sha256(bytes));
  expect(found).toContain(report.decision.bundle);
  expect((await say(["verify", to, ...trust])).code).toBe(0);
  const factory = await openFactory();
  try {
    const proof = promotionProof(factory, backend);
    const missing = (name: string, tag: string) => proof.missing(name, tag, digest as never);
    expect(await missing("prod/good", "1.0")).toBeUndefined();
    expect(await missing("prod/good", "2.0")).toMatch(/^none of /);
    expect(await missing("ci/good", "1.0")).toMatch(/^none of /);
  } finally {
    await factory.close();
  }
});

test("X35: what does not verify is not promoted; the refusal is signed and kept, and does not let the tag be set", async () => {
  const digest = await publish("ci/bad", good.bundles().slice(1));
  const promote = async () =>
    say(["image", "promote", `${registry.address}/ci/bad:1.0`, `${registry.address}/prod/bad:1.0`, ...trust, "--json"]);
  const { code, out } = await promote();
  expect([code, (JSON.parse(out) as { code: string }).code]).toEqual([3, "CHAIN_BUNDLE_MISSING"]);
  expect((await say(["show", `${registry.address}/prod/bad:1.0`])).code).toBe(2);
  const factory = await openFactory();
  try {
    expect(await promotionProof(factory, backend).missing("prod/bad", "1.0", digest as never)).toMatch(/^none of 0 /);
  } finally {
    await factory.close();
  }
  expect((await say(["image", "promote", `${registry.address}/ci/bad:1.0`, "oci-dir:x:1.0"])).code).toBe(2);
});
