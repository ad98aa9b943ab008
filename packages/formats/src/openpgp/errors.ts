import { defineErrors } from "@touchmark/core";

/** Error codes of the OpenPGP reader (RFC 9580, and RFC 4880 before it). */
export const openpgpErrors = defineErrors({
  OPENPGP_ARMOR_MALFORMED: {
    nature: "refused",
    meaning: "Text is not ASCII armour: one block of the expected kind, its lines canonical base64, nothing around it.",
  },
  OPENPGP_ARMOR_CHECKSUM: { nature: "refused", meaning: "The checksum of an ASCII armour does not fit its contents." },
  OPENPGP_PACKET_MALFORMED: {
    nature: "refused",
    meaning: "Bytes are not OpenPGP packets of the expected kind, or a packet is not spelled as its version demands.",
  },
  OPENPGP_TOO_LARGE: {
    nature: "refused",
    meaning: "A keyring, signature or signed text is larger than the reader's limit, or has more parts than it.",
  },
  OPENPGP_VERSION_UNSUPPORTED: {
    nature: "refused",
    meaning: "A signature or key is of a version other than 4.",
    hint: "Ask the signer for a version 4 signature; versions 2, 3 and 5 are obsolete, and 6 is not read here.",
  },
  OPENPGP_ALGORITHM_REFUSED: {
    nature: "refused",
    meaning: "A signature is by an algorithm or curve that is not accepted, for example DSA.",
  },
  OPENPGP_HASH_REFUSED: {
    nature: "refused",
    meaning:
      "A signature, or the one that binds its key, is over a hash that is not accepted: MD5, SHA-1, or too short.",
    hint: "Ask the signer to sign with SHA-256 or stronger, and to renew the self-signatures of the key.",
  },
  OPENPGP_KEY_WEAK: { nature: "refused", meaning: "A signature is by an RSA key of fewer than 2048 bits." },
  OPENPGP_CRITICAL_UNKNOWN: {
    nature: "refused",
    meaning: "A signature has a subpacket that is marked critical and not understood.",
  },
  OPENPGP_SIGNATURE_KIND: {
    nature: "refused",
    meaning: "A signature is of another type than the place demands: over a file, over a text, or over a key.",
  },
  OPENPGP_SIGNATURE_INVALID: {
    nature: "refused",
    meaning: "A signature does not verify with the key that it names: other content, or forged.",
  },
  OPENPGP_SIGNATURE_EXPIRED: { nature: "refused", meaning: "A signature states an end of validity that is over." },
  OPENPGP_SIGNATURE_TIME: {
    nature: "refused",
    meaning: "A signature was made in the future, or before the key that made it.",
  },
  OPENPGP_KEY_UNKNOWN: {
    nature: "refused",
    meaning: "No signature is by a key of the keyring.",
    hint: "Add the signer's key to the keyring after comparing its fingerprint with what the signer publishes.",
  },
  OPENPGP_KEY_EXPIRED: {
    nature: "refused",
    meaning: "The key of a signature, or the primary key above it, has expired.",
    hint: "Fetch the key again: its holder may have extended it.",
  },
  OPENPGP_KEY_REVOKED: {
    nature: "refused",
    meaning: "The key of a signature, or the primary key above it, was revoked by its holder.",
  },
  OPENPGP_KEY_UNBOUND: {
    nature: "refused",
    meaning: "A key lacks a valid self-signature, or a subkey its binding or the binding back to its primary key.",
  },
  OPENPGP_KEY_NOT_FOR_SIGNING: {
    nature: "refused",
    meaning: "A key's flags do not allow that it signs documents.",
  },
  OPENPGP_CLEARTEXT_MALFORMED: {
    nature: "refused",
    meaning: "A document is not one cleartext-signed message: something stands outside it, or a line is not escaped.",
  },
});

/** A code of the OpenPGP reader. */
export type OpenPgpErrorCode = keyof typeof openpgpErrors.rows;
