import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { type PredicateName, type PredicateOf, predicateType, readPredicate } from "@touchmark/formats/predicates";
import {
  type PreparedExpectations,
  prepareExpectations,
  readTrustRoot,
  type VerifiedStatement,
  verifyBundle,
} from "@touchmark/verify";
import type { Factory } from "../factory.ts";
import { namesIn } from "./policy-place.ts";

type DocumentName = "policy" | "layout" | "exception" | "policy-set";

/** A signed document of policy that verifies as one of this factory's people or of `attest`. */
export interface SignedDocument<Name extends DocumentName> {
  readonly verified: VerifiedStatement;
  readonly signer: string;
  readonly predicate: PredicateOf<Name & PredicateName>;
}

/** A file that counts for nothing, and why. */
export interface IgnoredDocument {
  readonly file: string;
  readonly code: string;
  readonly message: string;
}

/** Whoever the factory's authority knows by name; which of them may sign what is said elsewhere. */
function anybodyHere(factory: Factory, kind: DocumentName): PreparedExpectations {
  const { trustDomain, issuer } = factory.names();
  return prepareExpectations({
    artifact: "unbound",
    identityPattern: `spiffe:\\/\\/${trustDomain.replaceAll(".", "\\.")}\\/(attest|user\\/.+)`,
    issuer,
    predicateType: predicateType(kind),
  });
}

/** Reads signed documents of one kind from a directory; what does not verify is named and counts for nothing. */
export async function signedDocumentsIn<Name extends DocumentName>(
  factory: Factory,
  directory: string,
  kind: Name,
): Promise<{ readonly found: readonly SignedDocument<Name>[]; readonly ignored: readonly IgnoredDocument[] }> {
  const names = namesIn(directory, ".sigstore.json");
  const found: SignedDocument<Name>[] = [];
  const ignored: IgnoredDocument[] = [];
  for (const name of names) {
    try {
      found.push(await readSigned(factory, readFileSync(join(directory, name)), kind));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      ignored.push({ file: name, code: error.code, message: error.message });
    }
  }
  return { found, ignored };
}

/** Verifies one signed document. @throws what `verifyBundle` throws, PREDICATE_… */
export async function readSigned<Name extends DocumentName>(
  factory: Factory,
  bundle: Uint8Array,
  kind: Name,
): Promise<SignedDocument<Name>> {
  const trustRoot = readTrustRoot(await factory.trustRoot());
  const verified = verifyBundle(bundle, trustRoot, anybodyHere(factory, kind));
  if (verified.signer.kind !== "certificate") throw new TypeError("expectations of an identity admitted a bare key");
  const predicate = readPredicate(kind, verified.statement.predicate) as PredicateOf<Name & PredicateName>;
  return { verified, signer: verified.signer.identity, predicate };
}
