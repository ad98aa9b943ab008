import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import {
  ARTIFACT,
  authorityJson,
  type BundleRecipe,
  mintBundle,
  mintKey,
  mintServices,
  mintWorld,
  trustedRootBytes,
} from "@touchmark/test-kit/mint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Expectations, readTrustRoot, verifyEvidence } from "./index.ts";

const peers = process.env["TOUCHMARK_PEERS"] ?? join(homedir(), ".cache", "touchmark-peers");
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [process.env["PATH"] ?? "", join(peers, "bin")].join(delimiter),
  COSIGN_PASSWORD: "",
};
const has = (program: string, argument: string) => spawnSync(program, [argument], { env: environment }).status === 0;
const cosign = has("cosign", "version");
const openssl = has("openssl", "version");

const world = mintWorld({ at: new Date() });
const trustRoot = readTrustRoot(trustedRootBytes(world));
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "touchmark-interop-"));
  environment["HOME"] = directory;
  writeFileSync(join(directory, "root.json"), trustedRootBytes(world));
  writeFileSync(join(directory, "artifact"), ARTIFACT);
  writeFileSync(join(directory, "predicate.json"), '{"buildDefinition":{}}');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: directory, env: environment });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(output))));
  });
}

const file = (name: string) => readFileSync(join(directory, name));
const identity: Expectations = { artifact: ARTIFACT, identity: world.identity, issuer: world.issuer };

function jwt(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss: world.issuer, sub: "x", email: "x@example", email_verified: true, aud: "sigstore", exp: 9e9 };
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.c2lnbmF0dXJl`;
}

describe("cosign", () => {
  const verifyArguments = [
    ...["--trusted-root", "root.json", "--certificate-identity", world.identity],
    ...["--certificate-oidc-issuer", world.issuer, "--insecure-ignore-sct", "--use-signed-timestamps"],
  ];

  test.skipIf(!cosign)(
    "V18: cosign's own attestation, signature and attestation of a managed key are accepted",
    async () => {
      const services = await mintServices(world);
      try {
        writeFileSync(join(directory, "signing.json"), JSON.stringify(services.signingConfig));
        const common = ["--signing-config", "signing.json", "--trusted-root", "root.json", "--yes"];
        const predicate = ["--predicate", "predicate.json", "--type", "slsaprovenance1"];
        const token = ["--identity-token", jwt()];
        await run(
          "cosign",
          "attest-blob",
          ...common,
          ...token,
          ...predicate,
          "--bundle",
          "attestation.json",
          "artifact",
        );
        await run("cosign", "sign-blob", ...common, ...token, "--bundle", "signature.json", "artifact");
        await run("cosign", "generate-key-pair");
        await run(
          "cosign",
          "attest-blob",
          ...common,
          ...predicate,
          "--key",
          "cosign.key",
          "--bundle",
          "key.json",
          "artifact",
        );
        await run(
          "cosign",
          "sign-blob",
          ...common,
          "--key",
          "cosign.key",
          "--bundle",
          "key-signature.json",
          "artifact",
        );
      } finally {
        await services.close();
      }
      const managed: Expectations = { artifact: ARTIFACT, key: file("cosign.pub").toString() };
      expect(verifyEvidence(file("attestation.json"), trustRoot, identity).kind).toBe("statement");
      expect(verifyEvidence(file("signature.json"), trustRoot, identity).kind).toBe("signature");
      expect(verifyEvidence(file("key.json"), trustRoot, managed).kind).toBe("statement");
      expect(verifyEvidence(file("key-signature.json"), trustRoot, managed).kind).toBe("signature");
    },
  );

  const shapes: readonly (readonly [string, BundleRecipe])[] = [
    ["the usual profile", {}],
    ["the first profile", { profile: "v1" }],
    ["a key of P-384", { key: mintKey("p384") }],
    ["an RSA key", { key: mintKey("rsa2048") }],
  ];
  test.skipIf(!cosign).each(shapes)("V18: cosign accepts %s, as we do", async (_, recipe) => {
    const { bytes } = mintBundle(world, recipe);
    writeFileSync(join(directory, "ours.json"), bytes);
    verifyEvidence(bytes, trustRoot, identity);
    const type = ["--type", "slsaprovenance1"];
    await run("cosign", "verify-blob-attestation", "--bundle", "ours.json", ...verifyArguments, ...type, "artifact");
  });

  test.skipIf(!cosign)("V18: cosign accepts a signature over the artifact itself, as we do", async () => {
    const { bytes } = mintBundle(world, { content: "message" });
    writeFileSync(join(directory, "message.json"), bytes);
    verifyEvidence(bytes, trustRoot, identity);
    await run("cosign", "verify-blob", "--bundle", "message.json", ...verifyArguments, "artifact");
  });
});

describe("openssl", () => {
  test.skipIf(!openssl)("V18: authorities, certificates and stamps that OpenSSL made are accepted", async () => {
    writeFileSync(join(directory, "config"), opensslConfig(world.identity));
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "config"];
    const x509 = ["-days", "10", "-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", "config"];
    await run(
      "openssl",
      "req",
      "-x509",
      ...ec,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-days",
      "30",
      "-extensions",
      "authority",
    );
    for (const name of ["signer", "stamper"]) {
      await run(
        "openssl",
        "req",
        ...ec,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
        "-subj",
        `/O=Mint/CN=${name}`,
      );
      await run("openssl", "x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, ...x509, "-extensions", name);
    }
    for (const name of ["ca", "signer", "stamper"])
      await run("openssl", "x509", "-in", `${name}.pem`, "-outform", "DER", "-out", `${name}.der`);
    const privateKey = file("signer.key").toString();
    const { createPrivateKey, createPublicKey } = await import("node:crypto");
    const publicKey = createPublicKey(privateKey);
    const spki = publicKey.export({ format: "der", type: "spki" });
    const key = { ...mintKey(), privateKey: createPrivateKey(privateKey), publicKey, spki };
    const signer = file("signer.der");
    // The mint's own leaf and stamp are replaced by OpenSSL's; the log entry records the certificate, so it is minted over.
    const swap = (body: Buffer) => {
      const json = JSON.parse(body.toString());
      json.spec.hashedRekordV002.signature.verifier.x509Certificate.rawBytes = signer.toString("base64");
      return Buffer.from(JSON.stringify(json));
    };
    let signature = Buffer.alloc(0);
    const { bytes } = mintBundle(world, {
      key,
      entries: [{ body: swap }],
      edit: (bundle) => {
        bundle.verificationMaterial.certificate.rawBytes = signer.toString("base64");
        signature = Buffer.from(bundle.dsseEnvelope.signatures[0].sig, "base64");
      },
    });
    writeFileSync(join(directory, "signature"), signature);
    await run("openssl", "ts", "-query", "-data", "signature", "-sha256", "-no_nonce", "-cert", "-out", "query");
    writeFileSync(join(directory, "serial"), "01\n");
    await run(
      "openssl",
      "ts",
      "-reply",
      "-config",
      "config",
      "-queryfile",
      "query",
      "-out",
      "reply",
      "-section",
      "tsa",
    );
    const bundle = JSON.parse(Buffer.from(bytes).toString());
    bundle.verificationMaterial.timestampVerificationData.rfc3161Timestamps = [
      { signedTimestamp: file("reply").toString("base64") },
    ];
    const root = readTrustRoot(
      trustedRootBytes(world, (json) => {
        json.certificateAuthorities = [authorityJson([file("ca.der")], "https://ca.example")];
        json.timestampAuthorities = [authorityJson([file("stamper.der"), file("ca.der")], "https://time.example")];
      }),
    );
    const verified = verifyEvidence(Buffer.from(JSON.stringify(bundle)), root, identity);
    expect(verified.kind).toBe("statement");
    expect(Math.abs((verified.times[0]?.at.getTime() ?? 0) - Date.now())).toBeLessThan(120_000);
  });
});

function opensslConfig(uri: string): string {
  return `[req]
distinguished_name = name
prompt = no
[name]
O = Mint
CN = openssl authority
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[signer]
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
subjectAltName = critical, URI:${uri}
1.3.6.1.4.1.57264.1.8 = ASN1:UTF8String:https://factory.example
[stamper]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
serial = serial
crypto_device = builtin
signer_cert = stamper.pem
signer_key = stamper.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
ess_cert_id_alg = sha256
`;
}
