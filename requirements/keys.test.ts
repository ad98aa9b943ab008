import { X509Certificate } from "node:crypto";
import { type Clock, sha256 } from "@touchmark/core";
import { STATEMENT_TYPE } from "@touchmark/formats/evidence";
import { stepId } from "@touchmark/identity";
import type { RunOutcome } from "@touchmark/pipeline";
import { signStatement } from "@touchmark/sign";
import { type FactoryFixture, factoryFixture } from "@touchmark/test-kit";
import {
  type BundleRecipe,
  mintBundle,
  mintKey,
  mintRun,
  mintWorld,
  runFacts,
  trustedRootBytes,
  usages,
} from "@touchmark/test-kit/mint";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { verifyRun } from "@touchmark/verify/chain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { artifactOf, canBuild, codeOf, type Evidence, openScene, projectFiles, type Scene } from "./scene.ts";

let scene: Scene;
let run: RunOutcome;
let evidence: Evidence;

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run();
  evidence = await scene.evidence(run);
});
afterAll(() => scene?.close());

test.skipIf(!canBuild)(
  "RA-CRED-06: workload credentials live for minutes, are new each time, and an old one is refused",
  async () => {
    const rows = evidence.credentials().certificates;
    for (const row of rows) expect(Date.parse(row.notAfter) - Date.parse(row.notBefore)).toBeLessThanOrEqual(620_000);
    const again = await scene.evidence(await scene.run({ cache: false }));
    // What signed the second run's steps was not there in the first, and no key is used twice.
    const known = new Set<string>(rows.map((row) => row.certificate));
    const fresh = again.credentials().certificates.filter((row) => !known.has(row.certificate));
    expect(new Set(fresh.map((row) => row.spiffeId)).size).toBe(new Set(rows.map((row) => row.spiffeId)).size);
    const keys = [...rows, ...fresh].map((row) => row.publicKey);
    expect(new Set(keys).size).toBe(keys.length);

    // A credential from before: its signature is refused, that of the one which replaced it accepted.
    const clock: Clock & { at: number } = { at: Date.parse("2026-06-01T12:00:00Z"), now: () => new Date(clock.at) };
    const fixture: FactoryFixture = await factoryFixture({ clock });
    const { identity, log, trustDomain } = fixture;
    const spiffeId = stepId(trustDomain, "demo", "default", "build");
    const old = await identity.newSigner({ spiffeId });
    clock.at += 11 * 60_000;
    const current = await identity.newSigner({ spiffeId });
    const statement = {
      _type: STATEMENT_TYPE,
      subject: [{ name: "a", digest: { sha256: sha256("a").slice(7) } }],
      predicateType: "https://example.org/note/v1",
      predicate: {},
    };
    const verdict = async (signer: typeof old) => {
      const { bytes } = await signStatement({ statement, signer, log, timestamp: identity.timestampAuthority });
      const expectations = { artifact: sha256("a"), identity: spiffeId, issuer: identity.issuer, now: clock.now() };
      return codeOf(() => verifyBundle(bytes, readTrustRoot(identity.trustedRoot()), expectations));
    };
    expect(await verdict(current)).toBe("accepted");
    expect(await verdict(old)).toBe("CERTIFICATE_OUTSIDE_VALIDITY");
    fixture.dispose();
  },
);

const world = mintWorld();

test.skipIf(!canBuild)(
  "RA-CRYP-04: each delegation has a key of its own, and a key used outside its domain is refused",
  () => {
    const owners = new Map<string, Set<string>>();
    for (const { publicKey, spiffeId } of evidence.credentials().certificates) {
      owners.set(publicKey, (owners.get(publicKey) ?? new Set()).add(spiffeId));
    }
    for (const names of owners.values()) expect(names.size).toBe(1);
    const named = new Set(
      [...owners.values()].flatMap((names) => [...names].map((name) => name.replace(/^spiffe:\/\/[^/]+/, ""))),
    );
    const step = (name: string) => `/project/demo/pipeline/default/step/${name}`;
    expect([...named].sort()).toEqual(["/builder", "/node", step("build"), step("fetch"), step("pack")].sort());
    const expected = {
      artifact: runFacts.artifact,
      builder: `spiffe://${world.trustDomain}/builder`,
      source: runFacts.source,
      now: world.at,
    };
    const signedBy = (statement: string, path: string): string =>
      codeOf(() => {
        const minted = mintRun(world, {
          change: (draft) => {
            if (draft.name === statement) draft.signer = `spiffe://${world.trustDomain}${path}`;
          },
        });
        verifyRun(minted.bundles(), readTrustRoot(trustedRootBytes(world)), expected);
      });
    expect(signedBy("step/build/link", step("build"))).toBe("accepted");
    for (const [statement, path] of [
      ["step/build/link", step("fetch")],
      ["step/build/link", "/builder"],
      ["provenance/app", step("build")],
      ["source", "/node"],
      ["release", "/attest"],
    ] as const) {
      expect(signedBy(statement, path), `${path} signs ${statement}`).toBe("CHAIN_SIGNER_UNEXPECTED");
    }
  },
);

test("RA-CRYP-05: a weak algorithm, a short key and a wrong usage are refused", () => {
  const trustRoot = readTrustRoot(trustedRootBytes(world));
  const verdict = (recipe: BundleRecipe): string =>
    codeOf(() => {
      const { bytes, artifact } = mintBundle(world, recipe);
      const named = { identity: world.identity, issuer: world.issuer };
      verifyBundle(bytes, trustRoot, { artifact, ...named, now: world.at });
    });
  expect(verdict({})).toBe("accepted");
  const short = mintKey("rsa1024");
  expect(verdict({ key: short })).toBe("ALGORITHM_REFUSED");
  for (const [leaf, code] of [
    [{ keyUsage: [4] }, "CERTIFICATE_KEY_USAGE"],
    [{ extendedKeyUsage: null }, "CERTIFICATE_USAGE_MISSING"],
    [{ extendedKeyUsage: [usages.serverAuth, usages.clientAuth] }, "CERTIFICATE_USAGE_AUTHENTICATION"],
    [{ extendedKeyUsage: [usages.emailProtection] }, "CERTIFICATE_USAGE_NOT_SIGNING"],
  ] as const) {
    expect(verdict({ leaf }), code).toBe(code);
  }
});

test.skipIf(!canBuild)("RA-CRYP-08: every active key is as long and as random as NIST asks", async () => {
  const root = JSON.parse(Buffer.from(await scene.factory.trustRoot()).toString("utf8")) as {
    tlogs: { publicKey: { keyDetails: string; rawBytes: string } }[];
    certificateAuthorities: { certChain: { certificates: { rawBytes: string }[] } }[];
    timestampAuthorities: { certChain: { certificates: { rawBytes: string }[] } }[];
  };
  const authorities = [...root.certificateAuthorities, ...root.timestampAuthorities];
  const certificates = authorities.flatMap(({ certChain }) => certChain.certificates.map((each) => each.rawBytes));
  for (const { bytes } of evidence.all) {
    const json = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
      verificationMaterial: { certificate: { rawBytes: string } };
    };
    certificates.push(json.verificationMaterial.certificate.rawBytes);
  }
  const serials = new Set<string>();
  for (const raw of new Set(certificates)) {
    const certificate = new X509Certificate(Buffer.from(raw, "base64"));
    // SP 800-57: 112 bits of strength at least; P-256 and Ed25519 give 128.
    expect(["prime256v1", "secp384r1"]).toContain(certificate.publicKey.asymmetricKeyDetails?.namedCurve);
    serials.add(certificate.serialNumber);
    // SP 800-90A by way of the platform's generator: serial numbers of 64 random bits at least.
    expect(certificate.serialNumber.length).toBeGreaterThanOrEqual(16);
  }
  expect(serials.size).toBe(new Set(certificates).size);
  expect(root.tlogs.map((log) => log.publicKey.keyDetails)).toEqual(
    expect.arrayContaining([expect.stringMatching(/ED25519|ECDSA_P256/)]),
  );
  for (const log of root.tlogs) expect(log.publicKey.keyDetails).toMatch(/ED25519|ECDSA_P256/);
});

test.skipIf(!canBuild)("RA-S6-05: a second build, elsewhere and in fresh workers, gives the same digest", async () => {
  const second = await openScene();
  try {
    const there = await second.run({ jobs: 1 });
    expect(there.source.uri).not.toBe(run.source.uri);
    expect(artifactOf(there)).toBe(artifactOf(run));
    const here = await scene.run({ cache: false });
    expect(here.steps.map((step) => [step.name, step.cached, step.output])).toEqual(
      run.steps.map((step) => [step.name, false, step.output]),
    );
  } finally {
    await second.close();
  }
});

test.skipIf(!canBuild)(
  "avoid-stale-build-cache: cached results are addressed by digests of all that made them, and equal uncached ones",
  async () => {
    const cached = await scene.run();
    expect(cached.steps.map((step) => [step.name, step.cached])).toEqual([
      ["fetch", false],
      ["build", true],
      ["pack", true],
    ]);
    const of = await scene.evidence(cached);
    const hit = of.named("step/build/cache-hit").verified.statement.predicate as { key: string; output: string };
    expect(hit.key).toBe(of.predicate("link", "step/build/link").environment?.["key"]);
    expect(of.predicate("trigger", "trigger").request.cache).toBe(true);
    const { internalParameters } = of.predicate("provenance", "provenance/app").buildDefinition;
    expect(Object.keys(internalParameters?.["cached"] as object).sort()).toEqual(["build", "pack"]);
    // Without the cache: recorded as such, performed again, with equal digests.
    const fresh = await scene.run({ cache: false });
    expect((await scene.evidence(fresh)).predicate("trigger", "trigger").request.cache).toBe(false);
    expect(fresh.steps.map((step) => [step.cached, step.output])).toEqual(
      cached.steps.map((step) => [false, step.output]),
    );
    expect(artifactOf(fresh)).toBe(artifactOf(cached));
    // Anything that changes what a step does makes another key, and no stale result is used.
    for (const change of [{ "lib.txt": "newer lib\n" }, { "build.sh": `${projectFiles["build.sh"]}: again\n` }]) {
      scene.commit(change);
      const changed = await scene.run();
      expect(changed.steps.find((step) => step.name === "build")?.cached).toBe(false);
      const link = (await scene.evidence(changed)).predicate("link", "step/build/link");
      expect(link.environment?.["key"]).not.toBe(hit.key);
    }
    const parameter = await scene.run({ parameters: { version: "2" } });
    expect(parameter.steps.find((step) => step.name === "build")?.cached).toBe(false);
    expect(artifactOf(parameter)).not.toBe(artifactOf(cached));
  },
);
