import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, fixedClock } from "@touchmark/core";
import { descriptorOf, emptyContent, emptyDescriptor, mediaTypes, serializeManifest } from "@touchmark/formats/oci";
import { attestArtifact, openFactory } from "@touchmark/pipeline";
import {
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  startRegistry,
} from "@touchmark/registry";

/** Statements about each image, and components in each of them. */
const STATEMENTS = 5;
const COMPONENTS = 100;
const RULES = 20;
const types = Array.from({ length: STATEMENTS }, (_, i) => `https://example.com/facts-${i}/v1`);

/** A factory whose policy wants five statements about an image, and a registry with such images. */
export interface Scene {
  readonly base: string;
  readonly home: string;
  /** Program and first words of the bundled command. */
  readonly command: readonly [program: string, main: string];
  readonly policy: string;
  /** The same policy without what only a cluster knows of a question. */
  readonly requestless: string;
  /** References by digest, each another image. */
  readonly images: readonly string[];
  /** Requests that the registry answered up to now. */
  asked(): number;
  close(): Promise<void>;
}

/** Builds the command, signs, and fills a registry of this process. */
export async function openScene(count: number): Promise<Scene> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-bench-policy-")));
  const home = join(base, "home");
  const factory = await openFactory({ home, create: true });
  const policy = join(base, "policy.json");
  const requestless = join(base, "requestless.json");
  const { trustDomain } = factory.names();
  writeFileSync(policy, JSON.stringify(policyOf(trustDomain, 'request.kind.endsWith("/Pod")')));
  writeFileSync(requestless, JSON.stringify(policyOf(trustDomain, "subject.name.size() > 0")));
  let asked = 0;
  const registry = await startRegistry({
    ...{ backend: memoryRegistryBackend(), authority: openAuthority(), closeSeconds: 0 },
    listen: { host: "127.0.0.1", port: 0 },
    audit: () => {
      asked++;
    },
  });
  const client = openRegistryClient({ environment: {} });
  const created = fixedClock("2026-11-21T12:00:00Z");
  const images: string[] = [];
  for (let i = 0; i < count; i++) {
    const name = `bench/app-${i}`;
    const to = client.repository({ registry: registry.address, repository: name });
    const content = Buffer.from(name);
    const layer = descriptorOf(content, "application/vnd.oci.image.layer.v1.tar");
    for (const [descriptor, bytes] of [[layer, content] as const, [emptyDescriptor, emptyContent] as const]) {
      await to.putBlob(descriptor, async function* () {
        yield bytes;
      });
    }
    const manifest = { kind: "manifest", mediaType: mediaTypes.manifest, config: emptyDescriptor } as const;
    const bytes = serializeManifest({ ...manifest, layers: [layer] });
    const subject = await to.putManifest(bytes, mediaTypes.manifest, "1");
    const bundles = [];
    for (const [k, predicateType] of types.entries()) {
      const predicate = Buffer.from(JSON.stringify(factsOf(k)));
      const request = { artifact: { digest: subject.digest }, type: predicateType, predicate };
      bundles.push({ bytes: (await attestArtifact(factory, request)).bytes, predicateType });
    }
    await publishArtifact(to, { subject, bundles, created });
    images.push(referenceOf(registry.address, name, subject.digest));
  }
  await factory.close();
  return {
    ...{ base, home, policy, requestless, images, command: [process.execPath, bundled(base)] },
    asked: () => asked,
    async close() {
      client.close();
      await registry.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

const referenceOf = (registry: string, name: string, digest: Digest): string => `${registry}/${name}@${digest}`;

const factsOf = (kind: number) => ({
  total: COMPONENTS,
  components: Array.from({ length: COMPONENTS }, (_, k) => ({
    ...{ name: `component-${k}`, version: `${kind}.${k}.0`, score: k % 10 },
  })),
});

/** The command as a package has it, of the sources as they are now. */
function bundled(base: string): string {
  const out = join(base, "dist");
  const builder = join(import.meta.dirname, "..", "..", "tools", "build.ts");
  const built = spawnSync(process.execPath, [builder, "--out", out], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the command cannot be bundled: ${built.stderr}`);
  // Without it Node reads every file twice, to find out what it is.
  writeFileSync(join(out, "package.json"), '{"type":"module"}\n');
  return join(out, "main.js");
}

const expressionsOf = (asked: string) => [
  (i: number) => `attestations.a${i % STATEMENTS}.exists(s, s.predicate.total == ${COMPONENTS})`,
  (i: number) => `attestations.a${i % STATEMENTS}.all(s, s.predicate.components.all(c, c.score < ${10 + i}))`,
  () => `${asked} && subject.digest.matches("^sha256:[0-9a-f]{64}$")`,
  (i: number) => `now - attestations.a${i % STATEMENTS}[0].time < duration("24h")`,
];

const policyOf = (trustDomain: string, asked: string) => ({
  ...{ touchmark: "policy/v1", name: "bench", version: 1, point: "deploy", expires: "2099-01-01T00:00:00Z" },
  trust: { us: { identities: [{ identity: `spiffe://${trustDomain}/attest` }] } },
  attestations: Object.fromEntries(types.map((predicateType, i) => [`a${i}`, { predicateType, by: ["us"] }])),
  rules: Array.from({ length: RULES }, (_, i) => ({
    ...{ id: `rule-${i}`, title: `Rule ${i}` },
    expression: (expressionsOf(asked)[i % 4] as (i: number) => string)(i),
  })),
});
