import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, expect, test } from "vitest";
import { AUTHORITY_SECONDS, createStepAuthority } from "./authority.ts";

const openssl = findProgram("openssl");
const directory = mkdtempSync(join(tmpdir(), "tm-authority-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("P2: an authority lives for hours, signs for servers only, and shares nothing with another", () => {
  const [first, second] = [createStepAuthority(systemClock), createStepAuthority(systemClock)];
  const certificate = new X509Certificate(first.pem);
  const lifetime = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
  expect(lifetime / 1000 - AUTHORITY_SECONDS).toBeLessThan(3600);
  expect(certificate.ca).toBe(true);
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(new X509Certificate(second.pem).verify(certificate.publicKey)).toBe(false);
  expect(new X509Certificate(second.pem).subject).not.toBe(certificate.subject);
});

test("P2: a leaf names one host, a name or an address, and nothing else", () => {
  const authority = createStepAuthority(systemClock);
  for (const [host, name] of [
    ["packages.example", "DNS:packages.example"],
    ["127.0.0.1", "IP Address:127.0.0.1"],
    ["2001:db8::1", "IP Address:2001:DB8:0:0:0:0:0:1"],
    ["::1", "IP Address:0:0:0:0:0:0:0:1"],
    ["::ffff:10.0.0.1", "IP Address:0:0:0:0:0:FFFF:A00:1"],
  ] as const) {
    const leaf = new X509Certificate(authority.leaf(host));
    expect([leaf.subjectAltName, leaf.ca, leaf.subject]).toEqual([name, false, undefined]);
    expect(leaf.verify(new X509Certificate(authority.pem).publicKey)).toBe(true);
  }
});

test.skipIf(!openssl)("P2: openssl accepts a leaf for its host as a server, and for nothing else", () => {
  const authority = createStepAuthority(systemClock);
  const [ca, leaf] = [join(directory, "ca.pem"), join(directory, "leaf.pem")];
  writeFileSync(ca, authority.pem);
  writeFileSync(leaf, authority.credentials("packages.example").cert);
  const verify = (...words: string[]): string => {
    const ran = spawnSync(openssl as string, ["verify", "-x509_strict", "-CAfile", ca, ...words, leaf], {
      encoding: "utf8",
    });
    return ran.stdout + ran.stderr;
  };
  expect(verify("-purpose", "sslserver", "-verify_hostname", "packages.example")).toContain(": OK");
  expect(verify("-verify_hostname", "other.example")).toMatch(/hostname mismatch/i);
  expect(verify("-purpose", "sslclient")).toMatch(/purpose/i);
  // A leaf is no authority: what it would sign is not accepted.
  writeFileSync(ca, createStepAuthority(systemClock).pem);
  expect(verify()).toMatch(/unable to get local issuer|unable to get issuer/i);
});
