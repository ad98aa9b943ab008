import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { type Clock, type Digest, encodeBase64, equalBytes, rfc3339, sha256 } from "@touchmark/core";
import { intermediateCertificate, rootCertificate, timestampCertificate } from "./authority-certificates.ts";
import {
  type Authority,
  certificateFile,
  checkAuthority,
  keyFile,
  newKey,
  presentFile,
  publicKeyDer,
} from "./authority-files.ts";
import { makePrivateDirectory, readPrivateFile, removeHalfWritten, writeDurably } from "./durable-file.ts";
import { decryptKey, encryptKey } from "./encrypted-key.ts";
import { identityErrors } from "./errors.ts";
import type { CreateOptions } from "./factory-identity.ts";
import { type Generation, type IdentityState, readState, STATE_FORMAT, writeState } from "./identity-state.ts";
import { parseTrustDomain } from "./spiffe.ts";
import { factoryTrustedRoot, trustedLogs } from "./trust-root.ts";

/**
 * The files of a factory identity. Each appears whole or not at all and is never replaced, `identity.json` apart:
 * it says `creating` before the first and `ready` after the last, so that an interrupted creation is continued.
 */
const files = {
  rootKey: "root.key.pem",
  root: "root.crt.pem",
  compatibilityKey: "compatibility.key.pem",
  key: (kind: AuthorityKind, generation: number) => `${kind}-${generation}.key.pem`,
  certificate: (kind: AuthorityKind, generation: number) => `${kind}-${generation}.crt.pem`,
} as const;

/** The two authorities below the root. */
export type AuthorityKind = "intermediate" | "timestamp";

/** What a rotation came to, for the key ledger. Digests are SHA-256 of DER. */
export interface RotatedAuthority {
  readonly kind: AuthorityKind;
  readonly generation: number;
  readonly certificate: Digest;
  readonly publicKey: Digest;
  /** Public key of the generation before. */
  readonly replaces: Digest;
  /** RFC 3339: end of the validity of the generation before. */
  readonly replacedUntil: string;
}

/** An identity directory, read. */
export interface IdentityFiles {
  readonly state: IdentityState;
  readonly root: Uint8Array;
  readonly intermediate: Authority;
  readonly timestamp: Authority;
  readonly compatibilityKey: KeyObject;
  readonly trustedRoot: Uint8Array;
}

/** Makes the files of a new identity, or what is missing of an interrupted one. Errors as `createFactoryIdentity`. */
export function createIdentityFiles(options: CreateOptions): void {
  const { directory, clock, passphrase } = options;
  const wanted = initialState(options);
  makePrivateDirectory(directory);
  removeHalfWritten(directory, Date.now());
  if (readState(directory) === undefined) writeState(directory, wanted, "exclusive");
  const state = presentState(directory);
  const parameters = (each: IdentityState) => JSON.stringify([each.trustDomain, each.issuer, each.log]);
  if (parameters(state) !== parameters(wanted)) {
    throw identityErrors.make(
      "IDENTITY_CONFLICT",
      `expected ${parameters(wanted)}, found ${parameters(state)} in ${directory}`,
    );
  }
  if (state.state === "ready") return;
  if (readPrivateFile(join(directory, files.rootKey)) === undefined) {
    // A root certificate without its key belongs to no creation of ours that was merely interrupted.
    if (readPrivateFile(join(directory, files.root)) !== undefined) {
      throw identityErrors.make("IDENTITY_INCOMPLETE", `expected ${files.rootKey} in ${directory}, found nothing`);
    }
    writeDurably(join(directory, files.rootKey), encryptKey(newKey("p256"), passphrase), "exclusive");
  }
  const signing = openRoot(directory, state.trustDomain, passphrase, clock, true);
  makeAuthority(directory, "intermediate", 1, signing);
  makeAuthority(directory, "timestamp", 1, signing);
  keyFile(directory, files.compatibilityKey, "ed25519", true);
  writeState(directory, { ...state, state: "ready" }, "replace");
}

/**
 * Puts a new generation of an authority in the place of the one in use. The root key is opened for this moment alone.
 * An interrupted rotation leaves the old generation in use; the next one continues it.
 * The old one stays valid for `graceSeconds` more (default one day), so that runs under way can finish; after a theft
 * the grace is 0.
 * @throws PASSPHRASE_WRONG and as `openFactoryIdentity`
 */
export function rotateAuthority(options: {
  readonly directory: string;
  readonly passphrase: string;
  readonly clock: Clock;
  readonly kind: AuthorityKind;
  readonly graceSeconds?: number;
}): RotatedAuthority {
  const { directory, passphrase, clock, kind, graceSeconds = 86_400 } = options;
  const state = readyState(directory);
  const signing = openRoot(directory, state.trustDomain, passphrase, clock, false);
  const list = kind === "intermediate" ? state.intermediates : state.timestampAuthorities;
  const fresh = makeAuthority(directory, kind, list.length + 1, signing);
  const before = new X509Certificate(certificateFile(directory, files.certificate(kind, list.length)));
  const validUntil = rfc3339(new Date(clock.now().getTime() + graceSeconds * 1000));
  const next: Generation[] = [
    ...list.map((each) => (each.validUntil === undefined ? { ...each, validUntil } : each)),
    { number: list.length + 1 },
  ];
  writeState(
    directory,
    kind === "intermediate" ? { ...state, intermediates: next } : { ...state, timestampAuthorities: next },
    "replace",
  );
  return {
    kind,
    generation: list.length + 1,
    certificate: sha256(fresh.certificate),
    publicKey: sha256(publicKeyDer(fresh.key)),
    replaces: sha256(publicKeyDer(before.publicKey)),
    replacedUntil: validUntil,
  };
}

/** Reads and compares every file that a run needs; the root key is not among them. Errors as `openFactoryIdentity`. */
export function readIdentityFiles(directory: string): IdentityFiles {
  const state = readyState(directory);
  const root = certificateFile(directory, files.root);
  const authority = (kind: AuthorityKind, generations: readonly Generation[]): Authority => {
    const generation = generations.length;
    return checkAuthority(
      `${kind} ${generation}`,
      {
        certificate: certificateFile(directory, files.certificate(kind, generation)),
        key: keyFile(directory, files.key(kind, generation), "p256", false),
      },
      root,
    );
  };
  return {
    state,
    root,
    intermediate: authority("intermediate", state.intermediates),
    timestamp: authority("timestamp", state.timestampAuthorities),
    compatibilityKey: keyFile(directory, files.compatibilityKey, "ed25519", false),
    trustedRoot: trustedRootOf(directory, state, root),
  };
}

/**
 * The factory's `trusted_root.json` without opening any private key: what verifying on this machine starts from.
 * @throws IDENTITY_NOT_CREATED | IDENTITY_INCOMPLETE | IDENTITY_VERSION_UNKNOWN | KEY_FILE_DAMAGED | KEY_FILE_EXPOSED
 */
export function readTrustedRoot(directory: string): Uint8Array {
  return trustedRootOf(directory, readyState(directory), certificateFile(directory, files.root));
}

/** Trust domain and issuer of the factory, without opening any private key. Errors as `readTrustedRoot`. */
export function readIdentityNames(directory: string): { readonly trustDomain: string; readonly issuer: string } {
  const { trustDomain, issuer } = readyState(directory);
  return { trustDomain, issuer };
}

function trustedRootOf(directory: string, state: IdentityState, root: Uint8Array): Uint8Array {
  const certificates = (kind: AuthorityKind, generations: readonly Generation[]) =>
    generations.map(({ number, ...rest }) => ({
      ...rest,
      certificate: certificateFile(directory, files.certificate(kind, number)),
    }));
  return factoryTrustedRoot({
    trustDomain: state.trustDomain,
    root,
    intermediates: certificates("intermediate", state.intermediates),
    timestampAuthorities: certificates("timestamp", state.timestampAuthorities),
    logs: trustedLogs(state.log, new Date(state.createdAt)),
  });
}

function initialState(options: CreateOptions): IdentityState {
  const trustDomain = parseTrustDomain(options.trustDomain);
  const issuer = options.issuer ?? `https://${trustDomain}`;
  const { origin, signer, compatible } = options.log;
  if (!URL.canParse(issuer) || !/^[\x21-\x7e]+$/.test(issuer)) {
    throw identityErrors.make("ISSUER_INVALID", `expected an issuer URL, found ${JSON.stringify(issuer.slice(0, 80))}`);
  }
  if (!/^[a-z0-9.-]+(:[0-9]+)?$/.test(origin)) {
    throw identityErrors.make("LOG_ORIGIN_UNUSABLE", `expected a host name, found ${JSON.stringify(origin)}`);
  }
  const text = (key: KeyObject) => encodeBase64(publicKeyDer(key));
  return {
    format: STATE_FORMAT,
    state: "creating",
    trustDomain,
    issuer,
    log: {
      origin,
      publicKey: text(signer.publicKey),
      ...(compatible === undefined ? {} : { compatiblePublicKey: text(compatible.signer.publicKey) }),
    },
    createdAt: rfc3339(options.clock.now()),
    intermediates: [{ number: 1 }],
    timestampAuthorities: [{ number: 1 }],
  };
}

function presentState(directory: string): IdentityState {
  const state = readState(directory);
  if (state === undefined)
    throw identityErrors.make("IDENTITY_NOT_CREATED", `expected a factory identity in ${directory}`);
  return state;
}

function readyState(directory: string): IdentityState {
  const state = presentState(directory);
  if (state.state !== "ready") {
    throw identityErrors.make("IDENTITY_INCOMPLETE", `the identity in ${directory} was not created to its end`);
  }
  return state;
}

function openRoot(directory: string, trustDomain: string, passphrase: string, clock: Clock, make: boolean) {
  const path = join(directory, files.rootKey);
  const text = presentFile(directory, files.rootKey);
  if (!/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END ENCRYPTED PRIVATE KEY-----\n$/.test(text)) {
    throw identityErrors.make("KEY_FILE_DAMAGED", `expected an encrypted private key (PKCS#8 PEM) at ${path}`);
  }
  const rootKey = decryptKey(text, passphrase);
  const now = clock.now();
  const issue = () => rootCertificate({ trustDomain, rootKey, now });
  const root = certificateFile(directory, files.root, make ? issue : undefined);
  const parsed = new X509Certificate(root);
  if (!equalBytes(publicKeyDer(parsed.publicKey), publicKeyDer(createPublicKey(rootKey)))) {
    throw identityErrors.make("KEY_CERTIFICATE_MISMATCH", "the root key is not the one in the root certificate");
  }
  return { trustDomain, rootKey, now, rootUntil: new Date(parsed.validTo), root };
}

function makeAuthority(
  directory: string,
  kind: AuthorityKind,
  generation: number,
  signing: ReturnType<typeof openRoot>,
): Authority {
  const key = keyFile(directory, files.key(kind, generation), "p256", true);
  const issue = kind === "intermediate" ? intermediateCertificate : timestampCertificate;
  const certificate = certificateFile(directory, files.certificate(kind, generation), () =>
    issue(signing, generation, key),
  );
  return checkAuthority(`${kind} ${generation}`, { certificate, key }, signing.root);
}
