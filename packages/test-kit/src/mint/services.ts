import { createPublicKey } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { leafHash, merkleRoot } from "@touchmark/core";
import { DerReader, derTag, encodePem, hashedRekordBody } from "@touchmark/formats/evidence";
import { mintCertificate, usages } from "./certificate.ts";
import { type MintLog, mintCheckpoint, proofOf } from "./log.ts";
import { mintTimestamp } from "./timestamp.ts";
import type { MintWorld } from "./world.ts";

/** The mint's authorities behind the protocols that signing clients speak, on the loopback. */
export interface MintServices {
  readonly url: string;
  /** Signing configuration for such clients. */
  readonly signingConfig: object;
  close(): Promise<void>;
}

/** Serves a world: Fulcio's `signingCert`, Rekor v2's `log/entries`, RFC 3161 over HTTP. Signs anything for anyone. */
export async function mintServices(world: MintWorld): Promise<MintServices> {
  const log: MintLog = { ...world.log, leaves: [...world.log.leaves] };
  const server: Server = createServer((request, response) => {
    void body(request).then((content) => {
      const answer = (status: number, type: string, bytes: Uint8Array | string) => {
        response.writeHead(status, { "content-type": type });
        response.end(bytes);
      };
      if (request.url === "/api/v2/signingCert") answer(200, "application/json", issue(world, content));
      else if (request.url === "/api/v2/log/entries") answer(201, "application/json", append(log, content));
      else if (request.url === "/stamp") answer(200, "application/timestamp-reply", stamp(world, content));
      else answer(404, "text/plain", "unknown");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new TypeError("expected a TCP address");
  const url = `http://127.0.0.1:${address.port}`;
  const service = (path: string, majorApiVersion: number) => ({
    url: `${url}${path}`,
    majorApiVersion,
    validFor: { start: "2020-01-01T00:00:00Z" },
    operator: "factory.example",
  });
  return {
    url,
    signingConfig: {
      mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
      caUrls: [service("", 1)],
      rekorTlogUrls: [service("", 2)],
      rekorTlogConfig: { selector: "ANY" },
      tsaUrls: [service("/stamp", 1)],
      tsaConfig: { selector: "ANY" },
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function issue(world: MintWorld, content: Buffer): string {
  const pem = JSON.parse(content.toString()).publicKeyRequest.publicKey.content as string;
  const publicKey = createPublicKey(pem);
  const spki = publicKey.export({ format: "der", type: "spki" });
  const certificate = mintCertificate({
    issuer: world.intermediate.name,
    key: { ...world.intermediate.key, publicKey, spki, pem },
    signer: world.intermediate.key,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 540_000),
    extendedKeyUsage: [usages.codeSigning],
    uris: [world.identity],
    identityIssuer: world.issuer,
  });
  const certificates = [certificate, world.intermediate.certificate].map((der) => encodePem("CERTIFICATE", der));
  return JSON.stringify({ signedCertificateEmbeddedSct: { chain: { certificates } } });
}

function append(log: MintLog, content: Buffer): string {
  const request = JSON.parse(content.toString()).hashedRekordRequestV002;
  const { verifier } = request.signature;
  const raw = (value: { rawBytes: string } | undefined) => value && Buffer.from(value.rawBytes, "base64");
  const certificate = raw(verifier.x509Certificate);
  const publicKey = raw(verifier.publicKey);
  const canonical = hashedRekordBody({
    digest: Buffer.from(request.digest, "base64"),
    signature: Buffer.from(request.signature.content, "base64"),
    keyDetails: verifier.keyDetails,
    ...(certificate === undefined ? {} : { certificate }),
    ...(publicKey === undefined ? {} : { publicKey }),
  });
  const index = log.leaves.length;
  log.leaves.push(leafHash(canonical));
  const b64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return JSON.stringify({
    logIndex: String(index),
    logId: { keyId: b64(log.logId) },
    kindVersion: { kind: "hashedrekord", version: "0.0.2" },
    inclusionProof: {
      logIndex: String(index),
      rootHash: b64(merkleRoot(log.leaves)),
      treeSize: String(log.leaves.length),
      hashes: proofOf(log, index).map(b64),
      checkpoint: { envelope: mintCheckpoint(log) },
    },
    canonicalizedBody: b64(canonical),
  });
}

/** Stamps the imprint of an RFC 3161 request as it is. */
function stamp(world: MintWorld, content: Buffer): Buffer {
  const request = new DerReader(content).sequence();
  request.smallInteger();
  const imprint = request.raw(derTag.sequence);
  return mintTimestamp({
    at: new Date(),
    message: new Uint8Array(),
    imprint: Buffer.from(imprint),
    stamper: world.stamper,
  });
}
