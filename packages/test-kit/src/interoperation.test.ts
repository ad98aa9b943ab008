import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256, systemClock } from "@touchmark/core";
import { createFactoryIdentity, type FactoryIdentity } from "@touchmark/identity";
import { createLogKeys, openLog, type TransparencyLog } from "@touchmark/log";
import { signStatements } from "@touchmark/sign";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sampleStatement } from "./factory-fixture.ts";
import { findProgram } from "./program.ts";

/* Identity, sign, log and verify together, with nothing of memory in them, against cosign. */

const cosign = findProgram("cosign");
const spiffeId = "spiffe://factory.example/builder";
const provenance = "https://slsa.dev/provenance/v1";
let directory: string;
let identity: FactoryIdentity;
let log: TransparencyLog;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "touchmark-together-"));
  const keys = createLogKeys(join(directory, "log-keys"), { origin: "log.factory.example" });
  log = await openLog({ directory: join(directory, "log"), keys });
  identity = await createFactoryIdentity({
    directory: join(directory, "identity"),
    trustDomain: "factory.example",
    passphrase: "correct horse battery staple",
    clock: systemClock,
    log: keys,
  });
});
afterAll(async () => {
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

const signMany = async (count: number, profile: "v1" | "v2") => {
  const signer = await identity.newSigner({ spiffeId });
  const requests = Array.from({ length: count }, (_, i) => ({
    statement: sampleStatement(`artifact ${i}`, provenance),
    signer,
    log,
    timestamp: identity.timestampAuthority,
    profile,
  }));
  return signStatements(requests);
};

test.each(["v2", "v1"] as const)(
  "300 statements of profile %s are signed over the durable log and verified",
  async (profile) => {
    const bundles = await signMany(300, profile);
    const trustRoot = readTrustRoot(identity.trustedRoot());
    const indices = bundles.map(({ bytes, logIndex }, i) => {
      const expected = {
        artifact: sha256(`artifact ${i}`),
        identity: spiffeId,
        issuer: identity.issuer,
        predicateType: provenance,
      };
      expect(verifyBundle(bytes, trustRoot, expected).kind).toBe("statement");
      return logIndex;
    });
    expect(new Set(indices).size).toBe(300);
  },
);

test.skipIf(!cosign).each(["v2", "v1"] as const)(
  "cosign verifies a bundle of profile %s over the durable log",
  async (profile) => {
    const bundles = await signMany(3, profile);
    const file = (name: string, content: Uint8Array | string) => {
      const path = join(directory, name);
      writeFileSync(path, content);
      return path;
    };
    const root = file("trusted_root.json", identity.trustedRoot());
    for (const [i, { bytes }] of bundles.entries()) {
      const { status, stderr } = spawnSync(
        cosign ?? "",
        [
          "verify-blob-attestation",
          "--bundle",
          file("bundle.json", bytes),
          "--trusted-root",
          root,
          "--certificate-identity",
          spiffeId,
          "--certificate-oidc-issuer",
          identity.issuer,
          "--insecure-ignore-sct",
          "--use-signed-timestamps",
          "--type",
          provenance,
          file("artifact", `artifact ${i}`),
        ],
        { encoding: "utf8", env: { ...process.env, HOME: directory } },
      );
      expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining("Verified OK") });
    }
  },
);
