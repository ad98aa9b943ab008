export { signErrors } from "./errors.ts";
export type { Signer } from "./signer.ts";
export { type SignedBundle, type SigningRequest, signStatement, signStatements } from "./signing.ts";
export type { BundleProfile, LogInclusion, LogWitness, TimestampWitness } from "./witness.ts";
