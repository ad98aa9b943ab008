import { isFactoryError } from "@touchmark/core";
import type { Component, SbomSubject, UnownedExecutable } from "@touchmark/formats/sbom";
import type { CollectedTree, ExecutableFile } from "../sources/scanned-tree.ts";
import type { Ownership } from "./ownership.ts";

/**
 * Executable files that no component claims, nor was found in. Undefined where it cannot be said: in a directory of
 * sources without any distribution's records, scripts belong to the project itself.
 */
export function findUnowned(
  collected: CollectedTree,
  ownership: Ownership,
  components: readonly Component[],
  subject: SbomSubject,
): readonly UnownedExecutable[] | undefined {
  if (!ownership.hasRecords && subject.kind !== "image") return undefined;
  const evidence = new Set(
    components.flatMap(({ occurrences }) => occurrences.map(({ path }) => collected.container(path))),
  );
  return collected.executables
    .filter(({ path }) => !evidence.has(path) && !ownership.isOwned(path))
    .map((file) => ({
      path: file.path,
      ...digestOf(file),
      ...(file.layer !== undefined && { layer: file.layer }),
    }));
}

/** Left out where the file can no longer be read: that it is there is worth saying all the same. */
function digestOf(file: ExecutableFile): Pick<UnownedExecutable, "digest"> {
  try {
    return { digest: file.digest() };
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return {};
  }
}
