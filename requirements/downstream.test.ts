import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { sha256 } from "@touchmark/core";
import { attestArtifact, type ExportReport, openFactory, type RunOutcome, verifyArtifact } from "@touchmark/pipeline";
import { findProgram } from "@touchmark/test-kit";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { verifyRun } from "@touchmark/verify/chain";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  artifactOf,
  canBuild,
  codeOf,
  type Evidence,
  exportedBundles,
  openScene,
  refusal,
  type Scene,
} from "./scene.ts";

const cosign = findProgram("cosign");
const canAskCosign = canBuild && cosign !== undefined;

let scene: Scene;
let run: RunOutcome;
let evidence: Evidence;
let exported: ExportReport;
let trustRoot: Uint8Array;
let builder: string;
let issuer: string;

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run();
  evidence = await scene.evidence(run);
  exported = await scene.export(run);
  trustRoot = await scene.factory.trustRoot();
  const identity = await scene.factory.identity();
  builder = `spiffe://${identity.trustDomain}/builder`;
  issuer = identity.issuer;
});
afterAll(() => scene?.close());

/** What a consumer got: the export from one place, the trust root from another; and no factory, nor a network. */
interface Consumer {
  readonly directory: string;
  /** Runs the verifier there; gives exit code and code. */
  verify(...more: string[]): { readonly exit: number | null; readonly code: string | null; readonly verdict: string };
}

let consumers = 0;
function consumer(change: (directory: string) => void = () => {}): Consumer {
  const directory = join(scene.directory, `consumer-${++consumers}`);
  mkdirSync(join(directory, "bundles"), { recursive: true });
  copyFileSync(exported.artifact, join(directory, "app.tar"));
  for (const name of exported.bundles) {
    copyFileSync(join(exported.bundlesDirectory, name), join(directory, "bundles", name));
  }
  writeFileSync(join(directory, "trusted_root.json"), trustRoot);
  change(directory);
  const factory = join(scene.directory, "home");
  const seal = ["--dev-bind", "/", "/", "--tmpfs", factory, "--unshare-net", "--chdir", directory, "--"];
  const program = join(import.meta.dirname, "../packages/cli/src/main.ts");
  const asked = ["verify", "app.tar", "--evidence", "bundles", "--trust-root", "trusted_root.json"];
  return {
    directory,
    verify: (...more) => {
      const words = more.length > 0 ? more : ["--builder", builder, "--source", run.source.uri];
      const { status, stdout, stderr } = spawnSync(
        "bwrap",
        [...seal, process.execPath, program, ...asked, ...words, "--json"],
        { encoding: "utf8", env: { PATH: process.env["PATH"] ?? "", HOME: directory } },
      );
      const line = stdout.trim() === "" ? stderr : stdout;
      const { verdict = "", code = null } = JSON.parse(line.slice(line.indexOf("{"))) as {
        verdict?: string;
        code?: string | null;
      };
      return { exit: status, code, verdict };
    },
  };
}

/** The trusted root with some of its parts exchanged. */
function rootWith(change: (root: TrustedRoot) => void, from: Uint8Array = trustRoot): Uint8Array {
  const root = JSON.parse(Buffer.from(from).toString("utf8")) as TrustedRoot;
  change(root);
  return Buffer.from(JSON.stringify(root));
}
interface TrustedRoot {
  tlogs: { publicKey: { rawBytes: string } }[];
  certificateAuthorities: { certChain: { certificates: { rawBytes: string }[] } }[];
  timestampAuthorities: { certChain: { certificates: { rawBytes: string }[] } }[];
}

const chainUnder = (root: Uint8Array): string =>
  codeOf(() =>
    verifyRun(exportedBundles(exported), readTrustRoot(root), {
      artifact: artifactOf(run),
      builder,
      source: run.source.uri,
    }),
  );

/** Another factory, which has built nothing, and its word about some artifact. */
async function otherFactory() {
  const home = join(scene.directory, "other-home");
  const factory = await openFactory({ home, create: true });
  const { bundle } = await attestArtifact(factory, {
    artifact: { digest: artifactOf(run) },
    type: "https://example.org/note/v1",
    predicate: Buffer.from("{}"),
  });
  const { trustDomain, issuer: theirs } = await factory.identity();
  const bytes = await factory.content.get(bundle);
  const root = await factory.trustRoot();
  await factory.close();
  rmSync(home, { recursive: true });
  return { bytes, root, identity: `spiffe://${trustDomain}/attest`, issuer: theirs };
}

test.skipIf(!canBuild)("RA-LAND-04: a separate instance decides rightly by what was published alone", () => {
  expect(consumer().verify()).toEqual({ exit: 0, code: null, verdict: "accepted" });
  const altered = consumer((directory) => writeFileSync(join(directory, "app.tar"), "evil"));
  expect(altered.verify()).toMatchObject({ exit: 3, code: "CHAIN_RELEASE_MISSING" });
  const lost = consumer((directory) => {
    const [name = ""] = readdirSync(join(directory, "bundles")).filter((each) => each.includes("runtime-trace"));
    rmSync(join(directory, "bundles", name));
  });
  expect(lost.verify()).toMatchObject({ exit: 3, code: "CHAIN_BUNDLE_MISSING" });
  expect(consumer().verify("--builder", builder, "--source", "git+https://git.example.org/other")).toMatchObject({
    exit: 3,
    code: "CHAIN_SOURCE_MISMATCH",
  });
  expect(consumer().verify("--builder", `${builder}2`, "--source", run.source.uri)).toMatchObject({
    exit: 3,
    code: "CHAIN_SIGNER_UNEXPECTED",
  });
});

test.skipIf(!canBuild)("RA-BENV-05: a third party verifies again, offline, with public material only", () => {
  const third = consumer();
  expect(readdirSync(third.directory).sort()).toEqual(["app.tar", "bundles", "trusted_root.json"]);
  for (const name of exported.bundles) {
    expect(readFileSync(join(third.directory, "bundles", name), "utf8")).not.toMatch(/PRIVATE KEY/);
  }
  // The factory is hidden from it, and there is no network interface but the loopback.
  const seal = ["--dev-bind", "/", "/", "--tmpfs", join(scene.directory, "home"), "--unshare-net", "--"];
  const interfaces = spawnSync("bwrap", [...seal, "cat", "/proc/net/dev"], { encoding: "utf8" });
  expect(interfaces.stdout.match(/^ *\w+:/gm)?.map((name) => name.trim())).toEqual(["lo:"]);
  expect(third.verify()).toEqual({ exit: 0, code: null, verdict: "accepted" });
});

test.skipIf(!canBuild)("RA-DIST-03: signatures verify beside the artifact, and from a place of their own", async () => {
  // Beside: the export. Elsewhere: the factory's store, and any directory that is named.
  expect(consumer().verify().exit).toBe(0);
  await expect(verifyArtifact(scene.factory, { digest: artifactOf(run) })).resolves.toMatchObject({ statements: 30 });
  const apart = consumer((directory) => {
    mkdirSync(join(directory, "..", "elsewhere"), { recursive: true });
    for (const name of exported.bundles) {
      copyFileSync(join(directory, "bundles", name), join(directory, "..", "elsewhere", name));
    }
    rmSync(join(directory, "bundles"), { recursive: true });
  });
  expect(
    apart.verify("--builder", builder, "--source", run.source.uri, "--evidence", join(scene.directory, "elsewhere")),
  ).toMatchObject({ exit: 0 });
});

test.skipIf(!canAskCosign)("RA-S0-13: the exported records are read by another verifier, in standard formats", () => {
  const directory = join(exported.artifact, "..");
  writeFileSync(join(scene.directory, "trusted_root.json"), trustRoot);
  const provenance = exported.bundles.find((name) => name.includes("provenance")) ?? "";
  const ask = (artifact: string, identity: string) =>
    spawnSync(
      cosign ?? "",
      [
        "verify-blob-attestation",
        "--new-bundle-format",
        "--bundle",
        join(directory, "bundles", provenance),
        "--trusted-root",
        join(scene.directory, "trusted_root.json"),
        "--use-signed-timestamps",
        "--insecure-ignore-sct",
        "--certificate-identity",
        identity,
        "--certificate-oidc-issuer",
        issuer,
        "--type",
        "https://slsa.dev/provenance/v1",
        artifact,
      ],
      { encoding: "utf8" },
    );
  expect(ask(exported.artifact, builder)).toMatchObject({ status: 0 });
  expect(ask(exported.artifact, `${builder}2`).status).not.toBe(0);
  writeFileSync(join(scene.directory, "altered.tar"), "evil");
  expect(ask(join(scene.directory, "altered.tar"), builder).status).not.toBe(0);
});

test.skipIf(!canBuild)(
  "RA-KEY-01: every signature of a release verifies with the published keys, and none without them",
  () => {
    expect(chainUnder(trustRoot)).toBe("accepted");
    expect(exported.bundles).toHaveLength(30);
    expect(chainUnder(rootWith((root) => void (root.tlogs = [])))).toMatch(/^(LOG_UNKNOWN|TRUST)/);
    expect(chainUnder(rootWith((root) => void (root.certificateAuthorities = [])))).toMatch(
      /^(CERTIFICATE_NO_PATH|TRUST)/,
    );
    expect(chainUnder(rootWith((root) => void (root.timestampAuthorities = [])))).toMatch(/^TIMESTAMP_/);
  },
);

test.skipIf(!canBuild)(
  "RA-KEY-02: the root comes on its own way, and what comes with an artifact is not trusted",
  () => {
    const files = readdirSync(join(exported.artifact, ".."), { recursive: true }).map(String);
    expect(files.filter((name) => /trusted_root|\.pem$|\.crt$/.test(name))).toEqual([]);
    // The second channel: the fingerprint in the instructions is that of the root which the factory publishes.
    expect(sha256(trustRoot)).toBe(exported.trustRoot);
    expect(readFileSync(join(exported.bundlesDirectory, "VERIFY.md"), "utf8")).toContain(exported.trustRoot);
    // Whoever names no root of their own gets no verdict.
    const left = consumer((directory) =>
      copyFileSync(join(directory, "trusted_root.json"), join(directory, "bundles", "trusted_root.json")),
    );
    rmSync(join(left.directory, "trusted_root.json"));
    expect(left.verify().exit).not.toBe(0);
    const program = join(import.meta.dirname, "../packages/cli/src/main.ts");
    const words = ["verify", exported.artifact, "--evidence", exported.bundlesDirectory, "--builder", builder];
    const without = spawnSync(process.execPath, [program, ...words, "--source", run.source.uri], { encoding: "utf8" });
    expect([without.status, without.stdout]).toEqual([2, expect.not.stringContaining("accepted")]);
    // A root inside the bundle is refused, not used.
    const [provenance] = exportedBundles(exported).slice(-2);
    const json = JSON.parse(Buffer.from(provenance ?? []).toString("utf8")) as {
      mediaType: string;
      verificationMaterial: Record<string, unknown> & { certificate?: { rawBytes: string } };
    };
    const authority = (JSON.parse(Buffer.from(trustRoot).toString("utf8")) as TrustedRoot).certificateAuthorities[0];
    const chain = [json.verificationMaterial.certificate, ...(authority?.certChain.certificates ?? [])];
    delete json.verificationMaterial.certificate;
    json.mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2";
    json.verificationMaterial["x509CertificateChain"] = { certificates: chain };
    const selfSigned = Buffer.from(JSON.stringify(json));
    const expectations = { artifact: artifactOf(run), identityPattern: "spiffe://.+", issuer } as const;
    expect(codeOf(() => verifyBundle(selfSigned, readTrustRoot(trustRoot), expectations))).toBe(
      "CERTIFICATE_ROOT_IN_BUNDLE",
    );
  },
);

test.skipIf(!canBuild)("RA-KEY-04: a chain to another root is refused", async () => {
  const other = await otherFactory();
  const theirs = JSON.parse(Buffer.from(other.root).toString("utf8")) as TrustedRoot;
  const exchanged = rootWith((root) => void (root.certificateAuthorities = theirs.certificateAuthorities));
  expect(chainUnder(exchanged)).toBe("CERTIFICATE_NO_PATH");
  expect(
    codeOf(() =>
      verifyBundle(other.bytes, readTrustRoot(trustRoot), {
        artifact: artifactOf(run),
        identity: other.identity,
        issuer: other.issuer,
      }),
    ),
  ).toMatch(/^(CERTIFICATE_NO_PATH|LOG_UNKNOWN|TIMESTAMP_AUTHORITY_UNKNOWN)$/);
});

test.skipIf(!canBuild)(
  "RA-CRYP-02: a peer of another trust domain verifies when its authorities are configured, and only then",
  async () => {
    const other = await otherFactory();
    const expectations = { artifact: artifactOf(run), identity: other.identity, issuer: other.issuer };
    expect(codeOf(() => verifyBundle(other.bytes, readTrustRoot(trustRoot), expectations))).not.toBe("accepted");
    const theirs = JSON.parse(Buffer.from(other.root).toString("utf8")) as TrustedRoot;
    const both = rootWith((root) => {
      root.tlogs.push(...theirs.tlogs);
      root.certificateAuthorities.push(...theirs.certificateAuthorities);
      root.timestampAuthorities.push(...theirs.timestampAuthorities);
    });
    expect(verifyBundle(other.bytes, readTrustRoot(both), expectations).signer).toMatchObject({
      identity: other.identity,
    });
    expect(chainUnder(both)).toBe("accepted");
    // One domain does not speak for the other: the names that an authority may give are constrained.
    expect(
      codeOf(() => verifyBundle(other.bytes, readTrustRoot(both), { ...expectations, identity: builder, issuer })),
    ).toMatch(/^(IDENTITY|ISSUER)_MISMATCH$/);
  },
);

test.skipIf(!canBuild)("RA-KEY-05: published keys are those of the key ledger, and as strong", () => {
  const root = JSON.parse(Buffer.from(trustRoot).toString("utf8")) as TrustedRoot;
  const [intermediate] = root.certificateAuthorities[0]?.certChain.certificates ?? [];
  const authority = Buffer.from(intermediate?.rawBytes ?? "", "base64");
  const ledger = new Map(evidence.credentials().certificates.map((row) => [row.certificate as string, row]));
  const last = new Set(["credentials", "release"]);
  for (const { name, bytes } of evidence.all) {
    const json = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
      verificationMaterial: { certificate: { rawBytes: string } };
    };
    const der = Buffer.from(json.verificationMaterial.certificate.rawBytes, "base64");
    const leaf = new X509Certificate(der);
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(leaf.checkIssued(new X509Certificate(authority))).toBe(true);
    const row = ledger.get(sha256(der));
    // The last two may be signed with a certificate that is newer than the list.
    if (row === undefined) expect(last).toContain(name);
    else {
      expect(row.publicKey).toBe(sha256(leaf.publicKey.export({ format: "der", type: "spki" })));
      expect(row.issuer).toBe(sha256(authority));
    }
  }
  for (const { certChain } of [...root.certificateAuthorities, ...root.timestampAuthorities]) {
    for (const { rawBytes } of certChain.certificates) {
      const { publicKey } = new X509Certificate(Buffer.from(rawBytes, "base64"));
      expect(publicKey.asymmetricKeyDetails?.namedCurve).toMatch(/^(prime256v1|secp384r1)$/);
    }
  }
});

test.skipIf(!canBuild)("RA-KEY-06: issuer and subject are enough, no key of a signer is distributed", () => {
  const { bytes } = evidence.named("provenance/app");
  const root = readTrustRoot(trustRoot);
  const expectations = { artifact: artifactOf(run), identity: builder, issuer };
  expect(verifyBundle(bytes, root, expectations).signer).toMatchObject({ kind: "certificate", identity: builder });
  const der = (
    JSON.parse(Buffer.from(bytes).toString("utf8")) as {
      verificationMaterial: { certificate: { rawBytes: string } };
    }
  ).verificationMaterial.certificate.rawBytes;
  const spki = new X509Certificate(Buffer.from(der, "base64")).publicKey.export({ format: "der", type: "spki" });
  expect(Buffer.from(trustRoot).toString("utf8")).not.toContain(spki.toString("base64"));
  for (const [change, code] of [
    [{ identity: `${builder}2` }, "IDENTITY_MISMATCH"],
    [{ issuer: "https://other.example" }, "ISSUER_MISMATCH"],
  ] as const) {
    expect(() => verifyBundle(bytes, root, { ...expectations, ...change })).toThrow(
      expect.objectContaining(refusal(code)),
    );
  }
  expect(basename(exported.artifact)).toBe("app.tar");
});
