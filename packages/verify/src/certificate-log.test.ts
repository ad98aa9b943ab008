import { createHash, sign } from "node:crypto";
import { sha256 } from "@touchmark/core";
import { parseCertificate } from "@touchmark/formats/evidence";
import {
  ARTIFACT,
  extension,
  logJson,
  mintBundle,
  mintKey,
  mintLeaf,
  mintLog,
  mintWorld,
  octets,
  trustedRootBytes,
} from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { readTrustRoot, verifyBundle } from "./index.ts";

const world = mintWorld();
const log = { ...mintLog("ct.example", mintKey("p256")), logId: Buffer.alloc(0) };
const certificateLog = { ...log, logId: createHash("sha256").update(log.key.spki).digest() };
const trustRoot = readTrustRoot(trustedRootBytes(world, (root) => void root.ctlogs.push(logJson(certificateLog))));
const key = mintKey();
const common = { serial: Buffer.alloc(16, 0x42), notBefore: new Date(world.at.getTime() - 60_000) };
const expected = { artifact: sha256(ARTIFACT), identity: world.identity, issuer: world.issuer };

function number(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

/** The extension with one timestamp of the log over the certificate as it is without it (RFC 6962). */
function timestampExtension(at: number, signer = certificateLog.key): Buffer {
  const tbs = parseCertificate(mintLeaf(world, key, { leaf: common })).toBeSigned;
  const issuer = createHash("sha256").update(world.intermediate.key.spki).digest();
  const time = Buffer.concat([Buffer.alloc(2), number(at, 6)]);
  const message = Buffer.concat([
    Buffer.alloc(2),
    time,
    number(1, 2),
    issuer,
    number(tbs.length, 3),
    tbs,
    number(0, 2),
  ]);
  const signature = sign("sha256", message, signer.privateKey);
  const vector = (bytes: Buffer) => Buffer.concat([number(bytes.length, 2), bytes]);
  const stamp = Buffer.concat([
    Buffer.alloc(1),
    certificateLog.logId,
    time,
    number(0, 2),
    Buffer.from([4, 3]),
    vector(signature),
  ]);
  return extension("1.3.6.1.4.1.11129.2.4.2", octets(vector(vector(stamp))));
}

const verifyWith = (extensions: Buffer[]) =>
  verifyBundle(mintBundle(world, { key, leaf: { ...common, extensions } }).bytes, trustRoot, expected);

test("V15: a timestamp of a trusted certificate log is enough", () => {
  expect(verifyWith([timestampExtension(world.at.getTime())]).kind).toBe("statement");
});

test("V15: without one, or with one that does not verify, the certificate is refused", () => {
  const code = (name: string) => expect.objectContaining({ code: name, nature: "refused" });
  expect(() => verifyWith([])).toThrow(code("CERTIFICATE_TIMESTAMP_MISSING"));
  expect(() => verifyWith([timestampExtension(world.at.getTime(), mintKey())])).toThrow(
    code("CERTIFICATE_TIMESTAMP_INVALID"),
  );
  expect(() => verifyWith([timestampExtension(0)])).toThrow(code("CERTIFICATE_TIMESTAMP_INVALID"));
  const cut = extension("1.3.6.1.4.1.11129.2.4.2", octets(Buffer.from([0, 9, 0, 3, 0])));
  expect(() => verifyWith([cut])).toThrow(code("CERTIFICATE_TIMESTAMP_INVALID"));
});
