import type { Digest } from "@touchmark/core";

/** A file of a fetch step's output that another step read. */
export interface UsedFile {
  /** Relative to the output. */
  readonly path: string;
  readonly digest?: Digest;
  /** The step that read it. */
  readonly step: string;
}

/** Used files by the step whose output they are. */
export type UsedFiles = Map<string, UsedFile[]>;

/** A file that a step read, as observer and trace have it. */
export interface ReadFile {
  readonly path: string;
  readonly origin: string;
  readonly digest?: Digest | undefined;
}

/** Notes which files of its inputs a step read. */
export function noteUsed(
  used: UsedFiles,
  inputs: readonly { readonly from: string; readonly at: string }[],
  step: string,
  files: readonly ReadFile[],
): void {
  // The longest place first: one input may lie within another.
  const places = [...inputs].sort((a, b) => b.at.length - a.at.length);
  for (const file of files) {
    if (file.origin !== "input") continue;
    const input = places.find(({ at }) => file.path.startsWith(`${at}/`));
    if (input === undefined) continue;
    const list = used.get(input.from) ?? [];
    const { digest } = file;
    list.push({ path: file.path.slice(input.at.length + 1), step, ...(digest === undefined ? {} : { digest }) });
    used.set(input.from, list);
  }
}

/** How many files of others a step read that have no digest: nobody can say what they were. */
export function unaccountedOf(files: readonly ReadFile[]): number {
  return files.filter(({ origin, digest }) => (origin === "input" || origin === "toolchain") && digest === undefined)
    .length;
}
