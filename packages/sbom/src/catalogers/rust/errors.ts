import { defineErrors } from "@touchmark/core";

/** Error codes of reading Rust projects; each becomes a loss of the scan. */
export const rustErrors = defineErrors({
  SBOM_RUST_MANIFEST_MALFORMED: {
    nature: "invalid",
    meaning: "A Cargo.toml is too large, or no TOML of the form that Cargo reads.",
  },
  SBOM_RUST_LOCK_MISSING: {
    nature: "invalid",
    meaning: "A Cargo.toml asks for crates, and no Cargo.lock in its folder or above says which versions they get.",
    hint: "Run `cargo generate-lockfile`, or scan the built program.",
  },
});
