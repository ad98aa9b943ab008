import { type Digest, sha256 } from "@touchmark/core";
import { parseBundle, parseStatement } from "@touchmark/formats/evidence";
import { parseManifest } from "@touchmark/formats/oci";
import { findEvidence } from "@touchmark/registry";
import { given, type Invocation } from "./command.ts";
import { openImageSource } from "./image-source.ts";
import { size } from "./output/quantity.ts";
import { printable, type Terminal } from "./terminal.ts";

/** One bundle that a registry lists, by what it says of itself. */
interface ClaimedBundle {
  readonly digest: Digest;
  readonly predicateType: string;
  readonly subjects: readonly string[];
}

/** Shows what a registry holds under a digest or tag, and what it lists beside it. Nothing of that is verified, and it says so. */
export async function showInRegistry(words: string, invocation: Invocation, terminal: Terminal): Promise<number> {
  const source = await openImageSource(words, invocation, terminal);
  try {
    const { bytes, descriptor } = await source.reader.manifest(source.digest);
    const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
    const search = findEvidence(source.reader, source.digest);
    const bundles: ClaimedBundle[] = [];
    for await (const found of search) bundles.push(claimOf(found.bytes));
    bundles.sort((a, b) => (a.predicateType < b.predicateType ? -1 : 1));
    const content = manifest.kind === "index" ? manifest.manifests : manifest.layers;
    if (given(invocation, "json")) {
      terminal.print(
        JSON.stringify(
          {
            place: source.reader.name,
            digest: source.digest,
            ...(source.tag === undefined ? {} : { tag: source.tag }),
            mediaType: descriptor.mediaType,
            artifactType: manifest.artifactType ?? null,
            annotations: manifest.annotations ?? {},
            content,
            verified: false,
            bundles,
            skipped: Object.fromEntries(search.skipped),
            searchEnded: search.ended() ?? null,
          },
          undefined,
          2,
        ),
      );
      return 0;
    }
    const { style } = terminal;
    terminal.print(`${style.bold("artifact")} ${source.digest}`);
    terminal.print(
      `  place      ${printable(source.reader.name)}${source.tag === undefined ? "" : `, tag ${source.tag}`}`,
    );
    terminal.print(`  kind       ${printable(manifest.artifactType ?? descriptor.mediaType)}`);
    for (const [key, value] of Object.entries(manifest.annotations ?? {}))
      terminal.print(`  ${style.dim(printable(`${key} ${value}`))}`);
    for (const each of content)
      terminal.print(`  content    ${each.digest}  ${size(each.size)}  ${printable(each.mediaType)}`);
    terminal.print(`  ${style.bold("evidence")}   ${bundles.length} bundles, ${style.warn("not verified here")}`);
    for (const each of bundles) terminal.print(`    ${each.digest.slice(0, 19)}…  ${printable(each.predicateType)}`);
    if (search.skipped.size > 0) terminal.print(`  skipped    ${search.skipped.size} referrers that hold no bundle`);
    const ended = search.ended();
    if (ended !== undefined) terminal.print(`  ${style.warn(`not every referrer was looked at: ${ended}`)}`);
    terminal.print(style.dim(`  to verify it: touchmark verify ${printable(words)}`));
    return 0;
  } finally {
    source.close();
  }
}

function claimOf(bytes: Uint8Array): ClaimedBundle {
  const digest = sha256(bytes);
  try {
    const { content } = parseBundle(bytes);
    if (content.kind !== "envelope") return { digest, predicateType: "signature without statement", subjects: [] };
    const { predicateType, subject } = parseStatement(content.payload);
    return { digest, predicateType, subjects: subject.slice(0, 100).map((each) => each.name ?? "") };
  } catch {
    return { digest, predicateType: "unreadable", subjects: [] };
  }
}
