import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { digestHex, systemClock } from "@touchmark/core";
import { STATEMENT_TYPE } from "@touchmark/formats/evidence";
import {
  type Descriptor,
  descriptorOf,
  mediaTypes,
  serializeImageConfig,
  serializeManifest,
} from "@touchmark/formats/oci";
import {
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  type RegistryRepository,
  startRegistry,
} from "@touchmark/registry";
import { signStatement } from "@touchmark/sign";
import {
  type FactoryFixture,
  factoryFixture,
  findProgram,
  hasPeerRegistry,
  startPeerRegistry,
} from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";

/* An image that our client published, verified by cosign straight from a registry. */

const cosign = findProgram("cosign");
const provenance = "https://slsa.dev/provenance/v1";
const builder = "spiffe://factory.example/builder";
let directory: string;
let factory: FactoryFixture;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "touchmark-cosign-"));
  factory = await factoryFixture();
  writeFileSync(join(directory, "trusted_root.json"), factory.identity.trustedRoot());
});
afterAll(() => {
  factory.dispose();
  rmSync(directory, { recursive: true, force: true });
});

async function putImage(to: RegistryRepository): Promise<Descriptor> {
  const whole = (bytes: Uint8Array) =>
    async function* () {
      yield bytes;
    };
  const config = serializeImageConfig({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } });
  const described = descriptorOf(config, mediaTypes.config);
  await to.putBlob(described, whole(config));
  const manifest = serializeManifest({
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: described,
    layers: [],
  });
  return to.putManifest(manifest, mediaTypes.manifest);
}

/** Publishes an image with provenance and a statement of another kind; gives its digest. */
async function publish(host: string): Promise<string> {
  const to = openRegistryClient({ environment: {} }).repository({ registry: host, repository: "team/app" });
  const image = await putImage(to);
  const signer = await factory.identity.newSigner({ spiffeId: builder });
  const bundles = [];
  for (const predicateType of ["https://example.com/other/v1", provenance]) {
    const subject = [{ name: "team/app", digest: { sha256: digestHex(image.digest) } }];
    const statement = { _type: STATEMENT_TYPE, subject, predicateType, predicate: {} } as const;
    const { log, identity } = factory;
    const { bytes } = await signStatement({ statement, signer, log, timestamp: identity.timestampAuthority });
    bundles.push({ bytes, predicateType });
  }
  await publishArtifact(to, { subject: image, bundles, tag: "1.0", created: systemClock });
  return image.digest;
}

async function ask(image: string, identity = builder): Promise<string> {
  const words = [
    ...["verify-attestation", image, "--type", provenance, "--trusted-root", join(directory, "trusted_root.json")],
    ...["--certificate-identity", identity, "--certificate-oidc-issuer", factory.identity.issuer],
    ...["--insecure-ignore-sct", "--use-signed-timestamps", "--allow-http-registry"],
  ];
  const env = { ...process.env, HOME: directory };
  try {
    const { stdout } = await promisify(execFile)(cosign ?? "", words, { env, timeout: 50_000 });
    return stdout;
  } catch (error) {
    return `refused: ${(error as { stderr: string }).stderr}`;
  }
}

test.skipIf(cosign === undefined)(
  "cosign verifies an image that we published, straight from our registry",
  async () => {
    const registry = await startRegistry({
      ...{ backend: memoryRegistryBackend(), authority: openAuthority() },
      ...{ listen: { host: "127.0.0.1", port: 0 }, closeSeconds: 0 },
    });
    try {
      const digest = await publish(registry.address);
      for (const reference of ["team/app:1.0", `team/app@${digest}`]) {
        const answer = await ask(`${registry.address}/${reference}`);
        expect(answer).toContain('"payloadType":"application/vnd.in-toto+json"');
      }
      expect(await ask(`${registry.address}/team/app:1.0`, "spiffe://factory.example/other")).toContain("refused");
    } finally {
      await registry.close();
    }
  },
);

test.skipIf(cosign === undefined || !hasPeerRegistry("docker-registry"))(
  "cosign verifies an image that we published, straight from a registry without referrers",
  async () => {
    const registry = await startPeerRegistry("docker-registry");
    try {
      const digest = await publish(registry.host);
      expect(await ask(`${registry.host}/team/app@${digest}`)).toContain(
        '"payloadType":"application/vnd.in-toto+json"',
      );
    } finally {
      await registry.close();
    }
  },
);

test.skipIf(cosign === undefined || !hasPeerRegistry("distribution"))(
  "cosign verifies an image that we published, straight from the current distribution",
  async () => {
    const registry = await startPeerRegistry("distribution");
    try {
      const digest = await publish(registry.host);
      expect(await ask(`${registry.host}/team/app@${digest}`)).toContain(
        '"payloadType":"application/vnd.in-toto+json"',
      );
    } finally {
      await registry.close();
    }
  },
);
