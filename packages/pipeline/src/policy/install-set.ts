import { mkdirSync } from "node:fs";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import { type PolicySet, readPolicyDocument } from "@touchmark/formats/policy";
import { attestId } from "@touchmark/identity";
import { checkSet, type Denial, type Pinned } from "@touchmark/policy";
import { writeFileAtomically } from "@touchmark/store";
import type { Factory } from "../factory.ts";
import { homePolicyErrors } from "./errors.ts";
import { installedPath, installedSet, oneSet } from "./installed-set.ts";
import type { PolicyFile } from "./policies-in-force.ts";
import { documentPath, policyPlaces } from "./policy-place.ts";
import { readSigned, type SignedDocument } from "./signed-documents.ts";

/** What was put in force. */
export interface InstalledSet {
  readonly set: Pinned<PolicySet>;
  readonly signers: readonly string[];
  /** How many documents it names. */
  readonly documents: number;
}

/**
 * Puts a set in force: signatures, threshold, version and every member are checked, then one file is exchanged. SPEC PO5.
 * @throws POLICY_SET_UNSIGNED | POLICY_SET_REFUSED | POLICY_SET_CHANGED | POLICY_MEMBER_MISSING | POLICY_DOCUMENT_…
 */
export async function installSet(factory: Factory, files: readonly PolicyFile[]): Promise<InstalledSet> {
  const lock = await factory.home.lock("policy");
  try {
    const bundles = files.filter(({ name }) => name.endsWith(".sigstore.json"));
    const signed = await signaturesOf(factory, bundles);
    const set = oneSet(signed);
    await checkSuccession(factory, set, signed);
    const members = membersOf(set.document, files);
    mkdirSync(policyPlaces(factory).documents, { recursive: true, mode: 0o700 });
    mkdirSync(policyPlaces(factory).set, { recursive: true, mode: 0o700 });
    for (const [digest, bytes] of members) {
      writeFileAtomically(documentPath(factory, digest), Buffer.from(bytes).toString("utf8"));
    }
    const kept = signed.map(({ verified }) => bundles.find(({ bytes }) => sha256(bytes) === verified.bundle));
    const file = {
      touchmark: "installed-set/v1",
      bundles: kept.map((each) => Buffer.from(each?.bytes ?? []).toString("base64")),
    };
    // The last thing: until then the former set is in force.
    writeFileAtomically(installedPath(factory), JSON.stringify(file));
    return { set, signers: signed.map(({ signer }) => signer), documents: members.size };
  } finally {
    lock.release();
  }
}

/** Signatures under sets; signed policies and layouts may lie beside them. */
async function signaturesOf(
  factory: Factory,
  bundles: readonly PolicyFile[],
): Promise<readonly SignedDocument<"policy-set">[]> {
  const signed: SignedDocument<"policy-set">[] = [];
  let why: unknown;
  for (const { bytes } of bundles) {
    try {
      signed.push(await readSigned(factory, bytes, "policy-set"));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      why = error;
    }
  }
  if (signed.length > 0) return signed;
  const found = isFactoryError(why) ? `${why.code}: ${why.message}` : "no file *.sigstore.json";
  throw homePolicyErrors.make("POLICY_SET_UNSIGNED", `expected a signed policy set, found ${found}`, { cause: why });
}

async function checkSuccession(
  factory: Factory,
  next: Pinned<PolicySet>,
  signed: readonly SignedDocument<"policy-set">[],
): Promise<void> {
  const { trustDomain, issuer } = factory.names();
  // Whoever may write to the home may put the first set in force; later ones are for those whom a set names.
  const owners = { trust: { owner: { identities: [{ identity: attestId(trustDomain) }] } } };
  const denials = checkSet(
    await installedSet(factory),
    next,
    signed.map(({ verified }) => verified),
    { now: factory.clock.now(), issuer, owners },
  );
  const [denial] = denials;
  if (denial === undefined) return;
  throw homePolicyErrors.make(
    "POLICY_SET_REFUSED",
    denials.map(({ code, message }) => `${code}: ${message}`).join("; "),
    hintOf(denial),
  );
}

function hintOf({ code, solution }: Denial): { readonly hint?: string } {
  if (code === "POLICY_SET_THRESHOLD") {
    const who =
      "whom the set in force names and whom this one names; `owner` is the home itself, which signs without --as";
    return { hint: `touchmark policy sign FILE --as NAME, by each of them: ${who}` };
  }
  return solution === undefined ? {} : { hint: solution };
}

function membersOf(set: PolicySet, files: readonly PolicyFile[]): ReadonlyMap<Digest, Uint8Array> {
  const byDigest = new Map(files.map((file) => [sha256(file.bytes), file]));
  const members = new Map<Digest, Uint8Array>();
  for (const { kind, name, digest } of set.members) {
    const file = byDigest.get(digest);
    if (file === undefined) {
      throw homePolicyErrors.make(
        "POLICY_MEMBER_MISSING",
        `expected the ${kind} ${name} with ${digest}, found no such file`,
      );
    }
    const found = readPolicyDocument(file.bytes, { name: file.name, kind });
    if (found.document.name !== name) {
      throw homePolicyErrors.make(
        "POLICY_MEMBER_MISSING",
        `expected ${digest} to be ${name}, found ${found.document.name}`,
      );
    }
    members.set(digest, file.bytes);
  }
  return members;
}
