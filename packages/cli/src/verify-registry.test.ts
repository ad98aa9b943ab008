import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock, sha256 } from "@touchmark/core";
import {
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  type RegistryRepository,
  type RunningRegistry,
  startRegistry,
} from "@touchmark/registry";
import { mintRun, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { say } from "./fixture.ts";

const world = mintWorld();
const good = mintRun(world);
const created = fixedClock(world.at);
let directory: string;
let registry: RunningRegistry;
let trust: string[];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "touchmark-verify-registry-"));
  const listen = { host: "127.0.0.1", port: 0 };
  registry = await startRegistry({
    backend: memoryRegistryBackend(),
    authority: openAuthority(),
    listen,
    closeSeconds: 0,
  });
  const root = join(directory, "trusted_root.json");
  writeFileSync(root, trustedRootBytes(world));
  trust = ["--trust-root", root, "--builder", good.builder, "--source", good.source];
});
afterAll(async () => {
  await registry.close();
  rmSync(directory, { recursive: true });
});

const client = openRegistryClient({ environment: {} });
const repository = (name: string): RegistryRepository =>
  client.repository({ registry: registry.address, repository: name });

/** Publishes the artifact that the minted run made, with bundles beside it. */
async function publish(name: string, bundles: readonly Uint8Array[], content = "app.tgz"): Promise<string> {
  const bytes = Buffer.from(content);
  const { subject } = await publishArtifact(repository(name), {
    files: [
      {
        ...{ name: "app.tgz", mediaType: "application/gzip", digest: sha256(bytes), size: bytes.length },
        open: async function* () {
          yield bytes;
        },
      },
    ],
    bundles: bundles.map((each) => ({ bytes: each, predicateType: "https://example.com/any" })),
    ...{ created, tag: "1.0" },
  });
  return subject.digest;
}

test("X34: an artifact in a registry is verified by digest and by tag, which is resolved once and shown", async () => {
  const digest = await publish("team/app", good.bundles());
  const place = `${registry.address}/team/app`;
  const byTag = await say(["verify", `${place}:1.0`, ...trust]);
  expect(byTag).toMatchObject({ code: 0, err: "" });
  expect(byTag.out).toContain(`${place}:1.0 is ${digest}\naccepted ${good.artifact}`);
  const byDigest = await say(["verify", `${place}@${digest}`, ...trust, "--json"]);
  expect(byDigest.code).toBe(0);
  expect(JSON.parse(byDigest.out)).toMatchObject({
    ...{ verdict: "accepted", digest: good.artifact, manifest: digest, artifacts: [good.artifact] },
    bundles: { found: good.bundles().length, refused: 0, skipped: 0 },
  });
  const shown = await say(["show", `${place}:1.0`]);
  expect(shown).toMatchObject({ code: 0, out: expect.stringContaining("not verified here") });
  const json = JSON.parse((await say(["show", `registry:${place}:1.0`, "--json"])).out) as { bundles: unknown[] };
  expect(json).toMatchObject({ digest, tag: "1.0", verified: false, skipped: {} });
  expect(json.bundles).toHaveLength(good.bundles().length);
});

test("X34: what others put beside it is passed over; a second run that made the same does not make it ambiguous", async () => {
  const other = mintWorld();
  const again = mintRun(world, { run: "20260601T130000Z-again", logBefore: 100 });
  const strangers = [...mintRun(other).bundles(), Buffer.from("no bundle at all"), Buffer.from("{}")];
  await publish("team/flood", [...strangers, ...again.bundles(), ...good.bundles()]);
  const { code, out } = await say(["verify", `${registry.address}/team/flood:1.0`, ...trust, "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ verdict: "accepted", bundles: { refused: strangers.length } });
});

test("X34: other content, missing evidence, and evidence of others alone are refused by code", async () => {
  const refusal = async (name: string, ...more: string[]): Promise<unknown> => {
    const { code, out } = await say(["verify", `${registry.address}/${name}:1.0`, ...trust, "--json", ...more]);
    return [code, (JSON.parse(out) as { code: string }).code];
  };
  await publish("bad/content", good.bundles(), "something else");
  expect(await refusal("bad/content")).toEqual([3, "CHAIN_RELEASE_MISSING"]);
  await publish("bad/none", []);
  expect(await refusal("bad/none")).toEqual([3, "EVIDENCE_MISSING"]);
  await publish("bad/others", mintRun(mintWorld()).bundles());
  expect(await refusal("bad/others")).toEqual([3, "EVIDENCE_MISSING"]);
  await publish("bad/part", good.bundles().slice(1));
  expect(await refusal("bad/part")).toEqual([3, "CHAIN_BUNDLE_MISSING"]);
  expect(await refusal("bad/absent")).toEqual([2, "OCI_CLIENT_NOT_FOUND"]);
  expect(await refusal("bad/part", "--evidence", "x")).toEqual([2, "CLI_USAGE"]);
});

test("X34: trust root, builder and source are named together or not at all", async () => {
  const place = `${registry.address}/team/app:1.0`;
  expect((await say(["verify", place, "--builder", good.builder])).code).toBe(2);
  expect((await say(["verify", place, "--bundle", "x", ...trust])).code).toBe(2);
  expect((await say(["verify", `${registry.address}/team/app`, ...trust])).code).toBe(2);
});
