import type { PredicateName, PredicateOf } from "./catalogue.ts";
import { chain, digest } from "./example-parts.ts";

type ImageName = Extract<
  PredicateName,
  "image" | "worker-images" | "tag-evaluation" | "slimming" | "verification-summary"
>;

/** One example for each kind of statement about images, as the published documents show them. */
export const imageExamples: { readonly [Name in ImageName]: PredicateOf<Name> } = {
  image: {
    ...chain,
    artifact: "app",
    digest: digest(0x71),
    format: 1,
    images: [
      {
        platform: "linux/amd64",
        manifest: digest(0x71),
        config: digest(0x72),
        base: { reference: `registry.example/base@${digest(0x73)}`, manifest: digest(0x73), layers: 1 },
        layers: [
          {
            digest: digest(0x74),
            diffId: digest(0x75),
            mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
            step: "build",
            output: digest(0xd1),
            path: "dist",
            to: "/app",
            compressor: "zlib 1.3.1 level 6",
          },
        ],
      },
    ],
    allowed: [],
  },
  "worker-images": {
    ...chain,
    images: [
      {
        reference: "factory:worker-images/base:latest",
        digest: digest(0x76),
        manifest: digest(0x76),
        platform: "linux/amd64",
        use: "step",
        users: ["build"],
        pinned: false,
        files: digest(0x77),
        vouchers: [{ by: "factory", identity: "spiffe://factory.example/builder", run: "20261120-080000-0a1b" }],
        ancestry: [{ origin: "scratch", bootstrap: true }],
        scan: "none",
        insecure: false,
      },
    ],
  },
  "tag-evaluation": {
    ...chain,
    repository: "registry.example/base/debian",
    tag: "12-slim",
    digest: digest(0x41),
    previous: digest(0x40),
    decision: "refuse",
    checks: [
      { check: "vouchers", outcome: "passed", message: "signed by release@vendor.example" },
      { check: "user", outcome: "failed", message: "linux/amd64: the user is root now, was 1000" },
      { check: "files", outcome: "not-evaluated", message: "not asked for" },
    ],
    images: [
      {
        platform: "linux/amd64",
        digest: digest(0x42),
        user: "root",
        entrypoint: ["/entry"],
        command: [],
        ports: ["8080/tcp"],
        volumes: [],
        environment: ["PATH=/usr/bin:/bin"],
        base: "",
        layers: [digest(0x46)],
        bytes: 31_457_280,
      },
    ],
    changes: ["linux/amd64: User: 1000 -> root"],
    vouchers: [{ by: "sigstore", identity: "release@vendor.example", predicate: "https://slsa.dev/provenance/v1" }],
    scan: "none",
  },
  slimming: {
    ...chain,
    platform: "linux/amd64",
    source: { name: "registry.example/app", digest: digest(0x43), layers: 2, files: 2, bytes: 4096 },
    result: { name: "registry.example/app", digest: digest(0x44), layers: 1, files: 1, bytes: 1024 },
    rules: { remove: ["usr/share/doc/**"], keep: ["usr/share/doc/*/copyright"] },
    removed: [
      {
        path: "usr/share/doc/bash/README",
        kind: "file",
        digest: digest(0x45),
        bytes: 3072,
        package: "bash",
      },
    ],
    packages: [{ name: "bash", version: "5.2.15-2", architecture: "amd64", removed: 1, kept: 70, whole: false }],
    sbom: "none",
  },
  "verification-summary": {
    verifier: { id: "spiffe://factory.example/attest" },
    timeVerified: "2026-11-20T08:10:00Z",
    resourceUri: "oci://registry.example.com/team/app:1.0",
    policy: {
      uri: "https://touchmark.dev/policies/evidence-chain/v1",
      digest: { sha256: digest(0xe8).slice("sha256:".length) },
    },
    inputAttestations: [{ digest: { sha256: digest(0xe2).slice("sha256:".length) } }],
    verificationResult: "PASSED",
    verifiedLevels: ["SLSA_BUILD_LEVEL_1", "TOUCHMARK_CHAIN"],
    slsaVersion: "1.2",
  },
};
