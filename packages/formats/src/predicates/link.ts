import type { Digest } from "@touchmark/core";
import { digestHex } from "@touchmark/core";
import { type Chain, chain, type Resource, resource } from "./common.ts";
import { anyObject, list, type Of, openObject, optional, text } from "./shape.ts";

/** in-toto link v0.3: that a step was performed, from which materials; its subjects are the products. */
export const link = openObject({
  name: text({ max: 1024 }),
  command: optional(list(text({ empty: true, max: 1_048_576 }), { max: 100_000 })),
  materials: optional(list(resource)),
  byproducts: optional(anyObject),
  environment: optional(anyObject),
  touchmark_chain: optional(chain),
});
export type Link = Of<typeof link>;

/** A material or product of a step: a file, or a whole tree by its tree digest. */
export interface LinkArtifact {
  readonly name: string;
  readonly digest: Digest;
}

/** What a link states. Everything is measured by the control plane; nothing is taken from the step. */
export interface LinkContent {
  readonly chain: Chain;
  readonly step: string;
  readonly command: readonly string[];
  readonly materials: readonly LinkArtifact[];
  readonly exitCode: number;
  /** Digest and size of what the step printed. */
  readonly log?: { readonly digest: Digest; readonly bytes: number };
  /** Further facts about how the step ran, for example its sandbox tier. */
  readonly environment?: { readonly [name: string]: unknown };
}

/** Builds a link predicate. Materials keep their order; names must be unique, as the specification demands. */
export function linkPredicate(content: LinkContent): Link {
  return {
    name: content.step,
    command: content.command,
    materials: content.materials.map(artifactResource),
    byproducts: {
      "return-value": content.exitCode,
      ...(content.log === undefined
        ? {}
        : { log: { digest: { sha256: digestHex(content.log.digest) }, bytes: content.log.bytes } }),
    },
    environment: content.environment ?? {},
    touchmark_chain: content.chain,
  };
}

/** An artifact as in-toto spells it. */
export function artifactResource(
  artifact: LinkArtifact,
): Resource & { readonly name: string; readonly digest: { readonly sha256: string } } {
  return { name: artifact.name, digest: { sha256: digestHex(artifact.digest) } };
}
