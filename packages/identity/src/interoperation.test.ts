import { spawnSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestHex, sha256, systemClock } from "@touchmark/core";
import {
  classicFromLink,
  classicLinkFileName,
  classicSigner,
  keyIds,
  olpcCanonicalJson,
  writeClassicKey,
  writeClassicLink,
} from "@touchmark/formats/in-toto";
import { linkPredicate, statementOf, subjectOf } from "@touchmark/formats/predicates";
import { signStatement } from "@touchmark/sign";
import { type FactoryFixture, factoryFixture, findProgram, sampleStatement } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFactoryIdentity, rotateAuthority, stepId } from "./index.ts";

const cosign = findProgram("cosign");
const inTotoGo = findProgram("in-toto-golang");
const inTotoPython = findProgram("in-toto-verify");
const spiffeId = stepId("factory.example", "demo", "default", "build");
let factory: FactoryFixture;
beforeAll(async () => {
  factory = await factoryFixture();
});
afterAll(() => factory.dispose());

const file = (name: string, content: Uint8Array | string) => {
  const path = join(factory.directory, name);
  writeFileSync(path, content);
  return path;
};
const bundle = async (profile: "v1" | "v2", identity = factory.identity) => {
  const signer = await identity.newSigner({ spiffeId });
  const statement = sampleStatement("artifact\n", "https://slsa.dev/provenance/v1");
  return signStatement({ statement, signer, log: factory.log, timestamp: identity.timestampAuthority, profile });
};

/** What cosign says, offline, with our trusted root. No certificate log is involved, hence the option about its stamps. */
function cosignVerdict(
  bytes: Uint8Array,
  change: { identity?: string; issuer?: string; artifact?: string; root?: Uint8Array } = {},
) {
  return spawnSync(
    cosign ?? "",
    [
      "verify-blob-attestation",
      "--bundle",
      file("bundle.json", bytes),
      "--trusted-root",
      file("trusted_root.json", change.root ?? factory.identity.trustedRoot()),
      "--certificate-identity",
      change.identity ?? spiffeId,
      "--certificate-oidc-issuer",
      change.issuer ?? "https://factory.example",
      "--insecure-ignore-sct",
      "--type",
      "https://slsa.dev/provenance/v1",
      file("artifact", change.artifact ?? "artifact\n"),
    ],
    { encoding: "utf8", env: { ...process.env, HOME: factory.directory } },
  );
}

test.skipIf(!cosign).each(["v2", "v1"] as const)("I5: cosign verifies a bundle of profile %s", async (profile) => {
  const { bytes } = await bundle(profile);
  expect(cosignVerdict(bytes)).toMatchObject({ status: 0, stderr: expect.stringContaining("Verified OK") });
});

test.skipIf(!cosign)("I5: cosign refuses another identity, issuer or artifact", async () => {
  const { bytes } = await bundle("v2");
  expect(cosignVerdict(bytes, { identity: spiffeId.replace("build", "pack") }).status).not.toBe(0);
  expect(cosignVerdict(bytes, { issuer: "https://other.example" }).status).not.toBe(0);
  expect(cosignVerdict(bytes, { artifact: "artefact\n" }).status).not.toBe(0);
});

test.skipIf(!cosign)("F6: after a rotation cosign verifies bundles of both generations", async () => {
  const old = (await bundle("v2")).bytes;
  const directory = join(factory.directory, "identity");
  for (const kind of ["intermediate", "timestamp"] as const) {
    rotateAuthority({ directory, passphrase: factory.passphrase, clock: systemClock, kind });
  }
  const rotated = await openFactoryIdentity({ directory, clock: systemClock });
  const fresh = (await bundle("v2", rotated)).bytes;
  const root = rotated.trustedRoot();
  expect(cosignVerdict(fresh, { root }).stderr).toContain("Verified OK");
  expect(cosignVerdict(old, { root }).stderr).toContain("Verified OK");
  expect(cosignVerdict(fresh, { root: factory.identity.trustedRoot() }).status).not.toBe(0);
});

const link = statementOf(
  "link",
  [subjectOf("app.js", sha256("product"))],
  linkPredicate({
    chain: { run: "r1", createdAt: "2026-11-21T10:00:00Z", predecessors: [] },
    step: "build",
    command: ["make", "app.js"],
    materials: [{ name: "app.ts", digest: sha256("material") }],
    exitCode: 0,
  }),
);

/** A layout of one step, signed by an owner's Ed25519 key; answers the paths that the tools want. */
function layout(name: string, step: object, keys: object, more: object = {}) {
  const owner = generateKeyPairSync("ed25519").privateKey;
  const signed = {
    _type: "layout",
    steps: [
      {
        _type: "step",
        name: "build",
        expected_command: ["make", "app.js"],
        expected_materials: [
          ["ALLOW", "app.ts"],
          ["DISALLOW", "*"],
        ],
        expected_products: [
          ["CREATE", "app.js"],
          ["DISALLOW", "*"],
        ],
        threshold: 1,
        pubkeys: [],
        ...step,
      },
    ],
    inspect: [],
    keys,
    expires: "2099-01-01T00:00:00Z",
    readme: "",
    ...more,
  };
  const signer = classicSigner(owner);
  const [, laterId] = keyIds(signer.key);
  const signature = Buffer.from(signer.sign(Buffer.from(olpcCanonicalJson(signed)))).toString("hex");
  const directory = join(factory.directory, name);
  mkdirSync(directory);
  // Later tools name a key by a digest over fewer members.
  writeFileSync(
    join(directory, "root.layout"),
    JSON.stringify({ signatures: [signer.key.keyid, laterId].map((keyid) => ({ keyid, sig: signature })), signed }),
  );
  const { keyid: _, ...ownerFile } = writeClassicKey(signer.key) as { readonly keyid: string };
  writeFileSync(join(directory, "owner.json"), JSON.stringify(ownerFile));
  writeFileSync(join(directory, "owner.pem"), createPublicKey(owner).export({ format: "pem", type: "spki" }));
  return directory;
}

const golang = (directory: string) =>
  spawnSync(inTotoGo ?? "", ["verify", "-l", "root.layout", "-k", "owner.pem", "-d", "."], {
    cwd: directory,
    encoding: "utf8",
  });

function classicDirectory(name: string, alter = (content: string) => content): string {
  const signer = classicSigner(factory.identity.compatibilityKey);
  const { keyid } = signer.key;
  const directory = layout(name, { pubkeys: [keyid] }, { [keyid]: writeClassicKey(signer.key) });
  const exported = Buffer.from(writeClassicLink(classicFromLink(link), [signer])).toString("utf8");
  writeFileSync(join(directory, classicLinkFileName("build", keyid)), alter(exported));
  return directory;
}

test.skipIf(!inTotoGo)("I5: in-toto-golang verifies the exported link, and refuses an altered one", () => {
  const verdict = golang(classicDirectory("golang"));
  expect(`${verdict.stdout}${verdict.stderr}`).toBe("");
  expect(verdict.status).toBe(0);
  const altered = classicDirectory("golang-altered", (text) =>
    text.replace(digestHex(sha256("product")), digestHex(sha256("other"))),
  );
  expect(golang(altered).status).not.toBe(0);
});

test.skipIf(!inTotoPython)("I5: in-toto of Python verifies the exported link, and refuses an altered one", () => {
  // From 2.0 on the tool reads PEM; before, its own JSON.
  const help = spawnSync(inTotoPython ?? "", ["--help"], { encoding: "utf8" }).stdout;
  const keys = help.includes("--verification-keys")
    ? ["--verification-keys", "owner.pem"]
    : ["--layout-keys", "owner.json", "--key-types", "ed25519"];
  const python = (directory: string) =>
    spawnSync(inTotoPython ?? "", ["--layout", "root.layout", ...keys, "--link-dir", "."], {
      cwd: directory,
      encoding: "utf8",
    });
  const verdict = python(classicDirectory("python"));
  expect(`${verdict.status} ${verdict.stdout}${verdict.stderr}`).toMatch(/^0 /);
  const altered = classicDirectory("python-altered", (text) => text.replace("app.ts", "bpp.ts"));
  expect(python(altered).status).not.toBe(0);
});

test.skipIf(!inTotoGo)("I5: in-toto-golang accepts a signing leaf under a SPIFFE constraint", () => {
  const [intermediate, root] = factory.identity.chain().map((der) => new X509Certificate(der).toString());
  const authority = (pem: string | undefined) => {
    const key = {
      keytype: "ecdsa",
      scheme: "ecdsa-sha2-nistp256",
      keyid_hash_algorithms: ["sha256", "sha512"],
      keyval: { public: "", certificate: pem?.trim() ?? "" },
    };
    return {
      [digestHex(sha256(olpcCanonicalJson(key)))]: { keyid: digestHex(sha256(olpcCanonicalJson(key))), ...key },
    };
  };
  const verdict = (name: string) => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = publicKey.export({ format: "der", type: "spki" });
    const leaf = new X509Certificate(factory.identity.issue({ spiffeId, publicKey: spki, profile: "signing" }))
      .toString()
      .trim();
    const constraint = {
      common_name: "*",
      dns_names: [],
      emails: [],
      organizations: ["*"],
      roots: ["*"],
      uris: [spiffeId],
    };
    const directory = layout(
      name,
      { cert_constraints: [constraint] },
      {},
      { rootcas: authority(root), intermediatecas: authority(intermediate) },
    );
    const { signed } = JSON.parse(Buffer.from(writeClassicLink(classicFromLink(link), [])).toString("utf8"));
    const key = {
      keytype: "ecdsa",
      scheme: "ecdsa-sha2-nistp256",
      keyid_hash_algorithms: ["sha256", "sha512"],
      keyval: { public: publicKey.export({ format: "pem", type: "spki" }).toString().trim(), certificate: leaf },
    };
    const keyid = digestHex(sha256(olpcCanonicalJson({ ...key, keyval: { public: key.keyval.public } })));
    const sig = sign("sha256", Buffer.from(olpcCanonicalJson(signed)), privateKey).toString("hex");
    writeFileSync(
      join(directory, `build.${keyid.slice(0, 8)}.link`),
      JSON.stringify({ signatures: [{ keyid, sig, cert: leaf }], signed }),
    );
    return golang(directory);
  };
  const accepted = verdict("spiffe-signing");
  expect(`${accepted.status} ${accepted.stdout}${accepted.stderr}`).toMatch(/^0 /);
});
