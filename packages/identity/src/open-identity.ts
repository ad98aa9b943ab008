import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { Clock } from "@touchmark/core";
import { names } from "./authority-certificates.ts";
import { identityErrors } from "./errors.ts";
import type {
  CreateOptions,
  CredentialIssuance,
  FactoryIdentity,
  LeafRequest,
  OpenOptions,
} from "./factory-identity.ts";
import { createIdentityFiles, readIdentityFiles } from "./identity-directory.ts";
import { leafIssuer } from "./leaf.ts";
import { assertMayIssue } from "./spiffe.ts";
import { timestampAuthority } from "./timestamp-authority.ts";

/**
 * Creates a factory identity in a directory of its own, mode 0700, and opens it: root key (encrypted), intermediate,
 * time-stamp authority, compatibility key. An interrupted creation is continued by the same call; a finished identity
 * with the same parameters is opened as it is, and the passphrase then not asked.
 * @throws TRUST_DOMAIN_INVALID | ISSUER_INVALID | LOG_ORIGIN_UNUSABLE | PASSPHRASE_WEAK | PASSPHRASE_WRONG |
 *   IDENTITY_CONFLICT | DIRECTORY_EXPOSED and as `openFactoryIdentity`
 */
export async function createFactoryIdentity(options: CreateOptions): Promise<FactoryIdentity> {
  createIdentityFiles(options);
  return openFactoryIdentity(options);
}

/**
 * Opens a factory identity for a run or for `attest`. The root key's file is not read.
 * @throws IDENTITY_NOT_CREATED | IDENTITY_INCOMPLETE | IDENTITY_VERSION_UNKNOWN | KEY_FILE_DAMAGED | KEY_FILE_EXPOSED |
 *   KEY_CERTIFICATE_MISMATCH
 */
export async function openFactoryIdentity(options: OpenOptions): Promise<FactoryIdentity> {
  const { clock } = options;
  const role = options.role ?? "factory";
  const { state, root, intermediate, timestamp, compatibilityKey, trustedRoot } = readIdentityFiles(options.directory);
  const { trustDomain, issuer } = state;
  const issuerName = names.intermediate(trustDomain, state.intermediates.length);
  const leaves = leafIssuer(intermediate, issuerName, issuer);
  const issued: CredentialIssuance[] = [];
  const issueLeaf = (request: LeafRequest) => {
    assertMayIssue(role, trustDomain, request.spiffeId);
    const leaf = leaves.issue(request, clock.now());
    issued.push(leaf.issuance);
    return leaf;
  };
  return {
    trustDomain,
    issuer,
    role,
    issue(request) {
      checkPoint(request.publicKey);
      return issueLeaf(request).certificate;
    },
    async newSigner(request) {
      assertMayIssue(role, trustDomain, request.spiffeId);
      // In this thread: a key takes a fraction of what handing it to another one costs.
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const leaf = issueLeaf({
        ...request,
        publicKey: publicKey.export({ format: "der", type: "spki" }),
        profile: "signing",
      });
      return {
        spiffeId: request.spiffeId,
        certificate: leaf.certificate,
        issuance: leaf.issuance,
        sign: async (bytes) => sign("sha256", bytes, privateKey),
      };
    },
    assertMayIssue: (spiffeId) => assertMayIssue(role, trustDomain, spiffeId),
    timestampAuthority: timestampAuthority({
      ...timestamp,
      issuerName: names.root(trustDomain),
      clock: clock satisfies Clock,
    }),
    compatibilityKey,
    chain: () => [intermediate.certificate, root],
    trustedRoot: () => trustedRoot,
    issuances: () => [...issued],
  };
}

/** Refuses bytes that are no point on the curve before a certificate is wasted on them. */
function checkPoint(publicKey: Uint8Array): void {
  try {
    createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
  } catch (cause) {
    throw identityErrors.make("LEAF_KEY_UNSUPPORTED", "expected a P-256 SubjectPublicKeyInfo", { cause });
  }
}
