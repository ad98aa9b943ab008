import type { Digest } from "@touchmark/core";
import {
  type PreparedExpectations,
  prepareExpectations,
  readTrustRoot,
  type TrustRoot,
  type VerifiedStatement,
  verifyBundle,
} from "@touchmark/verify";
import type { EvidenceRecorder } from "../evidence/recorder.ts";
import type { Factory } from "../factory.ts";

/** The statements of a run so far, each verified from its bundle once. */
export interface RunEvidence {
  /** By its name in the run; undefined where there is none. @throws what verifying throws */
  named(name: string): Promise<VerifiedStatement | undefined>;
  /** Every statement so far. @throws what verifying throws */
  all(): Promise<readonly VerifiedStatement[]>;
  /** One that is not stored, by its bytes. @throws what verifying throws */
  verify(bytes: Uint8Array): Promise<VerifiedStatement>;
  /** Takes statements in that were verified already, with the same trust root. */
  know(statements: readonly VerifiedStatement[]): void;
}

/** Opens the evidence of a run: nothing is believed because it was just written. */
export function runEvidence(factory: Factory, recorder: EvidenceRecorder): RunEvidence {
  const known = new Map<Digest, VerifiedStatement>();
  let opened: Promise<{ readonly trustRoot: TrustRoot; readonly expected: PreparedExpectations }> | undefined;
  const open = async () => {
    const { trustDomain, issuer } = factory.names();
    const identityPattern = `spiffe:\\/\\/${trustDomain.replaceAll(".", "\\.")}\\/.+`;
    const expected = prepareExpectations({ artifact: "unbound", identityPattern, issuer });
    return { trustRoot: readTrustRoot(await factory.trustRoot()), expected };
  };
  const verify = async (bytes: Uint8Array): Promise<VerifiedStatement> => {
    opened ??= open();
    const { trustRoot, expected } = await opened;
    return verifyBundle(bytes, trustRoot, expected);
  };
  const verified = async (digest: Digest): Promise<VerifiedStatement> => {
    const before = known.get(digest);
    if (before !== undefined) return before;
    const statement = await verify(await factory.content.get(digest));
    known.set(digest, statement);
    return statement;
  };
  return {
    async named(name) {
      const row = recorder.bundles.findLast((bundle) => bundle.name === name);
      return row === undefined ? undefined : verified(row.digest);
    },
    async all() {
      const digests = new Set(recorder.bundles.map(({ digest }) => digest));
      return Promise.all([...digests].map(verified));
    },
    verify,
    know(statements) {
      for (const statement of statements) known.set(statement.bundle, statement);
    },
  };
}
