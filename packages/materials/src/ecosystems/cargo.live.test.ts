import { hostUpstreams } from "./live.fixture.ts";
import { liveFetch } from "./live-fetch.fixture.ts";

const checksum = "49f1f14873335454500d59611f1cf4a4b0f786f9ac11f4312a78e4cf2566695b";
const manifest = `[package]\nname = "live"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\nitoa = "=1.0.11"\n`;
/** As Cargo writes it, whichever registry replaces the default one: the name of its source is no address. */
const defaultRegistry = "registry+https://github.com/rust-lang/crates.io-index";
const lock = [
  "version = 3",
  `[[package]]\nname = "itoa"\nversion = "1.0.11"\nsource = "${defaultRegistry}"\nchecksum = "${checksum}"`,
  `[[package]]\nname = "live"\nversion = "0.1.0"\ndependencies = [\n "itoa",\n]\n`,
].join("\n\n");

liveFetch({
  name: "cargo fetch --locked, from Cargo.lock",
  ecosystem: "cargo",
  programs: ["cargo"],
  toolchains: ["cargo", "rustup"],
  upstreams: await hostUpstreams("cargo"),
  project: { "Cargo.toml": manifest, "Cargo.lock": lock, "src/lib.rs": "" },
  script: [
    "cargo fetch --locked",
    "cargo build --locked --offline",
    'cp -a "$HOME/.cargo/registry/cache" "$TOUCHMARK_OUTPUT/cache"',
  ].join("\n"),
});
