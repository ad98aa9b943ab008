import { canonicalJson, type Digest, digestHex } from "@touchmark/core";
import { STATEMENT_TYPE } from "@touchmark/formats";
import type { Footer } from "../database/footer.ts";

/** Predicate type of the statement about a compiled database. */
export const advisoryDatabasePredicate = "https://touchmark.dev/predicates/advisory-database/v1";

/** The in-toto statement about a compiled database: what it was made from, and when. */
export function databaseStatement({
  digest,
  footer,
}: {
  readonly digest: Digest;
  readonly footer: Footer;
}): Uint8Array {
  return Buffer.from(
    canonicalJson({
      _type: STATEMENT_TYPE,
      subject: [{ name: "advisories", digest: { sha256: digestHex(digest) } }],
      predicateType: advisoryDatabasePredicate,
      predicate: {
        run: "advisories",
        createdAt: footer.compiledAt,
        predecessors: [],
        compiledAt: footer.compiledAt,
        sources: footer.sources.map((source) => ({
          ...{ name: source.name, kind: source.kind, digest: source.digest, origin: source.origin },
          importedAt: source.importedAt,
          ...(source.newest === undefined ? {} : { newest: source.newest }),
          ...(source.licence === undefined ? {} : { licence: source.licence }),
          ...(source.revision === undefined ? {} : { revision: source.revision }),
          records: source.advisories + source.exploitations + source.endsOfLife,
          leftOut: source.losses.count,
        })),
      },
    }),
  );
}
