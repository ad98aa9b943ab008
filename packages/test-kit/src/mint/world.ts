import { randomBytes } from "node:crypto";
import { distinguishedName } from "./asn1.ts";
import { type CertificateRecipe, type MintKey, mintCertificate, mintKey, usages } from "./certificate.ts";
import { type MintCosigner, type MintLog, mintLog } from "./log.ts";
import type { MintStamper } from "./timestamp.ts";

/** An authority of the mint. */
export interface MintAuthority {
  readonly key: MintKey;
  /** DER Name. */
  readonly name: Buffer;
  readonly certificate: Buffer;
}

/** A whole trust domain in memory: authorities, time-stamping, logs, a witness. */
export interface MintWorld {
  /** The moment at which everything is signed. */
  readonly at: Date;
  readonly trustDomain: string;
  readonly identity: string;
  readonly issuer: string;
  readonly root: MintAuthority;
  readonly intermediate: MintAuthority;
  readonly stamper: MintStamper;
  readonly stamperRoot: MintAuthority;
  /** Ed25519. */
  readonly log: MintLog;
  /** P-256, for the first profile. */
  readonly oldLog: MintLog;
  readonly witnesses: readonly MintCosigner[];
  /** JSON of the trusted root; tests change copies of it. */
  readonly trustedRoot: TrustedRootJson;
}

/** The parts of a trusted root that tests change. */
export interface TrustedRootJson {
  mediaType: string;
  tlogs: LogJson[];
  certificateAuthorities: AuthorityJson[];
  ctlogs: LogJson[];
  timestampAuthorities: AuthorityJson[];
}

export interface LogJson {
  baseUrl: string;
  hashAlgorithm: string;
  publicKey: { rawBytes: string; keyDetails: string; validFor: { start: string; end?: string } };
  logId: { keyId: string };
  operator?: string;
}

export interface AuthorityJson {
  uri?: string;
  certChain: { certificates: { rawBytes: string }[] };
  validFor: { start: string; end?: string };
  operator?: string;
}

const DAY = 86_400_000;

/** Mints an authority below another one, or a root. */
export function mintAuthority(
  name: string,
  parent?: MintAuthority,
  recipe: Partial<CertificateRecipe> = {},
): MintAuthority {
  const key = recipe.key ?? mintKey();
  const subject = distinguishedName("Mint", name);
  const certificate = mintCertificate({
    subject,
    issuer: parent?.name ?? subject,
    signer: parent?.key ?? key,
    authority: true,
    ...recipe,
    key,
  });
  return { key, name: subject, certificate };
}

/** Mints a time-stamp authority's leaf. */
export function mintStamper(parent: MintAuthority, recipe: Partial<CertificateRecipe> = {}): MintStamper {
  const key = recipe.key ?? mintKey();
  const serial = Buffer.concat([Buffer.from([0x42]), randomBytes(15)]);
  const certificate = mintCertificate({
    subject: distinguishedName("Mint", "stamper"),
    issuer: parent.name,
    signer: parent.key,
    extendedKeyUsage: [usages.timeStamping],
    usageCritical: true,
    serial,
    ...recipe,
    key,
  });
  return { key, certificate, issuer: parent.name, serial };
}

export function logJson(log: MintLog, operator?: string): LogJson {
  return {
    baseUrl: log.baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: {
      rawBytes: log.key.spki.toString("base64"),
      keyDetails: log.key.kind === "ed25519" ? "PKIX_ED25519" : "PKIX_ECDSA_P256_SHA_256",
      validFor: { start: "2020-01-01T00:00:00Z" },
    },
    logId: { keyId: log.logId.toString("base64") },
    ...(operator === undefined ? {} : { operator }),
  };
}

export function authorityJson(certificates: readonly Uint8Array[], uri: string): AuthorityJson {
  return {
    uri,
    certChain: { certificates: certificates.map((der) => ({ rawBytes: Buffer.from(der).toString("base64") })) },
    validFor: { start: "2020-01-01T00:00:00Z" },
  };
}

/** Mints a world whose time stands still. */
export function mintWorld(
  options: { readonly at?: Date; readonly intermediate?: Partial<CertificateRecipe> } = {},
): MintWorld {
  const at = options.at ?? new Date("2026-06-01T12:00:00Z");
  const years = { notBefore: new Date(at.getTime() - 400 * DAY), notAfter: new Date(at.getTime() + 4000 * DAY) };
  const trustDomain = "factory.example";
  const root = mintAuthority("root", undefined, years);
  const intermediate = mintAuthority("intermediate", root, {
    ...years,
    pathLength: 0,
    permittedUris: [trustDomain],
    ...options.intermediate,
  });
  const stamperRoot = mintAuthority("stamper root", undefined, years);
  const stamper = mintStamper(stamperRoot, years);
  const log = mintLog("log.factory.example", mintKey("ed25519"));
  const oldLog = mintLog("rekor.factory.example", mintKey("p256"));
  const witnesses = ["w1.example", "w2.example", "w3.example"].map((name) => ({ name, key: mintKey("ed25519") }));
  return {
    at,
    trustDomain,
    identity: `spiffe://${trustDomain}/project/demo/pipeline/default/step/build`,
    issuer: `https://${trustDomain}`,
    root,
    intermediate,
    stamper,
    stamperRoot,
    log,
    oldLog,
    witnesses,
    trustedRoot: {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [logJson(log), logJson(oldLog)],
      certificateAuthorities: [
        authorityJson([intermediate.certificate, root.certificate], "https://ca.factory.example"),
      ],
      ctlogs: [],
      timestampAuthorities: [
        authorityJson([stamper.certificate, stamperRoot.certificate], "https://time.factory.example"),
      ],
    },
  };
}

/** Bytes of a trusted root's JSON, after a change. */
export function trustedRootBytes(world: MintWorld, change?: (root: TrustedRootJson) => void): Uint8Array {
  const root = structuredClone(world.trustedRoot);
  change?.(root);
  return Buffer.from(JSON.stringify(root));
}
