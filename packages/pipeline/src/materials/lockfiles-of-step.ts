import { existsSync, lstatSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { type Lockfile, lockfileNames, readLockfile } from "@touchmark/formats/lockfiles";
import { pipelineErrors } from "../errors.ts";
import type { ResolvedInput } from "../execute-step.ts";
import type { PlannedStep } from "../plan.ts";

/** A lockfile with the digest of its bytes. */
export interface StepLockfile extends Lockfile {
  readonly digest: Digest;
}

/** Most bytes of a lockfile. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * The lockfiles that speak for a step: those that it names, else those at the top of its inputs and in the directory
 * that it works in. They are read from the immutable trees, never from what a step has written.
 * @throws LOCKFILE_* | MATERIALS_LOCKFILE_MISSING
 */
export function lockfilesOfStep(
  step: PlannedStep,
  inputs: readonly ResolvedInput[],
  rootOf: (tree: Digest) => string,
): readonly StepLockfile[] {
  const { materials, directory } = step.definition;
  const found: StepLockfile[] = [];
  const source = inputs.find((input) => input.from === "source");
  if (materials.lockfiles !== undefined) {
    for (const path of materials.lockfiles) {
      const file = source && join(rootOf(source.tree), path);
      if (file === undefined || !isFile(file)) {
        throw pipelineErrors.make(
          "MATERIALS_LOCKFILE_MISSING",
          `step ${step.name} names the lockfile ${JSON.stringify(path)}, which the source does not hold`,
        );
      }
      found.push(read(file, path));
    }
    return found;
  }
  for (const input of inputs) {
    const root = rootOf(input.tree);
    const inside = posix.relative(input.at, directory);
    const places = new Set(["", ...(inside.startsWith("..") ? [] : [inside])]);
    for (const place of places) {
      for (const name of lockfileNames) {
        const path = posix.join(place, name);
        const file = join(root, path);
        if (isFile(file)) found.push(read(file, input.from === "source" ? path : posix.join(input.from, path)));
      }
    }
  }
  return found;
}

function isFile(path: string): boolean {
  return existsSync(path) && lstatSync(path).isFile();
}

function read(file: string, path: string): StepLockfile {
  const { size } = lstatSync(file);
  const bytes = readFileSync(file);
  if (size > MAX_BYTES) throw pipelineErrors.make("MATERIALS_LOCKFILE_MISSING", `${path} has ${size} bytes`);
  const companion = (beside: string) => besideLockfile(dirname(file), beside);
  return { ...readLockfile(path, bytes, { companion }), digest: sha256(bytes) };
}

/** A file that a lockfile's reader asks for (`go.mod`, an included requirements file); no link leads out of the tree. */
function besideLockfile(directory: string, path: string): Uint8Array | undefined {
  let here = directory;
  for (const segment of path.split("/")) {
    here = join(here, segment);
    if (!existsSync(here) || lstatSync(here).isSymbolicLink()) return undefined;
  }
  return isFile(here) && lstatSync(here).size <= MAX_BYTES ? readFileSync(here) : undefined;
}
