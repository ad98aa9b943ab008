import { readdirSync } from "node:fs";
import { sha256 } from "@touchmark/core";
import { mediaTypes } from "@touchmark/formats/oci";
import { findProgram, objectServerProgram, startObjectServer } from "@touchmark/test-kit";
import { afterEach, expect, test } from "vitest";
import { registryScene } from "./registry.fixture.ts";

type Scene = Awaited<ReturnType<typeof registryScene>>;
const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0).reverse()) await scene.dispose();
});
async function opened(configuration: string): Promise<Scene> {
  const scene = await registryScene(configuration);
  scenes.push(scene);
  return scene;
}

const blob = Buffer.from("{}");
/** Pushes an artifact; answers the status of its manifest. */
async function push(url: string | undefined, repository: string): Promise<number> {
  const at = `${url}/v2/${repository}`;
  await fetch(`${at}/blobs/uploads/?digest=${sha256(blob)}`, { method: "POST", body: blob });
  const part = { mediaType: mediaTypes.empty, digest: sha256(blob), size: blob.length };
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: "a/b",
    config: part,
    layers: [part],
  };
  const init = { method: "PUT", headers: { "content-type": mediaTypes.manifest }, body: JSON.stringify(manifest) };
  return (await fetch(`${at}/manifests/v1`, init)).status;
}
const pull = (url: string | undefined, repository: string) =>
  fetch(`${url}/v2/${repository}/manifests/v1`, { headers: { accept: mediaTypes.manifest } }).then(
    ({ status }) => status,
  );

test("G6: a mirror of another registry fetches once, keeps, and takes nothing from clients", async () => {
  const above = await opened("");
  const upstream = await above.serve({ insecureAnonymousWrite: true });
  expect(await push(upstream.url, "library/app")).toBe(201);
  const host = (upstream.url ?? "").replace("http://", "");
  const scene = await opened(`mirror: { of: "${host}/library", tags: 1h }\nanonymous: read\n`);
  const mirror = await scene.serve();
  expect([await pull(mirror.url, "app"), await pull(mirror.url, "none")]).toEqual([200, 404]);
  const blobs = `${mirror.url}/v2/app/blobs/${sha256(blob)}`;
  expect(await (await fetch(blobs)).text()).toBe("{}");
  await upstream.close();
  expect([await pull(mirror.url, "app"), (await fetch(blobs)).status]).toEqual([200, 200]);
  const open = await scene.serve({ insecureAnonymousWrite: true });
  expect(await push(open.url, "app")).toBeGreaterThanOrEqual(400);
});

test("G6: an object storage without keys is refused by name", async () => {
  const scene = await opened('storage: { endpoint: "http://127.0.0.1:9", bucket: registry }\n');
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) delete process.env[name];
  await expect(scene.serve()).rejects.toMatchObject({ code: "REGISTRY_CONFIG_STORAGE_KEYS_MISSING" });
});

test.skipIf(!findProgram(objectServerProgram))("G6: an object storage holds what is pushed", async () => {
  const objects = await startObjectServer();
  if (objects === undefined) throw new Error("no object storage");
  process.env["AWS_ACCESS_KEY_ID"] = objects.credentials.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = objects.credentials.secretAccessKey;
  try {
    const scene = await opened(`storage: { endpoint: "${objects.endpoint}", bucket: ${objects.bucket}, prefix: r/ }\n`);
    const server = await scene.serve({ insecureAnonymousWrite: true });
    expect([await push(server.url, "app"), await pull(server.url, "app")]).toEqual([201, 200]);
    expect(readdirSync(objects.directory)).toContain("r");
  } finally {
    delete process.env["AWS_ACCESS_KEY_ID"];
    delete process.env["AWS_SECRET_ACCESS_KEY"];
    for (const scene of scenes.splice(0)) await scene.dispose();
    await objects.close();
  }
});
