import { defineErrors } from "@touchmark/core";

/** Why a break-glass permission does not count, or may not be signed. */
export const breakGlassErrors = defineErrors({
  BREAK_GLASS_EXPIRED: { nature: "refused", meaning: "A break-glass permission has expired." },
  BREAK_GLASS_TOO_LONG: {
    nature: "refused",
    meaning: "A break-glass permission lasts longer than such permissions may.",
    hint: "`break-glass.max-hours` of policy/admission.yaml says how long; sign a shorter one, and an exception for what lasts",
  },
  BREAK_GLASS_SIGNER: {
    nature: "refused",
    meaning: "A break-glass permission is signed by somebody whose permissions do not count.",
    hint: "`break-glass.signers` of policy/admission.yaml names them",
  },
  BREAK_GLASS_UNVERIFIED: {
    nature: "refused",
    meaning: "A break-glass permission is no verified statement about exactly one artifact.",
  },
});
