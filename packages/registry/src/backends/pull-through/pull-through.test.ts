import { type Digest, fixedClock, sha256 } from "@touchmark/core";
import { type FoundManifest, mediaTypes, type OciReader } from "@touchmark/formats/oci";
import { expect, test } from "vitest";
import { clientErrors } from "../../client/errors.ts";
import { registryErrors } from "../../errors.ts";
import { localRepository } from "../../local-repository.ts";
import { memoryRegistryBackend } from "../memory.ts";
import { pullThroughBackend, type StaleTag } from "./pull-through.ts";

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (cause: { code?: unknown }) => cause.code ?? cause,
  );

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

function imageOf(word: string) {
  const layer = Buffer.from(`layer ${word}`);
  const config = Buffer.from(JSON.stringify({ word }));
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
      layers: [{ mediaType: mediaTypes.layer, digest: sha256(layer), size: layer.length }],
    }),
  );
  return { layer, config, bytes, digest: sha256(bytes) };
}

/** A registry above with one image, and a mirror of it. What is asked of the one above is counted. */
async function mirror(options: { tagSeconds?: number; maxBlobBytes?: number } = {}) {
  const above = memoryRegistryBackend();
  const place = localRepository(above, "a", "above");
  const push = async (word: string) => {
    const image = imageOf(word);
    for (const blob of [image.layer, image.config])
      await above.uploads.put("a", sha256(blob), 1000, chunks(blob.toString()));
    await place.putManifest(image.bytes, mediaTypes.manifest, "latest");
    return image;
  };
  const image = await push("one");
  const asked: string[] = [];
  const state: { fail: (() => Error) | undefined; spoil: (bytes: Uint8Array) => Uint8Array } = {
    fail: undefined,
    spoil: (bytes) => bytes,
  };
  const reader: OciReader = {
    name: "above",
    manifest: async (reference): Promise<FoundManifest> => {
      asked.push(`manifest ${reference.slice(0, 12)}`);
      if (state.fail !== undefined) throw state.fail();
      const found = await place.manifest(reference);
      return { ...found, bytes: state.spoil(found.bytes) };
    },
    async *blob(descriptor) {
      asked.push("blob");
      if (state.fail !== undefined) throw state.fail();
      for await (const part of place.blob(descriptor)) yield state.spoil(part);
    },
    referrers: (subject, filter) => {
      if (state.fail !== undefined) throw state.fail();
      return place.referrers(subject, filter);
    },
    tags: () => {
      if (state.fail !== undefined) throw state.fail();
      return place.tags?.() ?? chunksOfNothing();
    },
  };
  const clock = fixedClock("2026-11-21T10:00:00Z");
  const stale: StaleTag[] = [];
  const local = memoryRegistryBackend({ clock });
  const backend = pullThroughBackend({
    local,
    upstream: () => reader,
    clock,
    onStale: (one) => stale.push(one),
    ...options,
  });
  return { above, place, push, image, asked, state, clock, stale, local, backend };
}

async function* chunksOfNothing(): AsyncGenerator<string> {}

async function read(
  backend: Awaited<ReturnType<typeof mirror>>["backend"],
  digest: Digest,
): Promise<string | undefined> {
  const blob = await backend.blobs.open("a", digest);
  if (blob === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of blob.stream()) parts.push(part);
  return Buffer.concat(parts).toString();
}

const away = () => clientErrors.make("OCI_CLIENT_UNREACHABLE", "password=secret at the host above");

test("B19: content is fetched once for all that wait, and served while the registry above is away", async () => {
  const { backend, image, asked, state } = await mirror();
  expect(await read(backend, sha256(image.layer))).toBeUndefined();
  const all = await Promise.all(Array.from({ length: 5 }, () => backend.manifests.get("a", image.digest)));
  expect(all.map((one) => Buffer.from(one?.bytes ?? []).equals(image.bytes))).toEqual(Array(5).fill(true));
  const layers = await Promise.all(Array.from({ length: 5 }, () => read(backend, sha256(image.layer))));
  expect(layers).toEqual(Array(5).fill("layer one"));
  expect(asked).toEqual([`manifest ${image.digest.slice(0, 12)}`, "blob"]);
  state.fail = away;
  expect(await read(backend, sha256(image.layer))).toBe("layer one");
  expect((await backend.manifests.get("a", image.digest))?.mediaType).toBe(mediaTypes.manifest);
  expect(await codeOf(read(backend, sha256(image.config)))).toBe("REGISTRY_BACKEND_UPSTREAM_AWAY");
  expect(await codeOf(backend.manifests.get("a", sha256("other")))).toBe("REGISTRY_BACKEND_UPSTREAM_AWAY");
});

test("B19: what does not have its digest, or is too large, is not kept", async () => {
  const { backend, image, state, local } = await mirror();
  await backend.manifests.get("a", image.digest);
  state.spoil = (bytes) => Uint8Array.from(bytes, (byte) => byte ^ 1);
  expect(await codeOf(read(backend, sha256(image.layer)))).toBe("REGISTRY_BACKEND_UPSTREAM_REFUSED");
  expect(await local.blobs.open("a", sha256(image.layer))).toBeUndefined();
  const other = await mirror();
  other.state.spoil = (bytes) => Buffer.concat([bytes, Buffer.from(" ")]);
  expect(await codeOf(other.backend.manifests.get("a", other.image.digest))).toBe("REGISTRY_BACKEND_UPSTREAM_REFUSED");
  expect(await codeOf(other.backend.tags.resolve("a", "latest"))).toBe("REGISTRY_BACKEND_UPSTREAM_REFUSED");
  expect(await other.local.repositories({ limit: 10 })).toEqual([]);
  const small = await mirror({ maxBlobBytes: 3 });
  await small.backend.manifests.get("a", small.image.digest);
  expect(await codeOf(read(small.backend, sha256(small.image.layer)))).toBe("REGISTRY_BACKEND_UPSTREAM_REFUSED");
});

test("B19: content that was damaged here is fetched again", async () => {
  const { backend, image, local, asked } = await mirror();
  await backend.manifests.get("a", image.digest);
  await read(backend, sha256(image.layer));
  local.corrupt(image.digest, Buffer.from("{}"));
  local.corrupt(sha256(image.layer), undefined);
  expect(Buffer.from((await backend.manifests.get("a", image.digest))?.bytes ?? [])).toEqual(image.bytes);
  expect(await read(backend, sha256(image.layer))).toBe("layer one");
  expect(asked.length).toBe(4);
});

test("B19: a client writes nothing", async () => {
  const { backend, image } = await mirror();
  const { digest } = image;
  const writes = [
    backend.uploads.begin("a"),
    backend.uploads.put("a", digest, 10, chunks("x")),
    backend.uploads.append("a", "0".repeat(32), { offset: 0, maxBytes: 1 }, chunks("x")),
    backend.uploads.finish("a", "0".repeat(32), digest),
    backend.blobs.mount(digest, "a", "b"),
    backend.blobs.delete("a", digest),
    backend.manifests.delete("a", digest),
    backend.tags.set("a", "latest", digest, false),
    backend.tags.delete("a", "latest"),
  ];
  for (const write of writes) expect(await codeOf(write)).toBe("REGISTRY_BACKEND_READ_ONLY");
  expect([await backend.uploads.received("a", "x"), await backend.uploads.cancel("a", "x")]).toEqual([
    undefined,
    false,
  ]);
});

test("B20: an answer about a tag holds for its time, then the registry above is asked again", async () => {
  const { backend, image, push, clock, asked } = await mirror({ tagSeconds: 60 });
  expect(await backend.tags.resolve("a", "latest")).toBe(image.digest);
  const two = await push("two");
  clock.set("2026-11-21T10:00:59Z");
  expect(await backend.tags.resolve("a", "latest")).toBe(image.digest);
  expect(asked.length).toBe(1);
  clock.set("2026-11-21T10:01:00Z");
  expect(await backend.tags.resolve("a", "latest")).toBe(two.digest);
  expect(await backend.tags.resolve("a", "other")).toBeUndefined();
});

test("B20: while the registry above is away the last answer is given and said to be stale", async () => {
  const { backend, image, state, clock, stale } = await mirror();
  await backend.tags.resolve("a", "latest");
  clock.set("2026-11-21T11:00:00Z");
  state.fail = away;
  expect(await backend.tags.resolve("a", "latest")).toBe(image.digest);
  expect(stale).toEqual([{ repository: "a", tag: "latest", digest: image.digest }]);
  expect(await backend.tags.list("a", { limit: 10 })).toEqual(["latest"]);
  expect(await backend.manifests.referrers("a", image.digest, { limit: 10 })).toEqual([]);
  const failure = await backend.tags.resolve("a", "other").catch((cause: unknown) => cause as Error);
  expect(failure).toMatchObject({ code: "REGISTRY_BACKEND_UPSTREAM_AWAY" });
  expect((failure as Error).message).not.toContain("secret");
  // One that refuses is not away: nothing that it gave before is given in its name.
  state.fail = () => clientErrors.make("OCI_CLIENT_DENIED", "no");
  expect(await codeOf(backend.tags.resolve("a", "latest"))).toBe("REGISTRY_BACKEND_UPSTREAM_REFUSED");
  expect(await codeOf(backend.tags.list("a", { limit: 10 }))).toBe("REGISTRY_BACKEND_UPSTREAM_REFUSED");
  state.fail = () => registryErrors.make("REGISTRY_CONTENT_MISSING", "gone");
  expect(await backend.tags.resolve("a", "latest")).toBeUndefined();
  state.fail = away;
  clock.set("2026-11-21T12:00:00Z");
  expect(await codeOf(backend.tags.resolve("a", "latest"))).toBe("REGISTRY_BACKEND_UPSTREAM_AWAY");
});

test("B20: tags and referrers are those of the registry above, in pages", async () => {
  const { backend, above, image, place } = await mirror();
  for (const tag of ["v1", "v0"]) await above.tags.set("a", tag, image.digest, false);
  const subject = { mediaType: mediaTypes.manifest, digest: image.digest, size: image.bytes.length };
  const empty = { mediaType: mediaTypes.empty, digest: sha256("{}"), size: 2 };
  await above.uploads.put("a", empty.digest, 2, chunks("{}"));
  for (const word of ["x", "y", "z"]) {
    const artifactType = word === "z" ? "application/z" : "application/x";
    const annotations = { word };
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType,
      config: empty,
      layers: [empty],
      subject,
      annotations,
    };
    await place.putManifest(Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest);
  }
  expect(await backend.tags.list("a", { limit: 2, after: "latest" })).toEqual(["v0", "v1"]);
  const all = await backend.manifests.referrers("a", image.digest, { limit: 10 });
  expect(all.map(({ digest }) => digest)).toEqual(all.map(({ digest }) => digest).sort());
  expect(all.length).toBe(3);
  const after = all[0]?.digest as Digest;
  expect((await backend.manifests.referrers("a", image.digest, { limit: 1, after }))[0]).toEqual(all[1]);
  expect(
    (await backend.manifests.referrers("a", image.digest, { limit: 9, artifactType: "application/z" })).length,
  ).toBe(1);
  // What was never asked for is not missing.
  await backend.manifests.get("a", image.digest);
  expect(await backend.fsck()).toEqual([]);
  expect((await backend.usage("a")).manifests).toBe(1);
  expect(await backend.repositories({ limit: 10 })).toEqual(["a"]);
  expect((await backend.collect({ untagged: true, graceSeconds: 0, dryRun: true })).deletedManifests.length).toBe(1);
  await backend.close();
});
