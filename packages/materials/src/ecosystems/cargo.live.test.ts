import { test } from "vitest";
import { hostUpstreams } from "./live.fixture.ts";
import { fetchTwice, type LiveFetch, reasonAgainst } from "./live-fetch.fixture.ts";

const checksum = "49f1f14873335454500d59611f1cf4a4b0f786f9ac11f4312a78e4cf2566695b";
const manifest = `[package]\nname = "live"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\nitoa = "=1.0.11"\n`;
const live: LiveFetch = {
  ecosystem: "cargo",
  programs: ["cargo"],
  toolchains: ["cargo", "rustup"],
  upstreams: await hostUpstreams("cargo"),
  project: { "Cargo.toml": manifest, "src/lib.rs": "" },
  script: [
    "cargo generate-lockfile",
    // The lock keeps the name of the registry that the step's settings replace.
    `grep -q ${checksum} Cargo.lock`,
    "! grep -q touchmark Cargo.lock",
    "cargo fetch --locked",
    "cargo build --locked --offline",
    'cp -a "$HOME/.cargo/registry/cache" "$TOUCHMARK_OUTPUT/cache"',
  ].join("\n"),
};
const reason = reasonAgainst(live);

test.skipIf(reason !== "")(
  `E20: cargo generate-lockfile, fetch --locked and build --offline${reason}`,
  { timeout: 300_000 },
  () => fetchTwice(live),
);
