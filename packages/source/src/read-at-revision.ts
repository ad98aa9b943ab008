import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkTreePath } from "@touchmark/core";
import { sourceErrors } from "./errors.ts";
import { executableMode, fileMode, isObjectId, parseTree, treeMode } from "./object.ts";
import { ObjectReader } from "./object-reader.ts";
import type { TransportOptions } from "./remote-cache.ts";
import { openRepository, readCommit } from "./repository.ts";

/**
 * The bytes of one file of a commit. Links are not followed, filters do not act.
 *
 * @param commit full commit id: resolve a name first, so that everything is read from one revision
 * @throws SOURCE_FILE_UNKNOWN, SOURCE_TOO_LARGE, SOURCE_REVISION_INVALID, and what reading objects can throw
 */
export async function readAtRevision(
  location: string,
  commit: string,
  path: string,
  options: TransportOptions & { readonly repositoryStore?: string; readonly limitBytes?: number } = {},
): Promise<Uint8Array> {
  if (!isObjectId(commit, "sha1") && !isObjectId(commit, "sha256")) {
    throw sourceErrors.make(
      "SOURCE_REVISION_INVALID",
      `expected a full commit id, found ${JSON.stringify(commit.slice(0, 80))}`,
    );
  }
  checkTreePath(path);
  const own = options.repositoryStore === undefined ? mkdtempSync(join(tmpdir(), "touchmark-source-")) : undefined;
  const repository = openRepository({ ...options, location, repositoryStore: options.repositoryStore ?? own ?? "" });
  const reader = new ObjectReader(await repository.place(commit));
  try {
    let tree = (await readCommit(reader, commit)).tree;
    const parts = path.split("/");
    for (const [i, part] of parts.entries()) {
      const { type, bytes } = await reader.read(tree, 64 * 2 ** 20);
      if (type !== "tree") throw sourceErrors.make("SOURCE_TREE_MALFORMED", `expected a tree, found a ${type}`);
      const entry = parseTree(bytes, reader.format, parts.slice(0, i).join("/")).find((e) => e.name === part);
      const last = i === parts.length - 1;
      if (
        entry === undefined ||
        (last ? entry.mode !== fileMode && entry.mode !== executableMode : entry.mode !== treeMode)
      ) {
        throw sourceErrors.make(
          "SOURCE_FILE_UNKNOWN",
          `expected the file ${JSON.stringify(path)} in the commit ${commit}, found none`,
        );
      }
      tree = entry.id;
    }
    const { type, bytes } = await reader.read(tree, options.limitBytes ?? 2 ** 20);
    if (type !== "blob") throw sourceErrors.make("SOURCE_TREE_MALFORMED", `expected a file, found a ${type}`);
    return bytes;
  } finally {
    reader.close();
    if (own !== undefined) rmSync(own, { recursive: true, force: true });
  }
}
