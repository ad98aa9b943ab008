import { realpathSync } from "node:fs";
import { basename, resolve } from "node:path";
import { ArchiveExpansion, expandArchives, unpacked } from "./archive-expansion.ts";
import { ByteStream } from "./byte-stream.ts";
import { TreeCollector } from "./collector.ts";
import type { StoredContent } from "./content.ts";
import { statOfSource } from "./directory-tree.ts";
import { sourceErrors } from "./errors.ts";
import { type ArchiveKind, archiveByContent, archiveByName, headLength, isProgram } from "./interest.ts";
import type { CollectedTree, CollectRequest, ScannedTree } from "./scanned-tree.ts";

/**
 * One file of this machine: a lockfile, a program, a package. Zip and tar archives are the tree that they hold, unless
 * a cataloger reads them as they are (a jar).
 */
export function openFileTree(path: string): ScannedTree {
  return { kind: "file", collect: (request) => collectFile(resolve(path), path, request) };
}

async function collectFile(host: string, shown: string, request: CollectRequest): Promise<CollectedTree> {
  const stat = statOfSource(host, shown);
  if (!stat.isFile()) {
    throw sourceErrors.make("SBOM_SOURCE_KIND", `expected a file at ${shown}, found another kind of thing`);
  }
  const collector = new TreeCollector(request);
  try {
    const name = basename(host);
    const { size } = stat;
    // The one link that is followed is the one that was asked for.
    const content = collector.disk.content(realpathSync(host), shown, size);
    const head = content.read(0, Math.min(size, headLength));
    const mode = stat.mode & 0o7777;
    const facts = { path: name, name, size, mode, head };
    const interest = collector.interest(facts);
    const archive = await archiveKind(name, content);
    if (archive !== undefined && interest.claims.length === 0) {
      await new ArchiveExpansion(collector).expand(name, content, archive, { layer: 0, prefix: "" });
    } else {
      collector.paths.file(name, 0);
      collector.keep(facts, { ...interest, archive: undefined, program: isProgram(head, 0o755) }, 0, content);
    }
    await expandArchives(collector);
    return collector.finish([]);
  } catch (error) {
    collector.abandon();
    throw error;
  }
}

/** What a file is by its content, else by its name. Compressed files that hold no tar archive are no archives. */
async function archiveKind(name: string, content: StoredContent): Promise<ArchiveKind | undefined> {
  const found = archiveByContent(content.read(0, 262));
  const named = archiveByName(name);
  if (named !== undefined || (found !== "tar+gzip" && found !== "tar+zstd")) return found ?? named;
  const stream = new ByteStream(unpacked(content, found));
  try {
    return archiveByContent(await stream.take(262)) === "tar" ? found : undefined;
  } catch {
    return undefined; // Damaged compression under another name: a file like any other.
  } finally {
    await stream.end();
  }
}
