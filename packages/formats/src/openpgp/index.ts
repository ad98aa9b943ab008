export { type ArmorKind, crc24, decodeArmor, isArmored } from "./armor.ts";
export {
  type CleartextDocument,
  isCleartextSigned,
  MAX_CLEARTEXT_BYTES,
  readCleartext,
  type VerifiedCleartext,
  verifyCleartext,
} from "./cleartext.ts";
export { type OpenPgpErrorCode, openpgpErrors } from "./errors.ts";
export { type Certificate as OpenPgpCertificate, type Keyring, MAX_KEYRING_BYTES, readKeyring } from "./keyring.ts";
export type { Signature as OpenPgpSignature } from "./signature-packet.ts";
export {
  beginDetached,
  type OpenPgpSigner,
  type OpenPgpVerification,
  readSignature,
  type VerifiedOpenPgp,
  verifyDetached,
} from "./verification.ts";
