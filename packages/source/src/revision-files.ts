import { checkTreePath } from "@touchmark/core";
import { sourceErrors } from "./errors.ts";
import { executableMode, fileMode, type GitTreeEntry, parseTree, treeMode } from "./object.ts";
import { ObjectReader } from "./object-reader.ts";
import { openRepository, type RepositoryOptions, readCommit } from "./repository.ts";

/** Files of one commit, read through one process of git. */
export interface RevisionFiles {
  readonly commit: string;
  /** Names of the regular files at the top. */
  names(): Promise<readonly string[]>;
  /**
   * The bytes of a regular file; undefined when the commit has none there. Links are not followed, filters do not act.
   * @throws SOURCE_TOO_LARGE
   */
  read(path: string, options?: { readonly limitBytes?: number }): Promise<Uint8Array | undefined>;
  close(): void;
}

const treeLimitBytes = 64 * 2 ** 20;

/** Opens the files of a revision: for whoever reads several of them and not all. @throws what resolving and reading can throw */
export async function openRevisionFiles(
  options: RepositoryOptions & { readonly revision: string },
): Promise<RevisionFiles> {
  const repository = openRepository(options);
  const { commit } = await repository.resolve(options.revision);
  const reader = new ObjectReader(await repository.place(commit));
  const trees = new Map<string, readonly GitTreeEntry[]>();
  const entriesOf = async (id: string, path: string): Promise<readonly GitTreeEntry[]> => {
    const known = trees.get(id);
    if (known !== undefined) return known;
    const { type, bytes } = await reader.read(id, treeLimitBytes);
    if (type !== "tree") throw sourceErrors.make("SOURCE_TREE_MALFORMED", `expected a tree, found a ${type}`);
    const entries = parseTree(bytes, reader.format, path);
    trees.set(id, entries);
    return entries;
  };
  const isFile = ({ mode }: GitTreeEntry): boolean => mode === fileMode || mode === executableMode;
  try {
    const { tree: top } = await readCommit(reader, commit);
    return {
      commit,
      names: async () => (await entriesOf(top, "")).filter(isFile).map((entry) => entry.name),
      read: async (path, { limitBytes = 2 ** 20 } = {}) => {
        checkTreePath(path);
        const parts = path.split("/");
        let id = top;
        for (const [i, part] of parts.entries()) {
          const entry = (await entriesOf(id, parts.slice(0, i).join("/"))).find(({ name }) => name === part);
          const isLast = i === parts.length - 1;
          if (entry === undefined || !(isLast ? isFile(entry) : entry.mode === treeMode)) return undefined;
          id = entry.id;
        }
        const { type, bytes } = await reader.read(id, limitBytes);
        if (type !== "blob") throw sourceErrors.make("SOURCE_TREE_MALFORMED", `expected a file, found a ${type}`);
        return bytes;
      },
      close: () => reader.close(),
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}
