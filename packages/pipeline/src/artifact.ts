import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { Digest, TreeEntry } from "@touchmark/core";
import type { ArtifactDefinition } from "@touchmark/formats/pipeline";
import { pipelineErrors } from "./errors.ts";
import type { ArtifactFacts } from "./evidence/run-statements.ts";
import type { Factory } from "./factory.ts";

/**
 * Takes an artifact out of the output of its step and into the content store: a file as it is, a directory as
 * deterministic tar. What is hashed is what is stored.
 * @throws ARTIFACT_MISSING | ARTIFACT_KIND_MISMATCH
 */
export async function takeArtifact(
  factory: Factory,
  definition: ArtifactDefinition,
  output: Digest,
  epochSeconds: number,
): Promise<ArtifactFacts> {
  const entries = await factory.trees.entries(output);
  const { name, kind, from: step, path } = definition;
  const base = { name, kind, step, path };
  if (kind === "directory") {
    if (path !== "." && !entries.some((entry) => entry.path.startsWith(`${path}/`))) throw missing(definition, entries);
    // Taken in again by itself: the tree of the artifact may hold no link that leads out of it.
    const tree = await factory.trees.ingest(join(factory.trees.root(output), path), {
      mode: "copy",
      epoch: epochSeconds,
    });
    const { digest, size } = await factory.content.put(factory.trees.toTar(tree.digest, { epoch: epochSeconds }));
    return { ...base, digest, treeDigest: tree.digest, bytes: size };
  }
  const entry = entries.find((candidate) => candidate.path === path);
  if (entry === undefined) throw missing(definition, entries);
  if (entry.kind !== "file" && entry.kind !== "executable") {
    throw pipelineErrors.make(
      "ARTIFACT_KIND_MISMATCH",
      `artifact ${name}: expected a file at ${path}, found a ${entry.kind}`,
    );
  }
  // The expected digest makes the store refuse a file that changed since the tree was hashed.
  const { digest, size } = await factory.content.put(
    { file: join(factory.trees.root(output), path) },
    { expected: entry.digest },
  );
  return { ...base, digest, bytes: size };
}

function missing(definition: ArtifactDefinition, entries: readonly TreeEntry[]): Error {
  const some = entries.slice(0, 5).map((entry) => entry.path);
  const found = some.length === 0 ? "an empty output" : `${some.join(", ")}${entries.length > 5 ? ", …" : ""}`;
  return pipelineErrors.make(
    "ARTIFACT_MISSING",
    `artifact ${definition.name}: expected ${definition.path} in the output of step ${definition.from}, found ${found}`,
    { hint: `write it to "$TOUCHMARK_OUTPUT/${definition.path}" in step ${definition.from}` },
  );
}

/** SHA-256 of a file, streamed. */
export async function hashFile(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  return `sha256:${hash.digest("hex")}`;
}
