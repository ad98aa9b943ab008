import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { say } from "@touchmark/cli/fixture";
import { fixedClock, sha256 } from "@touchmark/core";
import { copyImage, localRepository, memoryRegistryBackend, publishArtifact } from "@touchmark/registry";
import { mintRun, mintWorld, trustedRootBytes } from "@touchmark/test-kit/mint";
import { afterAll, expect, test } from "vitest";
import { all, codeOf, hostileRegistry, naive, putArtifact, victim } from "./client-scene.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-attack-client-"));
afterAll(() => rmSync(directory, { recursive: true }));
const world = mintWorld();
const run = mintRun(world);
const root = join(directory, "trusted_root.json");
writeFileSync(root, trustedRootBytes(world));
const trust = ["--trust-root", root, "--builder", run.builder, "--source", run.source, "--json"];
const verdict = async (place: string): Promise<string | null> =>
  (JSON.parse((await say(["verify", place, ...trust])).out) as { code: string | null }).code;

const file = (name: string, bytes: Uint8Array) => ({
  ...{ name, mediaType: "application/gzip", digest: sha256(bytes), size: bytes.length },
  open: async function* () {
    yield bytes;
  },
});
const bundles = run.bundles().map((bytes) => ({ bytes, predicateType: "https://example.com/any" }));
const created = fixedClock(world.at);

test("AT11: the same version with new bytes: what was recorded by digest does not become another", async () => {
  const registry = await hostileRegistry();
  const repository = victim(registry.host);
  const { manifest } = await putArtifact(repository, { tag: "1.0" });
  const { manifest: next } = await putArtifact(repository, { tag: "1.0" });
  expect(sha256(await naive(registry.host, "manifests/1.0"))).toBe(next.digest);
  expect((await repository.manifest(manifest.digest)).descriptor.digest).toBe(manifest.digest);
  registry.script = (request, _response, path) => {
    request.url = path.replace(manifest.digest, next.digest);
    return false;
  };
  expect(await codeOf(repository.manifest(manifest.digest))).toBe("OCI_CLIENT_DIGEST_MISMATCH");
});

test("AT22: content replaced on the server", async () => {
  const registry = await hostileRegistry();
  const repository = victim(registry.host);
  const { layer } = await putArtifact(repository, { tag: "1.0", content: Buffer.from("struck in pewter") });
  registry.script = (_request, response, path) => {
    if (!path.includes(layer.digest)) return false;
    response.end("Struck in pewter");
    return true;
  };
  expect(String(await naive(registry.host, `blobs/${layer.digest}`))).toBe("Struck in pewter");
  expect(await codeOf(all(repository.blob(layer)))).toBe("OCI_CLIENT_DIGEST_MISMATCH");
});

test("AT22: an artifact replaced on the server, with the evidence of the good one beside it", async () => {
  const registry = await hostileRegistry();
  const repository = victim(registry.host);
  const place = `${registry.host}/team/app:1.0`;
  const good = { files: [file("app.tgz", Buffer.from("app.tgz"))], bundles, created, tag: "1.0" };
  await publishArtifact(repository, good);
  expect(await verdict(place)).toBeNull();
  await publishArtifact(repository, { ...good, files: [file("app.tgz", Buffer.from("evil"))] });
  expect(await verdict(place)).toBe("CHAIN_RELEASE_MISSING");
});

test("AT24: an unsigned artifact of a kind that nobody checks, alone and beside a proven one", async () => {
  const registry = await hostileRegistry();
  const repository = victim(registry.host);
  await putArtifact(repository, { tag: "chart", type: "application/vnd.example.chart.content.v1.tar+gzip" });
  expect(await verdict(`${registry.host}/team/app:chart`)).toBe("EVIDENCE_MISSING");
  const files = [file("app.tgz", Buffer.from("app.tgz")), file("extra.tgz", Buffer.from("unproven"))];
  await publishArtifact(repository, { files, bundles, created, tag: "two" });
  expect(await verdict(`${registry.host}/team/app:two`)).toBe("CHAIN_RELEASE_MISSING");
});

test("attack: the tag is swapped between check and use", async () => {
  const registry = await hostileRegistry();
  const repository = victim(registry.host);
  const { manifest: good } = await putArtifact(repository, { tag: "1.0" });
  const { manifest: evil, layer } = await putArtifact(repository);
  let asked = 0;
  registry.script = (request, _response, path) => {
    if (path.endsWith("manifests/1.0") && asked++ > 0) request.url = path.replace("1.0", evil.digest);
    return false;
  };
  const to = localRepository(memoryRegistryBackend(), "team/app", "local");
  const report = await copyImage({ from: repository, to, reference: "1.0", referrers: true, tag: "1.0" });
  // The tag was asked for once: all the rest went by digest.
  expect([report.digest, asked]).toEqual([good.digest, 1]);
  expect(await to.hasBlob(layer.digest)).toBe(false);
  expect(sha256(await naive(registry.host, "manifests/1.0"))).toBe(evil.digest);
});

test("attack: the target's tag is swapped while a copy sets it", async () => {
  const from = victim((await hostileRegistry()).host);
  await putArtifact(from, { tag: "1.0" });
  const registry = await hostileRegistry();
  const to = victim(registry.host);
  const { manifest: evil } = await putArtifact(to);
  registry.script = (request, _response, path) => {
    if (request.method === "GET" && path.endsWith("manifests/1.0")) request.url = path.replace("1.0", evil.digest);
    return false;
  };
  expect(await codeOf(copyImage({ from, to, reference: "1.0", referrers: true, tag: "1.0" }))).toBe(
    "OCI_TRANSFER_TARGET_DIFFERS",
  );
});
