import { advisoryDatabasePredicate, advisoryPlace, type OpenAdvisories, openAdvisories } from "@touchmark/advisories";
import type { Digest } from "@touchmark/core";
import { attestId } from "@touchmark/identity";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import type { Factory } from "../factory.ts";

/** Which database is opened. */
export interface AdvisoryChoice {
  /** A kept one, by its digest or the first digits of it, to repeat a scan. Default: the one in use. */
  readonly database?: string;
  /** Take data that is older than its limit. */
  readonly allowStale?: boolean;
}

/**
 * Opens the advisory data of a factory; undefined where it has none and is configured for none. A statement that lies
 * beside a database must be of this factory and about these bytes.
 * @throws ADVISORY_… | VERIFY_…
 */
export async function openFactoryAdvisories(
  factory: Factory,
  choice: AdvisoryChoice = {},
): Promise<OpenAdvisories | undefined> {
  let trustRoot: ReturnType<typeof readTrustRoot> | undefined;
  const place = advisoryPlace(factory.home.path);
  const roots = await factory.trustRoot().catch(() => undefined);
  return openAdvisories(place, {
    ...choice,
    now: factory.clock.now(),
    verify: (bundle: Uint8Array | undefined, digest: Digest) => {
      // Without an identity nothing was signed, and the digest alone pins the data.
      if (bundle === undefined || roots === undefined) return;
      trustRoot ??= readTrustRoot(roots);
      const { trustDomain, issuer } = factory.names();
      verifyBundle(bundle, trustRoot, {
        artifact: digest,
        identity: attestId(trustDomain),
        issuer,
        predicateType: advisoryDatabasePredicate,
      });
    },
  });
}
