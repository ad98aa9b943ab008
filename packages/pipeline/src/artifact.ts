import { join } from "node:path";
import { type Digest, isFactoryError, type TreeEntry, treeDigest } from "@touchmark/core";
import type { ArtifactDefinition } from "@touchmark/formats/pipeline";
import { pipelineErrors } from "./errors.ts";
import type { ArtifactFacts } from "./evidence/run-statements.ts";
import type { Factory } from "./factory.ts";

/**
 * Takes an artifact out of the output of its step and into the content store: a file as it is, a directory as
 * deterministic tar. What is hashed is what is stored.
 * @throws ARTIFACT_MISSING | ARTIFACT_KIND_MISMATCH | ARTIFACT_CHANGED
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
    const inside = entriesBelow(entries, path);
    if (inside === undefined) {
      const entry = entries.find((candidate) => candidate.path === path);
      throw entry === undefined ? missing(definition, entries) : mismatch(definition, "directory", entry.kind);
    }
    const taken = await unchanged(factory, definition, output, async () => {
      // Taken in again by itself: the tree of the artifact may hold no link that leads out of it.
      const from = join(factory.trees.root(output), path);
      const tree = await factory.trees.ingest(from, { mode: "copy", epoch: epochSeconds });
      if (tree.digest !== treeDigest(inside)) throw pipelineErrors.make("ARTIFACT_CHANGED", "another tree");
      return {
        tree: tree.digest,
        ...(await factory.content.put(factory.trees.toTar(tree.digest, { epoch: epochSeconds }))),
      };
    });
    return { ...base, digest: taken.digest, treeDigest: taken.tree, bytes: taken.size };
  }
  const entry = entries.find((candidate) => candidate.path === path);
  if (entry === undefined) {
    throw entriesBelow(entries, path) === undefined
      ? missing(definition, entries)
      : mismatch(definition, "file", "directory");
  }
  if (entry.kind !== "file" && entry.kind !== "executable") throw mismatch(definition, "file", entry.kind);
  // The expected digest makes the store refuse a file that changed since the tree was hashed.
  const { digest, size } = await unchanged(factory, definition, output, () =>
    factory.content.put({ file: join(factory.trees.root(output), path) }, { expected: entry.digest }),
  );
  return { ...base, digest, bytes: size };
}

/** Entries below a directory, by their paths in it; undefined when there is no such directory. */
function entriesBelow(entries: readonly TreeEntry[], path: string): TreeEntry[] | undefined {
  if (path === ".") return [...entries];
  const below = entries.filter((entry) => entry.path.startsWith(`${path}/`));
  const empty = entries.some((entry) => entry.path === path && entry.kind === "directory");
  if (below.length === 0 && !empty) return undefined;
  return below.map((entry) => ({ ...entry, path: entry.path.slice(path.length + 1) }));
}

/** What the store finds altered under its hands is one thing for the reader of a run. */
async function unchanged<T>(
  factory: Factory,
  definition: ArtifactDefinition,
  output: Digest,
  take: () => Promise<T>,
): Promise<T> {
  try {
    return await take();
  } catch (cause) {
    const altered = ["ARTIFACT_CHANGED", "STORE_BLOB_MISMATCH", "STORE_TREE_CORRUPT", "STORE_TREE_CHANGED"];
    if (!isFactoryError(cause) || !altered.includes(cause.code)) throw cause;
    // Verifying sets the altered tree aside, so that no later run finds it.
    await factory.trees.verify(output).catch(() => undefined);
    const { name, from, path } = definition;
    throw pipelineErrors.make(
      "ARTIFACT_CHANGED",
      `artifact ${name}: ${path} is no longer what step ${from} left in its output`,
      { cause },
    );
  }
}

function mismatch({ name, path }: ArtifactDefinition, expected: string, found: string): Error {
  return pipelineErrors.make(
    "ARTIFACT_KIND_MISMATCH",
    `artifact ${name}: expected a ${expected} at ${path}, found a ${found}`,
  );
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
