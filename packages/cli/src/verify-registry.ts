import { resolve } from "node:path";
import type { Digest } from "@touchmark/core";
import { mediaTypes, parseManifest } from "@touchmark/formats/oci";
import type { FoundChain } from "@touchmark/pipeline";
import type { EvidenceSearch } from "@touchmark/registry";
import { given, type Invocation, text } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { type ImageSource, openImageSource } from "./image-source.ts";
import { printable, type Terminal } from "./terminal.ts";
import { chainJson, readInput, showChain } from "./verify-chain.ts";

/** Verifies what a registry holds under a digest, or under a tag, which is resolved once, by the evidence among its referrers. */
export async function verifyInRegistry(words: string, invocation: Invocation, terminal: Terminal): Promise<number> {
  const source = await openImageSource(words, invocation, terminal);
  try {
    const { findEvidence } = await import("@touchmark/registry");
    const search = findEvidence(source.reader, source.digest);
    const bundles: Uint8Array[] = [];
    for await (const { bytes } of search) bundles.push(bytes);
    const verify = await verifierOf(invocation, terminal);
    const found: { digest: Digest; result: FoundChain }[] = [];
    try {
      for (const digest of await artifactsOf(source)) {
        found.push({ digest, result: await verify.one(digest, bundles) });
      }
    } catch (error) {
      tellSkipped(search, bundles.length, terminal);
      throw error;
    } finally {
      await verify.close();
    }
    const resolved = source.tag === undefined ? {} : { tag: source.tag };
    if (given(invocation, "json")) {
      const [first] = found;
      if (first === undefined) throw cliErrors.make("CLI_USAGE", "expected an artifact to verify, found none");
      terminal.print(
        JSON.stringify({
          ...chainJson(first.result.chain, first.digest),
          manifest: source.digest,
          ...resolved,
          artifacts: found.map(({ digest }) => digest),
          bundles: { found: bundles.length, refused: first.result.refused.size, skipped: search.skipped.size },
          ...(search.ended() === undefined ? {} : { searchEnded: search.ended() }),
        }),
      );
      return 0;
    }
    if (source.tag !== undefined) terminal.print(`${printable(words)} is ${source.digest}`);
    for (const { digest, result } of found) showChain(result.chain, digest, terminal);
    const passedOver = found[0]?.result.refused.size ?? 0;
    if (passedOver > 0) terminal.print(`  ${terminal.style.dim(`passed over ${passedOver} bundles of others`)}`);
    tellSkipped(search, bundles.length, terminal);
    return 0;
  } finally {
    source.close();
  }
}

/** Verifies artifacts by bundles that were found. */
export interface Verifier {
  /** What is demanded, for records. */
  readonly demands: unknown;
  one(digest: Digest, bundles: readonly Uint8Array[]): Promise<FoundChain>;
  close(): Promise<void>;
}

/** By the trust root, builder and source that the options name, or all of this factory's own. */
export async function verifierOf(invocation: Invocation, terminal: Terminal): Promise<Verifier> {
  const { openFactory, verifyFound, verifyFoundHere } = await import("@touchmark/pipeline");
  const require = text(invocation, "require") === "hermetic" ? (["hermetic"] as const) : [];
  const [root, builder, uri] = ["trustRoot", "builder", "source"].map((name) => text(invocation, name));
  if (root === undefined && builder === undefined && uri === undefined) {
    const factory = await openFactory();
    const one: Verifier["one"] = (digest, bundles) => verifyFoundHere(factory, digest, bundles, { require });
    return { demands: { by: "this factory", require }, one, close: () => factory.close() };
  }
  if (root === undefined || builder === undefined || uri === undefined) {
    throw cliErrors.make("CLI_USAGE", "expected --trust-root, --builder and --source together, or none of them", {
      hint: "without them this factory's own trust root, builder and projects count",
    });
  }
  const { readTrustRoot } = await import("@touchmark/verify");
  const trustRoot = readTrustRoot(readInput(resolve(terminal.directory, root)));
  const issuer = text(invocation, "issuer");
  const policy = text(invocation, "witnessPolicy");
  const expectations = {
    ...{ builder, source: uri, require },
    ...(issuer === undefined ? {} : { issuer }),
    ...(policy === undefined
      ? {}
      : { witnessPolicy: Buffer.from(readInput(resolve(terminal.directory, policy))).toString("utf8") }),
  };
  return {
    demands: { ...expectations, require },
    one: async (artifact, bundles) => verifyFound(bundles, trustRoot, { ...expectations, artifact }),
    close: async () => {},
  };
}

/**
 * What evidence is about: the manifest of an image; of an artifact that is no image, which is a manifest around files,
 * each of the files, and all of them must be proven.
 */
export async function artifactsOf({ reader, digest }: ImageSource): Promise<readonly Digest[]> {
  const { bytes, descriptor } = await reader.manifest(digest);
  const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
  const isArtifact = manifest.kind === "manifest" && manifest.config.mediaType === mediaTypes.empty;
  const files = isArtifact ? [...new Set(manifest.layers.map((layer) => layer.digest))] : [];
  return files.length === 0 ? [digest] : files;
}

/** What was not looked at, or gave nothing. */
function tellSkipped(search: EvidenceSearch, found: number, terminal: Terminal): void {
  const counts = new Map<string, number>();
  for (const reason of search.skipped.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  if (counts.size > 0) {
    const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(", ");
    terminal.note(`  of the referrers ${found} hold a bundle; skipped: ${printable(reasons)}`);
  }
  const ended = search.ended();
  if (ended !== undefined) terminal.note(`  not every referrer was looked at: ${ended}`);
}
