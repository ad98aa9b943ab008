import { fixedClock, sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { ManifestCache } from "./manifest-cache.ts";
import { codesOf, registryScene } from "./scene.fixture.ts";

const kept = (size: number) => ({ mediaType: "a/b", bytes: new Uint8Array(size) });

test("D10: kept manifests are bounded in bytes, the oldest go first", () => {
  const cache = new ManifestCache(100_000, 1000);
  for (let i = 0; i < 500; i++) cache.put("a", sha256(String(i)), kept(1000), 0);
  expect(cache.bytes).toBeLessThanOrEqual(100_000);
  expect(cache.get("a", sha256("499"), 0)).toBeDefined();
  expect(cache.get("a", sha256("0"), 0)).toBeUndefined();
  cache.put("a", sha256("large"), kept(50_000), 0);
  expect(cache.get("a", sha256("large"), 0)).toBeUndefined();
  expect(cache.get("b", sha256("499"), 0)).toBeUndefined();
  expect(cache.get("a", sha256("499"), 1001)).toBeUndefined();
});

test("D10: what is deleted here is gone at once, what is deleted elsewhere within a second", async () => {
  const clock = fixedClock("2026-11-21T12:00:00Z");
  const { call, image, backend } = await registryScene({ clock });
  const { digest } = await image("a", "v1");
  const status = async () => (await call("GET", `/v2/a/manifests/${digest}`)).status;
  expect(await status()).toBe(200);
  await call("DELETE", `/v2/a/manifests/${digest}`);
  expect(await status()).toBe(404);
  await image("a", "v1");
  expect(await status()).toBe(200);
  await backend.manifests.delete("a", digest as `sha256:${string}`);
  clock.set("2026-11-21T12:00:02Z");
  expect(await status()).toBe(404);
});

test("D10: a manifest is verified again whatever the backend says", async () => {
  const { backend, image } = await registryScene();
  const { digest } = await image("a", "v1");
  const lying: typeof backend.manifests = {
    ...backend.manifests,
    get: async () => ({ mediaType: "a/b", bytes: Buffer.from("other") }),
  };
  const scene = await registryScene({ backend: { ...backend, manifests: lying } });
  const reply = await scene.call("GET", `/v2/a/manifests/${digest}`);
  expect(codesOf(reply)).toBe("503 UNKNOWN REGISTRY_CONTENT_CORRUPT");
});
