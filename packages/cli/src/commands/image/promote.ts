import { openFactory, promoteImage } from "@touchmark/pipeline";
import { policiesInForce, readPolicyFiles } from "@touchmark/pipeline/policy";
import { findEvidence, isRegistryRepository } from "@touchmark/registry";
import type { VerifiedChain } from "@touchmark/verify/chain";
import { type Command, given, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { openImageSource, openImageTarget } from "../../image-source.ts";
import { registryOptions } from "../../registry-options.ts";
import { artifactsOf, verifierOf } from "../../verify-registry.ts";
import { progressLine } from "../materials/progress-line.ts";
import { showCopy } from "./copy.ts";

/** `touchmark image promote`: a copy under a decision. */
export const command: Command = {
  name: "image promote",
  summary: "copy what verifies to another repository, with a signed decision beside it",
  description:
    "The evidence among the referrers is verified as `touchmark verify` does it: by this factory's own trust, or by the trust root, builder and source that are named. The decision is signed as a SLSA verification summary, logged, and stored beside the image before the tag is set. A refusal is signed and logged too, and nothing is copied.",
  arguments: [
    { name: "from", description: "HOST/NAME:TAG, HOST/NAME@DIGEST, oci-dir:PATH[:TAG]", required: true },
    { name: "to", description: "HOST/NAME:TAG", required: true },
  ],
  options: [
    { flags: "--trust-root <file>", description: "trusted_root.json, got on another way than the image" },
    { flags: "--builder <uri>", description: "exact identity of the builder" },
    { flags: "--source <uri>", description: "exact source that it must come from" },
    { flags: "--issuer <url>", description: "exact issuer in the signers' certificates" },
    { flags: "--witness-policy <file>", description: "C2SP tlog-policy: witnesses that must have cosigned" },
    { flags: "--require <property>", description: "what the whole chain must show: hermetic", choices: ["hermetic"] },
    { flags: "--policy <file>", description: "policy or layout in place of those in force", repeatable: true },
    ...registryOptions,
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    [
      "touchmark image promote registry.example.com/ci/app:1.0 registry.example.com/prod/app:1.0",
      "built by this factory",
    ],
  ],
  async run(invocation, terminal) {
    const [from, to] = invocation.arguments;
    if (from === undefined || to === undefined) throw cliErrors.make("CLI_USAGE", "expected FROM and TO");
    const source = await openImageSource(from, invocation, terminal);
    const progress = progressLine(terminal, "copied");
    try {
      const target = await openImageTarget(to, invocation, terminal);
      try {
        const { place, tag } = target;
        const where = isRegistryRepository(place) ? `${place.registry}/${place.repository}` : ownName(place.name);
        if (tag === undefined || where === undefined) {
          throw cliErrors.make(
            "CLI_USAGE",
            `expected HOST/NAME:TAG or factory:NAME:TAG to promote to, found ${JSON.stringify(to.slice(0, 200))}`,
          );
        }
        const verifier = await verifierOf(invocation, terminal);
        const factory = await openFactory();
        try {
          const files = texts(invocation, "policy");
          const report = await promoteImage(factory, {
            policies: await policiesInForce(factory, files.length === 0 ? {} : { files: readPolicyFiles(files) }),
            ...{ from: source.reader, digest: source.digest, to: place, tag, demands: verifier.demands },
            place: where,
            onProgress: ({ done, total, bytes }) => progress.tick(done, total, bytes),
            verify: async () => {
              const bundles: Uint8Array[] = [];
              for await (const { bytes } of findEvidence(source.reader, source.digest)) bundles.push(bytes);
              const chains: VerifiedChain[] = [];
              for (const digest of await artifactsOf(source)) chains.push((await verifier.one(digest, bundles)).chain);
              return chains;
            },
          });
          progress.close();
          if (given(invocation, "json")) {
            const { copy, decision, chains } = report;
            const runs = chains.map(({ run, artifact }) => ({ run, artifact: artifact.digest }));
            terminal.print(JSON.stringify({ verdict: "accepted", ...copy, decision, verified: runs }, undefined, 2));
            return 0;
          }
          showCopy(report.copy, terminal);
          terminal.print(`  decision ${report.decision.bundle}, log entry ${report.decision.logIndex}`);
          return 0;
        } finally {
          await factory.close();
          await verifier.close();
        }
      } finally {
        target.close();
      }
    } finally {
      progress.close();
      source.close();
    }
  },
};

/** `factory:NAME` for a repository of this factory's own registry. */
function ownName(name: string): string | undefined {
  return name.startsWith("factory:") ? name : undefined;
}
