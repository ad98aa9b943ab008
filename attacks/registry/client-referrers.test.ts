import { type Descriptor, descriptorOf, mediaTypes, serializeIndex } from "@touchmark/formats/oci";
import { findEvidence } from "@touchmark/registry";
import { expect, test } from "vitest";
import { all, codeOf, type HostileRegistry, hostileRegistry, putArtifact, victim } from "./client-scene.ts";

const bundle = { type: mediaTypes.sigstoreBundle };
const found = async (host: string, subject: Descriptor): Promise<string[]> =>
  (await all(findEvidence(victim(host), subject.digest))).map(({ bytes }) => Buffer.from(bytes).toString());

/** Puts an index of the attacker under the tag by which clients of old registries find referrers. */
async function forgeFallback(registry: HostileRegistry, subject: Descriptor, forged: Descriptor): Promise<void> {
  const index = {
    kind: "index",
    mediaType: mediaTypes.index,
    manifests: [{ ...forged, artifactType: bundle.type }],
  } as const;
  await victim(registry.host).putManifest(serializeIndex(index), mediaTypes.index, subject.digest.replace(":", "-"));
}

test("attack: downgrade to a forged fallback tag beside a registry's own list of referrers", async () => {
  const registry = await hostileRegistry();
  const repository = victim(registry.host);
  const { manifest: subject } = await putArtifact(repository);
  await putArtifact(repository, { ...bundle, subject, content: Buffer.from("true") });
  const { manifest: forged } = await putArtifact(repository, { ...bundle, content: Buffer.from("forged") });
  await forgeFallback(registry, subject, forged);
  expect(await found(registry.host, subject)).toEqual(["true"]);
  // A list that fails is no list that is missing.
  registry.script = (_request, response, path) => {
    if (!path.includes("/referrers/")) return false;
    response.writeHead(500).end();
    return true;
  };
  expect(await codeOf(found(registry.host, subject))).toBe("OCI_CLIENT_SERVER_FAILED");
});

test("attack: a list of referrers that hides what is there: nothing takes its place", async () => {
  const registry = await hostileRegistry();
  const repository = victim(registry.host);
  const { manifest: subject } = await putArtifact(repository);
  const { manifest: forged } = await putArtifact(repository, { ...bundle, content: Buffer.from("forged") });
  await forgeFallback(registry, subject, forged);
  expect(await found(registry.host, subject)).toEqual([]);
  // Where the list is said to be missing, the tag is read, and what refers to something else is no evidence.
  registry.script = (_request, response, path) => {
    if (!path.includes("/referrers/")) return false;
    response.writeHead(404).end();
    return true;
  };
  const search = findEvidence(victim(registry.host), subject.digest);
  expect(await all(search)).toEqual([]);
  expect([...search.skipped]).toEqual([[forged.digest, "another-subject"]]);
});

test("attack: a flood of referrers, absent, huge, broken and endless, around a good one", async () => {
  const registry = await hostileRegistry();
  const repository = victim(registry.host);
  const { manifest: subject } = await putArtifact(repository);
  const { manifest: good } = await putArtifact(repository, { ...bundle, subject, content: Buffer.from("good") });
  const { manifest: broken, layer } = await putArtifact(repository, { ...bundle, subject });
  const { manifest: endless, layer: dripping } = await putArtifact(repository, { ...bundle, subject });
  const absent = Array.from({ length: 990 }, (_, i) => descriptorOf(Buffer.from(String(i)), mediaTypes.manifest));
  const huge = { ...good, digest: absent[0]?.digest ?? good.digest, size: 2 ** 40 };
  const manifests = [huge, ...absent.slice(1), broken, endless, good].map((each) => ({
    ...each,
    artifactType: bundle.type,
  }));
  registry.script = (_request, response, path) => {
    if (path.includes("/referrers/")) {
      response.setHeader("content-type", mediaTypes.index);
      response.end(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
    } else if (path.includes(layer.digest)) response.writeHead(200, { "content-length": 2 ** 40 }).end("x");
    else if (path.includes(dripping.digest)) response.writeHead(200).write("x");
    else return false;
    return true;
  };
  const search = findEvidence(victim(registry.host), subject.digest, { itemMs: 5000 });
  expect((await all(search)).map(({ bytes }) => String(bytes))).toEqual(["good"]);
  const counts = new Map<string, number>();
  for (const reason of search.skipped.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({
    ...{ OCI_CLIENT_NOT_FOUND: 989, "too-large": 1, OCI_CLIENT_SIZE_WRONG: 1, "too-slow": 1 },
  });
  expect(search.ended()).toBeUndefined();
});
