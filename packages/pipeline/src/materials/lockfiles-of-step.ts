import { existsSync, lstatSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import { conflictsBetween, type Lockfile, lockfileNames, readLockfile } from "@touchmark/formats/lockfiles";
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
 * @throws LOCKFILE_* | MATERIALS_LOCKFILE_MISSING | MATERIALS_LOCKFILES_CONFLICT
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
    return withoutConflicts(step, found);
  }
  for (const input of inputs) {
    const root = rootOf(input.tree);
    const inside = posix.relative(input.at, directory);
    const places = new Set(["", ...(inside.startsWith("..") ? [] : [inside])]);
    for (const place of places) {
      for (const name of lockfileNames) {
        const path = posix.join(place, name);
        const file = join(root, path);
        if (isFile(file) && !isWish(file, name))
          found.push(read(file, input.from === "source" ? path : posix.join(input.from, path)));
      }
    }
  }
  return withoutConflicts(step, found);
}

/**
 * Refuses lockfiles that contradict each other: which of them a build follows would depend on its client.
 * @throws MATERIALS_LOCKFILES_CONFLICT
 */
function withoutConflicts(step: PlannedStep, found: readonly StepLockfile[]): readonly StepLockfile[] {
  // Lists of what is allowed choose no version: two of them may each know another one.
  const choosing = new Set(
    found.filter(({ format }) => !/^(?:go|gradle|touchmark)-/.test(format)).map((one) => one.path),
  );
  const conflicts = conflictsBetween(found).filter(
    ({ kind, lockfiles }) => kind === "digest" || lockfiles.every((path) => choosing.has(path)),
  );
  const [first] = conflicts;
  if (first === undefined) return found;
  const { kind, name, lockfiles, found: said } = first;
  const words = said.map((each) => (each === "" ? "nothing" : each.slice(0, 200)));
  const more = conflicts.length === 1 ? "" : ` (and ${conflicts.length - 1} more)`;
  throw pipelineErrors.make(
    "MATERIALS_LOCKFILES_CONFLICT",
    `step ${step.name}: ${lockfiles[0]} and ${lockfiles[1]} differ in the ${kind === "digest" ? "digest" : "version"} of ${name}: ${words[0]} and ${words[1]}${more}`,
  );
}

/** Lockfiles of Python that stand for a project as a whole. */
const pythonLocks: ReadonlySet<string> = new Set(["poetry.lock", "uv.lock", "pylock.toml"]);

/** True for requirements without any hash beside a lockfile: what the project asks for, and no lockfile. */
function isWish(file: string, name: string): boolean {
  const directory = dirname(file);
  if (name !== "requirements.txt" || ![...pythonLocks].some((other) => isFile(join(directory, other)))) return false;
  const bytes = besideLockfile(directory, name);
  return (
    bytes !== undefined && !includedTexts(directory, name, bytes).some((text) => /--hash|#(?:md5|sha\d+)=/.test(text))
  );
}

/** Texts of a requirements file and of those that it includes. */
function includedTexts(directory: string, name: string, bytes: Uint8Array): string[] {
  const texts = [Buffer.from(bytes).toString()];
  const companion = (path: string): Uint8Array | undefined => {
    const included = besideLockfile(directory, path);
    if (included !== undefined) texts.push(Buffer.from(included).toString());
    return included;
  };
  try {
    readLockfile(name, bytes, { companion });
  } catch (error) {
    // Most such files are no lockfile; what they include was read on the way there.
    if (!isFactoryError(error)) throw error;
  }
  return texts;
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
export function besideLockfile(directory: string, path: string): Uint8Array | undefined {
  let here = directory;
  for (const segment of path.split("/")) {
    here = join(here, segment);
    if (!existsSync(here) || lstatSync(here).isSymbolicLink()) return undefined;
  }
  return isFile(here) && lstatSync(here).size <= MAX_BYTES ? readFileSync(here) : undefined;
}
