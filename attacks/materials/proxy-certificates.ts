import { generateKeyPairSync } from "node:crypto";
import {
  authorityConstraints,
  authorityKeyIdentifier,
  distinguishedName,
  extendedKeyUsage,
  hostSubject,
  keyIdentifier,
  keyUsage,
  oids,
  randomSerial,
  subjectKeyIdentifier,
  writeCertificate,
} from "@touchmark/formats/certificate-writer";

/** Certificate and key in PEM, as a TLS server takes them. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test, which signs whatever is asked. */
export interface TestAuthority extends Credentials {
  leaf(host: string, days?: { readonly from: number; readonly until: number }): Credentials;
}

const day = 86_400_000;

/** A self-signed authority; with `host` its own certificate is a server's. */
export function testAuthority(name: string, host?: string): TestAuthority {
  const own = keyPair();
  const subject = distinguishedName("Test", name);
  const write = (
    publicKey: Uint8Array,
    whose: Uint8Array,
    from: number,
    until: number,
    extensions: Uint8Array[],
  ): string =>
    pem(
      writeCertificate(
        {
          serial: randomSerial(),
          issuer: subject,
          subject: whose,
          notBefore: new Date(Date.now() + from * day),
          notAfter: new Date(Date.now() + until * day),
          publicKey,
          extensions,
        },
        own.privateKey,
      ),
    );
  const identifier = keyIdentifier(own.publicKey);
  return {
    cert: write(own.publicKey, subject, -10, 10, [
      keyUsage.certificateSigning,
      authorityConstraints(0),
      subjectKeyIdentifier(identifier),
      ...(host === undefined ? [] : [hostSubject(host)]),
    ]),
    key: own.key,
    leaf: (leafHost, { from, until } = { from: -1, until: 1 }) => {
      const pair = keyPair();
      const cert = write(pair.publicKey, distinguishedName(), from, until, [
        keyUsage.digitalSignature,
        extendedKeyUsage(false, oids.serverAuth),
        authorityKeyIdentifier(identifier),
        hostSubject(leafHost),
      ]);
      return { cert, key: pair.key };
    },
  };
}

function keyPair() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    privateKey,
    key: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    publicKey: publicKey.export({ format: "der", type: "spki" }),
  };
}

const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;
