import { readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, Script } from "node:vm";
import type { Command } from "./command.ts";

/** Where a build on this machine leaves the `verify` command compiled beforehand; packages carry no such directory. */
export const preparedDirectory = ".prepared";

/** The program of a prepared command: a function that fills `exports`, given a way to the parts of Node. */
export type PreparedProgram = (require: (part: string) => unknown, exports: { command?: Command }) => void;

/** A prepared program, compiled anew or from what an earlier compilation left. */
export function prepareScript(directory: string, cachedData?: Buffer): Script {
  const file = join(directory, "verify.js");
  return new Script(readFileSync(file, "utf8"), {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
}

/**
 * The `verify` command as the build prepared it beside this file, for this very Node; undefined where it did not. Compiling
 * takes a third of the time that verifying a small bundle takes. What is read here is as trusted as the program itself:
 * it lies in the same directory, and nothing is ever written to it by running.
 */
export function preparedVerify(): { readonly command: Command } | undefined {
  const directory = join(import.meta.dirname, preparedDirectory);
  try {
    const script = prepareScript(directory, readFileSync(join(directory, "verify.cache")));
    if (script.cachedDataRejected === true) return undefined;
    const exports: { command?: Command } = {};
    (script.runInThisContext() as PreparedProgram)(process.getBuiltinModule, exports);
    return exports.command === undefined ? undefined : { command: exports.command };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
