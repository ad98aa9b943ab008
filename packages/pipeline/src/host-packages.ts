import type { PackageFacts } from "./evidence/run-statements.ts";

/** The packages that own the files of the host that a run used. */
export function hostPackages(_paths: readonly string[]): PackageFacts {
  return { manager: "none", list: [], ownerOf: () => undefined };
}
