import { defineErrors } from "@touchmark/core";

/** Error codes of the external-data provider. */
export const providerErrors = defineErrors({
  ADMISSION_PROVIDER_MALFORMED: {
    nature: "invalid",
    meaning: "A request is no ProviderRequest of externaldata.gatekeeper.sh/v1beta1, or has too many or too long keys.",
    hint: "A key is HOST/NAME:TAG or HOST/NAME@DIGEST, and NAMESPACE|HOST/NAME… where policies go by namespace.",
  },
});
