export { asn1, distinguishedName, integer, octets, oid, sequence, set, utf8 } from "./asn1.ts";
export {
  ARTIFACT,
  type BundleJson,
  type BundleRecipe,
  type EntryRecipe,
  type MintedBundle,
  mintBundle,
  mintLeaf,
  PREDICATE_TYPE,
  statementOf,
} from "./bundle.ts";
export {
  type CertificateRecipe,
  extension,
  type KeyKind,
  type MintKey,
  mintCertificate,
  mintKey,
  signWith,
  usages,
} from "./certificate.ts";
export { GnupgHome, gpgvAccepts, hasGnupg } from "./gnupg.ts";
export {
  type CheckpointRecipe,
  cosignatureLine,
  type MintCosigner,
  type MintLog,
  mintCheckpoint,
  mintLog,
  noteKeyHash,
  proofOf,
  signatureLine,
  witnessKey,
} from "./log.ts";
export { type NaiveVerdict, naiveVerify } from "./naive.ts";
export {
  mintPgpKey,
  type PgpCertificateRecipe,
  type PgpKey,
  type PgpKeyKind,
  type PgpSignatureRecipe,
  type PgpSubkeyRecipe,
  pgpArmor,
  pgpCertificate,
  pgpClearsign,
  pgpHashed,
  pgpInteger,
  pgpPacket,
  pgpSign,
  pgpSignatureBody,
  pgpSubpacket,
} from "./openpgp.ts";
export { type MintedRun, type MintedStatement, mintRun, type RunRecipe } from "./run.ts";
export { type RunStatement, runFacts, stepDrafts } from "./run-steps.ts";
export { type MintServices, mintServices } from "./services.ts";
export { type MintStamper, mintTimestamp, type TimestampRecipe } from "./timestamp.ts";
export {
  type AuthorityJson,
  authorityJson,
  type LogJson,
  logJson,
  type MintAuthority,
  type MintWorld,
  mintAuthority,
  mintStamper,
  mintWorld,
  type TrustedRootJson,
  trustedRootBytes,
} from "./world.ts";
