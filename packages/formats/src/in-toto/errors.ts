import { defineErrors } from "@touchmark/core";

/** Error codes of classic in-toto layouts, links and keys, and of layouts in the shape of ITE-10. */
export const inTotoErrors = defineErrors({
  INTOTO_MALFORMED: {
    nature: "refused",
    meaning: "A layout or link for in-toto is not JSON, lacks a member, or has one of the wrong type or spelling.",
  },
  INTOTO_UNKNOWN_FIELD: {
    nature: "refused",
    meaning: "A layout or link for in-toto has a member that the specification does not define.",
  },
  INTOTO_TOO_LARGE: { nature: "refused", meaning: "A layout or link for in-toto is larger or deeper than the limit." },
  INTOTO_TYPE_WRONG: {
    nature: "refused",
    meaning: "A document for in-toto is a link where a layout is expected, or the reverse, or neither.",
    hint: "A layout in place of a link, a sublayout, is not followed.",
  },
  INTOTO_NAME_TWICE: { nature: "refused", meaning: "Two steps or inspections of an in-toto layout have one name." },
  INTOTO_REFERENCE: {
    nature: "refused",
    meaning: "An in-toto layout names a key or a step that it does not have.",
  },
  INTOTO_NOT_CANONICAL: {
    nature: "refused",
    meaning: "A value has no canonical JSON as in-toto signs it: a fraction, or text that is no Unicode.",
  },
  INTOTO_KEY_MALFORMED: { nature: "refused", meaning: "A key for in-toto cannot be read, or is a private one." },
  INTOTO_KEY_UNSUPPORTED: {
    nature: "refused",
    meaning: "A key for in-toto has a type, scheme or size that is not verified here.",
    hint: "RSA of 2048 bits or more with rsassa-pss-sha256, ed25519, or ECDSA on nistp256 or nistp384.",
  },
  INTOTO_SIGNATURE_MISSING: {
    nature: "refused",
    meaning: "A layout or link for in-toto has no signature by a key that must have signed it, or no key was given.",
  },
  INTOTO_SIGNATURE_INVALID: {
    nature: "refused",
    meaning: "A signature of a layout or link for in-toto does not verify with the key that it names.",
  },
  INTOTO_NOT_REPRESENTABLE: {
    nature: "invalid",
    meaning: "A layout or link says something that the other format cannot say, and leaving it out would weaken it.",
  },
});

/** Codes of `inTotoErrors`. */
export type InTotoErrorCode = keyof typeof inTotoErrors.rows;
