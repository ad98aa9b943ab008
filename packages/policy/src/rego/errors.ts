import { defineErrors } from "@touchmark/core";

/** Why a module of Rego was not asked, or did not answer. Each denies as POLICY_EVALUATION_ERROR. */
export const regoErrors = defineErrors({
  REGO_MODULE: {
    nature: "invalid",
    meaning: "A module is no WebAssembly as `opa build -t wasm` makes it, is larger than 4 MiB, or wants more memory.",
  },
  REGO_FUNCTION: {
    nature: "refused",
    meaning: "A module calls a function that its host would have to provide: the clock, the network, and such.",
    hint: "What is asked about is in `input`; `opa build` compiles all functions into the module that need nothing else.",
  },
  REGO_ENTRYPOINT: { nature: "invalid", meaning: "A module has no entrypoint of that name." },
  REGO_INPUT: { nature: "refused", meaning: "The variables of rules are too large for a module, or cannot be JSON." },
  REGO_ABORTED: { nature: "refused", meaning: "A module stopped by itself, ran out of memory, or broke its bounds." },
  REGO_ANSWER: { nature: "refused", meaning: "A module answered something other than true, false or undefined." },
});
