import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { javaKeyStore } from "./jks.ts";
import { onPath } from "./programs.fixture.ts";

const oracle = onPath("keytool") && onPath("openssl");

function newCertificate(directory: string): X509Certificate {
  const file = join(directory, "certificate.pem");
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const subject = ["-subj", "/CN=authority", "-keyout", join(directory, "key.pem"), "-out", file];
  execFileSync("openssl", ["req", "-x509", "-nodes", "-days", "2", ...curve, ...subject], { stdio: "ignore" });
  return new X509Certificate(readFileSync(file));
}

test.skipIf(!oracle)("E18: keytool reads the key store, finds the one trusted certificate and no other", () => {
  const directory = mkdtempSync(join(tmpdir(), "jks-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const certificate = newCertificate(directory);
  const store = join(directory, "authority.jks");
  writeFileSync(store, javaKeyStore(certificate.raw));
  const words = ["-list", "-keystore", store, "-storepass", "changeit", "-storetype", "JKS", "-v"];
  const listed = execFileSync("keytool", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  expect(listed).toMatch(/contains 1 entry/);
  expect(listed).toMatch(/Entry type: trustedCertEntry/);
  expect(listed).toContain(certificate.fingerprint256);
  const [at, byte] = [30, readFileSync(store)];
  byte[at] = (byte[at] as number) ^ 1;
  writeFileSync(store, byte);
  expect(() => execFileSync("keytool", words, { stdio: "ignore" })).toThrow();
});

test("E18: one certificate has one key store", () => {
  const digest = () =>
    createHash("sha256")
      .update(javaKeyStore(Buffer.from("a certificate")))
      .digest("hex");
  expect(digest()).toBe(digest());
});
