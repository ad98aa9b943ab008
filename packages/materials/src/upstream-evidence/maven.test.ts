import { spawnSync } from "node:child_process";
import { readKeyring } from "@touchmark/formats/openpgp";
import { mintPgpKey, pgpArmor, pgpCertificate, pgpSign } from "@touchmark/test-kit/mint";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { askMaven } from "../ecosystems/maven-ask.ts";
import { ask, forgeBundle, issuer, kindTrust, rulesOf, workflow } from "./attested.fixture.ts";
import { plainGet, questionAbout, type TestService, testService } from "./evidence.fixture.ts";
import { releaseKey, releaseKeyFingerprint, signedFile } from "./maven-live.fixture.ts";

const bytes = "bytes of a jar";
const facts = { name: "org.own:one", version: "1.0", purl: "pkg:maven/org.own/one@1.0" };
const key = mintPgpKey("eddsa");
const keyring = readKeyring(pgpCertificate({ primary: key }));
const path = "/org/own/one/1.0/one-1.0.jar";
let service: TestService;
beforeAll(async () => {
  service = await testService();
});
afterAll(() => service.close());
beforeEach(() => service.answers.clear());
const question = () => questionAbout("maven", `${service.url}${path.slice(1)}`, bytes, facts);

describe("U7: the signature beside a file", () => {
  const trust = (parts: Parameters<typeof kindTrust>[0]) => ({ "maven-pgp": kindTrust(parts) });
  const named = (fingerprint: string, packages = "pkg:maven/org.own/*") =>
    rulesOf(`signers:\n  - packages: ${packages}\n    fingerprints: ["${fingerprint}"]`);

  test("U7: is verified by a key of the keyring, or by the one that is named for the group", async () => {
    expect(await ask(question(), trust({ keyring }))).toMatchObject({ outcome: "absent" });
    service.answers.set(`${path}.asc`, pgpArmor("SIGNATURE", pgpSign(key, bytes)));
    const signer = key.fingerprint.toUpperCase();
    expect(await ask(question(), trust({ keyring }))).toMatchObject({ outcome: "verified", signer });
    expect(await ask(question(), trust({ keyring, rules: named(signer) }))).toMatchObject({ outcome: "verified" });
    const others = [named("0".repeat(40)), named(signer, "pkg:maven/org.other/*")];
    for (const rules of others) {
      expect(await ask(question(), trust({ keyring, rules }))).toMatchObject({ code: "UPSTREAM_SIGNER_UNEXPECTED" });
    }
    service.answers.set(`${path}.asc`, pgpArmor("SIGNATURE", pgpSign(key, "other bytes")));
    expect(await ask(question(), trust({ keyring }))).toMatchObject({ code: "OPENPGP_SIGNATURE_INVALID" });
    service.answers.set(`${path}.asc`, 502);
    expect(await ask(question(), trust({ keyring }))).toMatchObject({ outcome: "unreachable" });
  });
});

describe("U7: the bundle beside a file", () => {
  const rules = rulesOf(
    `signers:\n  - packages: pkg:maven/org.own/*\n    identity: ${workflow}\n    issuer: ${issuer}`,
  );
  test("U7: is verified as a signature over its bytes, by the signer who is named", async () => {
    const trust = { "maven-sigstore": kindTrust({ rules }) };
    expect(await ask(question(), trust)).toMatchObject({ outcome: "absent" });
    const serve = (bundle: unknown): void => void service.answers.set(`${path}.sigstore.json`, JSON.stringify(bundle));
    serve(forgeBundle({ content: "message", artifact: Buffer.from(bytes) }));
    expect(await ask(question(), trust)).toMatchObject({ outcome: "verified", signer: workflow });
    serve(forgeBundle({ content: "message", artifact: Buffer.from("other bytes") }));
    expect(await ask(question(), trust)).toMatchObject({ outcome: "refused", code: "MESSAGE_DIGEST_MISMATCH" });
    serve(forgeBundle({ content: "message", artifact: Buffer.from(bytes) }, { identity: "https://forge.example/x" }));
    expect(await ask(question(), trust)).toMatchObject({ code: "UPSTREAM_SIGNER_UNEXPECTED" });
  });
});

/** Base address of the installed Maven's repository, asked of Maven. */
const installed = await askMaven(async (program, words) => spawnSync(program, words, { encoding: "utf8" }).stdout);
const base = installed.find(({ url }) => url.startsWith("https:"))?.url;
const signed = base === undefined ? undefined : await plainGet(new URL(signedFile, base)).catch(() => undefined);

test.skipIf(signed?.status !== 200)(
  "U7: live: a signature of Maven's own repository is verified by the named key",
  async () => {
    const live = questionAbout("maven", new URL(signedFile, base).href, signed?.bytes ?? "", {
      name: "org.apache.zookeeper:zookeeper-jute",
      version: "3.8.0",
      purl: "pkg:maven/org.apache.zookeeper/zookeeper-jute@3.8.0?type=pom",
    });
    const ring = readKeyring(Buffer.from(releaseKey));
    const rules = rulesOf(
      `signers:\n  - packages: pkg:maven/org.apache.zookeeper/*\n    fingerprints: ["${releaseKeyFingerprint}"]`,
    );
    const row = await ask(live, { "maven-pgp": kindTrust({ keyring: ring, rules }) });
    expect(row).toMatchObject({ outcome: "verified", signer: releaseKeyFingerprint });
    // Unpinned, its self-signatures over SHA-1 do not bind it.
    expect(await ask(live, { "maven-pgp": kindTrust({ keyring: ring }) })).toMatchObject({
      code: "OPENPGP_HASH_REFUSED",
    });
  },
);
