import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerCertificate } from "./certificate-files.ts";

/** A certificate authority for a test. */
export interface TestAuthority {
  readonly directory: string;
  /** PEM of its certificate. */
  readonly authority: string;
  /** A key and a certificate for this host; files `NAME.key` and `NAME.crt` in the directory. */
  issue(name: string, commonName?: string, organization?: string): ServerCertificate;
}

/** Makes one with openssl. */
export function testAuthority(openssl: string, directory: string): TestAuthority {
  const at = (file: string): string => join(directory, file);
  const make = (...words: readonly string[]): void => {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    execFileSync(openssl, ["req", "-x509", ...key, ...words], { stdio: "ignore" });
  };
  const usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  make("-subj", "/CN=test authority", ...usage, "-keyout", at("ca.key"), "-out", at("ca.crt"));
  return {
    directory,
    authority: readFileSync(at("ca.crt"), "utf8"),
    issue(name, commonName = name, organization) {
      const subject = `${organization === undefined ? "" : `/O=${organization}`}/CN=${commonName}`;
      make(
        ...["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-subj", subject],
        ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"],
        ...["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth,clientAuth"],
        ...["-keyout", at(`${name}.key`), "-out", at(`${name}.crt`)],
      );
      return { certificate: readFileSync(at(`${name}.crt`), "utf8"), key: readFileSync(at(`${name}.key`), "utf8") };
    },
  };
}
