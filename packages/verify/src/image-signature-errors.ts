import { defineErrors } from "@touchmark/core";

/** Error codes of image signatures in the forms of others: simple signing (cosign before 3), and Notation. */
export const imageSignatureErrors = defineErrors({
  IMAGE_SIGNATURE_KEY: { nature: "invalid", meaning: "A key or certificate that a trust rule names cannot be used." },
  IMAGE_SIGNATURE_MALFORMED: { nature: "refused", meaning: "An image signature is not what its form demands." },
  IMAGE_SIGNATURE_OTHER_IMAGE: { nature: "refused", meaning: "A signature is about another image." },
  IMAGE_SIGNATURE_INVALID: {
    nature: "refused",
    meaning: "The signature does not verify over what it signs with any key that is trusted for it.",
  },
  IMAGE_SIGNATURE_CHAIN: {
    nature: "refused",
    meaning:
      "The certificates of a Notation signature do not lead to a trusted one: issuers, validity now, or the purposes of their keys.",
  },
  IMAGE_SIGNATURE_EXPIRED: { nature: "refused", meaning: "A Notation signature says of itself that it has expired." },
  IMAGE_SIGNATURE_CRITICAL: {
    nature: "refused",
    meaning: "A Notation signature has a critical header, or a signing scheme, that is not understood.",
  },
});
