import { sha256, systemClock } from "@touchmark/core";
import { descriptorOf, emptyContent, emptyDescriptor, mediaTypes, serializeManifest } from "@touchmark/formats/oci";
import {
  configuredTagRules,
  memoryRegistryBackend,
  openAuthority,
  type PromotionProof,
  startRegistry,
  withProtectedTags,
  withQuotas,
} from "@touchmark/registry";
import { parseRegistryConfiguration } from "@touchmark/registry/configuration";
import { expect, onTestFinished, test } from "vitest";

/** A registry where everybody may do everything but what the rules about tags and quotas say. */
async function scene(body: string, proof?: PromotionProof) {
  const configuration = () => parseRegistryConfiguration(`touchmark: registry/v1\n${body}`, "registry.yaml");
  const running = await startRegistry({
    backend: withProtectedTags(withQuotas(memoryRegistryBackend(), configuration, systemClock), configuration),
    authority: openAuthority(),
    tagRules: configuredTagRules(configuration, proof),
    listen: { host: "127.0.0.1", port: 0 },
    closeSeconds: 1,
  });
  onTestFinished(() => running.close());
  const call = async (method: string, path: string, content?: Uint8Array) => {
    const response = await fetch(`${running.url}/v2/${path}`, {
      method,
      ...(content === undefined ? {} : { body: content, headers: { "content-type": mediaTypes.manifest } }),
    });
    const text = await response.text();
    const code = /"detail":\{"code":"([A-Z_]+)"/.exec(text)?.[1];
    return code === undefined ? String(response.status) : `${response.status} ${code}`;
  };
  return {
    call,
    async push(repository: string, reference: string | undefined, note: string) {
      const blob = sha256(emptyContent);
      await call("POST", `${repository}/blobs/uploads/?digest=${blob}`, emptyContent);
      const manifest = serializeManifest({
        kind: "manifest",
        mediaType: mediaTypes.manifest,
        artifactType: "application/vnd.example.note",
        config: emptyDescriptor,
        layers: [emptyDescriptor],
        annotations: { note },
      });
      const { digest } = descriptorOf(manifest, mediaTypes.manifest);
      return { digest, said: await call("PUT", `${repository}/manifests/${reference ?? digest}`, manifest) };
    },
  };
}

const immutable = 'tags: { immutable: [{ repositories: ["prod/**"], tags: ["v*"] }] }\n';
const promoted = 'tags: { promotion-only: [{ repositories: ["prod/**"], tags: ["*"] }] }\n';

test("A13: attack: an immutable tag is moved: by a push, after its deletion, and with its manifest", async () => {
  const { call, push } = await scene(immutable);
  const first = await push("prod/app", "v1", "first");
  expect(first.said).toBe("201");
  expect((await push("prod/app", "v1", "second")).said).toBe("403 REGISTRY_TAG_IMMUTABLE");
  expect(await call("DELETE", "prod/app/manifests/v1")).toBe("403 REGISTRY_TAG_IMMUTABLE");
  expect(await call("DELETE", `prod/app/manifests/${first.digest}`)).toBe("403 REGISTRY_TAG_IMMUTABLE");
  expect((await push("prod/app", "v1", "first")).said).toBe("201");
  // Many at once, none of which the first look sees.
  const at = await Promise.all(Array.from({ length: 8 }, (_, i) => push("prod/app", "v2", `at once ${i}`)));
  expect(at.filter(({ said }) => said === "201")).toHaveLength(1);
});

test("A13: attack: a tag that only the gate may set is pushed by somebody who may push", async () => {
  const { call, push } = await scene(promoted);
  expect((await push("prod/app", "v1", "mine")).said).toBe("403 REGISTRY_PROMOTION_REFUSED");
  const { digest, said } = await push("prod/app", undefined, "mine");
  expect(said).toBe("201");
  expect(await call("GET", "prod/app/manifests/v1")).toBe("404 REGISTRY_MANIFEST_UNKNOWN");
  expect(await call("GET", `prod/app/manifests/${digest}`)).toBe("200");
  expect((await push("test/app", "v1", "mine")).said).toBe("201");
});

test("A13: attack: a decision for one tag, repository or digest is used for another", async () => {
  const decided = new Set<string>();
  const { push } = await scene(promoted, {
    missing: async (repository, tag, digest) =>
      decided.has(`${repository}:${tag}@${digest}`) ? undefined : "no decision is about this",
  });
  const { digest } = await push("prod/app", undefined, "good");
  decided.add(`prod/app:v1@${digest}`);
  expect((await push("prod/app", "v1", "good")).said).toBe("201");
  for (const [repository, tag, note] of [
    ["prod/app", "v2", "good"],
    ["prod/other", "v1", "good"],
    ["prod/app", "v1", "evil"],
  ] as const) {
    expect((await push(repository, tag, note)).said).toBe("403 REGISTRY_PROMOTION_REFUSED");
  }
});

test("A13: attack: a verifier that fails is taken for a decision", async () => {
  const { push } = await scene(promoted, { missing: async () => Promise.reject(new Error("the disk is gone")) });
  expect((await push("prod/app", "v1", "good")).said).toBe("500 REGISTRY_INTERNAL");
});

test("A14: attack: a repository is filled beyond its quota: blobs, chunks at once, manifests, tags", async () => {
  const { call, push } = await scene(
    'quotas: { repositories: [{ repositories: ["**"], bytes: 5kB, manifests: 3, tags: 2 }] }\n',
  );
  const blob = (bytes: number, fill: number) => {
    const content = Buffer.alloc(bytes, fill);
    return call("POST", `a/blobs/uploads/?digest=${sha256(content)}`, content);
  };
  expect(await blob(5001, 1)).toBe("403 REGISTRY_QUOTA_EXCEEDED");
  const said = await Promise.all(Array.from({ length: 10 }, (_, i) => blob(900, i + 2)));
  expect(said.filter((each) => each === "201")).toHaveLength(5);
  for (const tag of ["t1", "t2"]) expect((await push("b", tag, tag)).said).toBe("201");
  expect((await push("b", "t3", "t1")).said).toBe("403 REGISTRY_QUOTA_EXCEEDED");
  expect((await push("b", undefined, "third")).said).toBe("201");
  expect((await push("b", undefined, "fourth")).said).toBe("403 REGISTRY_QUOTA_EXCEEDED");
});
