import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type Digest, sha256, systemClock } from "@touchmark/core";
import { type Descriptor, type OciReader, parseManifest } from "@touchmark/formats/oci";
import { assembleImage, openLayout } from "@touchmark/image";
import { type RunOutcome, verifyFoundHere } from "@touchmark/pipeline";
import { openRegistryServer, type RegistryServer } from "@touchmark/pipeline/registry";
import {
  copyImage,
  findEvidence,
  hashPassword,
  localRepository,
  memoryRegistryBackend,
  openRegistryClient,
  publishArtifact,
  type RegistryClient,
  type RegistryRepository,
} from "@touchmark/registry";
import { openHome } from "@touchmark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
import { artifactOf, canBuild, openScene, type Scene } from "./scene.ts";

/* What a factory released, in its own registry, which is served to a builder, a deployer, and whoever else asks. */

const password = "a phrase of several words";
let scene: Scene;
let run: RunOutcome;
let server: RegistryServer;
let audit: string;
const clients = new Map<string, RegistryClient>();

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run();
  const { home } = scene.factory;
  const { text } = await hashPassword(password);
  const user = (name: string, grants: string) =>
    `  ${name}: { password: "${text}", grants: { "team/**": [${grants}] } }`;
  const configuration = [
    "touchmark: registry/v1",
    "users:",
    user("builder", "pull, push"),
    user("deployer", "pull"),
    user("publisher", "push"),
  ];
  writeFileSync(join(home.path, "registry.yaml"), `${configuration.join("\n")}\n`, { mode: 0o600 });
  server = await openRegistryServer({ home, listen: "127.0.0.1:0", identity: () => scene.factory.identity() });
  audit = join(home.paths.registry, "audit.jsonl");
  for (const name of ["builder", "deployer", "publisher", "nobody"]) {
    const directory = join(scene.directory, "clients", name);
    mkdirSync(directory, { recursive: true });
    const auth = Buffer.from(`${name}:${password}`).toString("base64");
    const auths = name === "nobody" ? {} : { [server.address]: { auth } };
    writeFileSync(join(directory, "config.json"), JSON.stringify({ auths }));
    clients.set(name, openRegistryClient({ environment: { DOCKER_CONFIG: directory } }));
  }
});
afterAll(async () => {
  for (const client of clients.values()) client.close();
  await server?.close();
  await scene?.close();
});

/** A repository as one of the clients sees it. */
function seenBy(name: "builder" | "deployer" | "publisher" | "nobody", repository = "team/app"): RegistryRepository {
  const client = clients.get(name);
  if (client === undefined) throw new Error(`no client ${name}`);
  return client.repository({ registry: server.address, repository });
}

const file = (name: string, mediaType: string, text: string) => {
  const bytes = Buffer.from(text);
  const open = async function* () {
    yield bytes;
  };
  return { name, mediaType, digest: sha256(bytes), size: bytes.length, open };
};

/** The release as the builder publishes it; done again it sends nothing. */
async function published(): Promise<Digest> {
  const { all } = await scene.evidence(run);
  const digest = artifactOf(run);
  const size = (await scene.factory.content.get(digest)).length;
  const { subject } = await publishArtifact(seenBy("builder"), {
    files: [
      {
        name: "app.tar",
        mediaType: "application/x-tar",
        digest,
        size,
        open: () => scene.factory.content.stream(digest),
      },
    ],
    bundles: all.map(({ bytes, verified }) => ({ bytes, predicateType: verified.statement.predicateType })),
    ...{ created: { now: () => new Date(0) }, tag: "1.0" },
  });
  return subject.digest;
}

async function evidenceIn(reader: OciReader, subject: Digest): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const { bytes } of findEvidence(reader, subject)) found.push(bytes);
  return found;
}

const digests = (all: readonly Uint8Array[]): string[] => all.map((bytes) => sha256(bytes)).sort();

test.skipIf(!canBuild)(
  "RA-REPO-02: what a build pushes with its credential, a deployment pulls with another that cannot push",
  async () => {
    const subject = await published();
    const deployer = seenBy("deployer");
    expect((await deployer.manifest("1.0")).descriptor.digest).toBe(subject);
    const config = file("other", "text/plain", "other");
    await expect(deployer.putBlob(config, config.open)).rejects.toMatchObject({ code: "OCI_CLIENT_DENIED" });
    await expect(seenBy("builder", "others/app").manifest("1.0")).rejects.toMatchObject({ code: "OCI_CLIENT_DENIED" });
  },
);

test.skipIf(!canBuild)(
  "RA-DIST-01: who may pull does; writing without the right and deleting without credential are denied, and noted",
  async () => {
    const subject = await published();
    const { bytes, descriptor } = await seenBy("deployer").manifest(subject);
    await expect(seenBy("deployer").putManifest(bytes, descriptor.mediaType, "2.0")).rejects.toMatchObject({
      code: "OCI_CLIENT_DENIED",
    });
    for (const attempt of [seenBy("nobody").deleteManifest(subject), seenBy("nobody").manifest(subject)]) {
      await expect(attempt).rejects.toMatchObject({ code: "OCI_CLIENT_UNAUTHORIZED" });
    }
    expect((await seenBy("deployer").manifest("1.0")).descriptor.digest).toBe(subject);
    const lines = readFileSync(audit, "utf8");
    expect(lines).toContain('"status":401');
    expect(lines).toContain('"status":403');
    expect(lines).not.toContain(password);
  },
);

test.skipIf(!canBuild)(
  "RA-DIST-02: a digest is enough to find all signatures in one request for referrers, and to verify them",
  async () => {
    const subject = await published();
    const reader = seenBy("deployer");
    let lookups = 0;
    const counted: OciReader = {
      ...reader,
      referrers: (...asked) => {
        lookups++;
        return reader.referrers(...asked);
      },
    };
    const bundles = await evidenceIn(counted, subject);
    const { chain, refused } = await verifyFoundHere(scene.factory, artifactOf(run), bundles);
    expect([chain.artifact.digest, refused.size, lookups]).toEqual([artifactOf(run), 0, 1]);
  },
);

test.skipIf(!canBuild)(
  "RA-DIST-03: signatures verify beside the artifact, and in a repository of their own",
  async () => {
    const subject = await published();
    const beside = await evidenceIn(seenBy("deployer"), subject);
    const apart = seenBy("builder", "team/evidence");
    await copyImage({ from: seenBy("deployer"), to: apart, reference: subject, referrers: true });
    for (const bundles of [beside, await evidenceIn(apart, subject)]) {
      const { chain } = await verifyFoundHere(scene.factory, artifactOf(run), bundles);
      expect(chain.run).toBe(run.run);
    }
  },
);

test.skipIf(!canBuild)(
  "RA-REPO-03: an image, a chart, a bill of materials and signatures are stored and retrieved, linked to their subject",
  async () => {
    const builder = seenBy("builder", "team/kinds");
    const reader = seenBy("deployer", "team/kinds");
    const [bundle] = (await scene.evidence(run)).all.map(({ bytes }) => bytes);
    if (bundle === undefined) throw new Error("no evidence");
    const created = systemClock;
    const bundles = [{ bytes: bundle, predicateType: "https://example.org/any/v1" }];
    const chart = file("chart.tgz", "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "a chart");
    const bill = file("bom.json", "application/vnd.cyclonedx+json", '{"bomFormat":"CycloneDX"}');
    const spec = {
      platform: { os: "linux", architecture: "amd64" },
      layers: [{ files: [{ kind: "file", to: "/app", content: Buffer.from("app"), mode: 0o755 } as const] }],
      ...{ epoch: 0, user: "1000", entrypoint: ["/app"] },
    };
    const image = await assembleImage(spec, { out: builder, scratch: join(scene.directory, "scratch") });
    await publishArtifact(builder, { subject: image.descriptor, bundles, created });
    const stored: Descriptor[] = [image.descriptor];
    for (const each of [chart, bill]) {
      const request = { files: [each], artifactType: each.mediaType, bundles, created };
      stored.push((await publishArtifact(builder, request)).subject);
    }
    const kinds: string[] = [];
    for (const { digest } of stored) {
      const { bytes, descriptor } = await reader.manifest(digest);
      const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
      if (manifest.kind !== "manifest" || manifest.layers[0] === undefined) throw new Error("nothing in it");
      expect(sha256(await buffer(reader.blob(manifest.layers[0])))).toBe(manifest.layers[0].digest);
      kinds.push(manifest.artifactType ?? manifest.config.mediaType);
      expect(digests(await evidenceIn(reader, digest))).toEqual([sha256(bundle)]);
    }
    expect(kinds).toEqual(["application/vnd.oci.image.config.v1+json", chart.mediaType, bill.mediaType]);
  },
);

test.skipIf(!canBuild)(
  "RA-REPO-04: the same lookup by digest gives the same evidence from a registry, from memory and from a directory",
  async () => {
    const subject = await published();
    const served = digests(await evidenceIn(seenBy("deployer"), subject));
    expect(served.length).toBeGreaterThan(10);
    const memory = localRepository(memoryRegistryBackend(), "team/app", "memory");
    const directory = openLayout(join(scene.directory, "layout"));
    for (const other of [memory, directory]) {
      await copyImage({ from: seenBy("deployer"), to: other, reference: subject, referrers: true });
      expect(digests(await evidenceIn(other, subject))).toEqual(served);
    }
  },
);

test.skipIf(!canBuild)(
  "use-oci-registry: an artifact has standard media types, is pulled by digest, and what is said of it are referrers",
  async () => {
    const subject = await published();
    const { bytes, descriptor } = await seenBy("deployer").manifest(subject);
    expect(descriptor.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
    expect(parseManifest(bytes, { mediaType: descriptor.mediaType })).toMatchObject({ kind: "manifest" });
    const kinds = new Set<string>();
    for await (const each of seenBy("deployer").referrers(subject)) kinds.add(each.artifactType ?? "");
    expect([...kinds]).toEqual(["application/vnd.dev.sigstore.bundle.v0.3+json"]);
  },
);

test.skipIf(!canBuild)(
  "RA-S7-02: who may publish and nothing else pushes with a credential, and can read and delete nothing",
  async () => {
    const subject = await published();
    const notes = file("notes.txt", "text/plain", "what is new");
    const publisher = seenBy("publisher");
    await publisher.putBlob(notes, notes.open);
    for (const attempt of [publisher.manifest(subject), publisher.deleteManifest(subject)]) {
      await expect(attempt).rejects.toMatchObject({ code: "OCI_CLIENT_DENIED" });
    }
    await expect(seenBy("nobody").putBlob(notes, notes.open)).rejects.toMatchObject({
      code: "OCI_CLIENT_UNAUTHORIZED",
    });
  },
);

test.skipIf(!canBuild)(
  "RA-S7-05: what is published to a registry of another home has the digest that was packaged, and verifies from there",
  async () => {
    const subject = await published();
    const { bytes, descriptor } = await seenBy("deployer").manifest(subject);
    const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
    expect(manifest.kind === "manifest" ? manifest.layers.map((layer) => layer.digest) : []).toEqual([artifactOf(run)]);
    const outside = await openHome(join(scene.directory, "outside"), { create: true });
    const external = await openRegistryServer({ home: outside, listen: "127.0.0.1:0", insecureAnonymousWrite: true });
    const client = openRegistryClient({ environment: {} });
    try {
      const to = client.repository({ registry: external.address, repository: "shop/app" });
      await copyImage({ from: seenBy("deployer"), to, reference: subject, referrers: true, tag: "1.0" });
      const { chain } = await verifyFoundHere(scene.factory, artifactOf(run), await evidenceIn(to, subject));
      expect(chain.artifact.digest).toBe(artifactOf(run));
    } finally {
      client.close();
      await external.close();
    }
  },
);
