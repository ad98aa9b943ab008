import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { compareTreePaths, treeDigest } from "@touchmark/core";
import type { SourceDeclaration } from "@touchmark/formats/pipeline";
import { sourceErrors } from "./errors.ts";
import { checkEmpty, type ExportedTree, exportFiles, setTimes, writeFileEntry, writeLinks } from "./export-tree.ts";
import { readLfsContent } from "./lfs.ts";
import { listTree, type TreeListing } from "./listing.ts";
import { linkMode, submoduleMode } from "./object.ts";
import { ObjectReader } from "./object-reader.ts";
import { defaultSourceLimits, type SourceLimits } from "./path-rule.ts";
import type { LfsRecord, SourceRecord, SubmoduleRecord } from "./record.ts";
import { openRepository, type Repository, type RepositoryOptions, readCommit } from "./repository.ts";
import { type SignerTrust, signatureFacts } from "./signature-facts.ts";
import { parseGitmodules, submoduleLocation } from "./submodules.ts";

export interface FetchOptions extends RepositoryOptions {
  /** A branch, tag, reference or full commit id; for a local repository also `HEAD~2`. */
  readonly revision: string;
  /** Empty; is filled with the files of the commit. */
  readonly directory: string;
  /** What the pipeline file declares (`source:`). Default: neither. */
  readonly declared?: SourceDeclaration;
  readonly limits?: Partial<SourceLimits>;
  readonly signers?: SignerTrust;
}

/** Submodules in submodules, at most. */
const submoduleDepth = 5;

/**
 * Fills a directory with the files of a commit, and says what is known about them. Nothing of the repository is ever
 * executed, and nothing of the user's configuration takes part.
 *
 * @throws the SOURCE_ codes; after an error the directory may hold a part of the tree and must be thrown away
 */
export async function fetchSource(options: FetchOptions): Promise<SourceRecord> {
  checkEmpty(options.directory);
  const repository = openRepository(options);
  const resolved = await repository.resolve(options.revision);
  const place = await repository.place(resolved.commit);
  const reader = new ObjectReader(place);
  // Started early, so that it is ready when the listing is: a second process for the bulk of the bytes.
  const blobs = new ObjectReader(place, { buffered: true });
  const limits = { ...defaultSourceLimits, ...options.limits };
  try {
    const commit = await readCommit(reader, resolved.commit);
    const out: ExportedTree = {
      entries: [],
      links: new Map(),
      pointers: [],
      bytes: 0,
      seconds: commit.committer.at.getTime() / 1000,
    };
    const submodules: SubmoduleRecord[] = [];
    const listing = await listTree(reader, commit.tree, limits);
    await exportTree({ options, limits, out, submodules }, repository, reader, blobs, listing, "", 0);
    const lfs = replacePointers(options, repository, limits, out);
    writeLinks(options.directory, out.links);
    out.entries.sort((a, b) => compareTreePaths(a.path, b.path));
    setTimes(options.directory, out.entries, out.seconds);
    return {
      uri: resolved.uri,
      revision: options.revision,
      ...(resolved.reference === undefined ? {} : { reference: resolved.reference }),
      objectFormat: place.format,
      commit: resolved.commit,
      parents: commit.parents,
      tree: commit.tree,
      treeDigest: treeDigest(out.entries),
      entries: out.entries,
      bytes: out.bytes,
      author: commit.author,
      committer: commit.committer,
      committedAt: commit.committer.at,
      signature: await signatureFacts(commit, options.signers ?? {}),
      submodules,
      lfs,
      workingTree: false,
      changedFiles: [],
    };
  } finally {
    reader.close();
    blobs.close();
  }
}

interface Export {
  readonly options: FetchOptions;
  readonly limits: SourceLimits;
  readonly out: ExportedTree;
  readonly submodules: SubmoduleRecord[];
}

async function exportTree(
  whole: Export,
  repository: Repository,
  reader: ObjectReader,
  blobs: ObjectReader,
  listing: TreeListing,
  prefix: string,
  depth: number,
): Promise<void> {
  const { options, limits, out } = whole;
  const pins = listing.entries.filter((entry) => entry.mode === submoduleMode);
  const [pin] = pins;
  if (pin !== undefined && !options.declared?.submodules) {
    throw sourceErrors.make(
      "SOURCE_SUBMODULE_UNDECLARED",
      `expected no submodule, found ${JSON.stringify(prefix + pin.path)} at ${pin.id}`,
    );
  }
  const modules = listing.entries.find((entry) => entry.path.toLowerCase() === ".gitmodules");
  if (modules?.mode === linkMode)
    throw sourceErrors.make("SOURCE_SUBMODULE_UNSAFE", "expected .gitmodules to be a file, found a link");
  if (pins.length > 0 && depth >= submoduleDepth) {
    throw sourceErrors.make("SOURCE_SUBMODULE_UNSAFE", `expected submodules at most ${submoduleDepth} deep`);
  }
  const text = pins.length > 0 && modules ? (await reader.read(modules.id, 2 ** 20)).bytes.toString("utf8") : "";
  const files = listing.entries.filter((entry) => entry.mode !== submoduleMode);
  const directories = [...listing.directories, ...pins.map((entry) => entry.path)];
  await exportFiles(blobs, { ...listing, entries: files, directories }, options.directory, prefix, limits, out);
  const urls = parseGitmodules(text);
  for (const { path, id } of pins) {
    const location = submoduleLocation(urls.get(path), prefix + path, repository.location);
    await exportSubmodule(whole, location, `${prefix}${path}`, id, depth + 1);
  }
}

async function exportSubmodule(
  whole: Export,
  location: string,
  path: string,
  commit: string,
  depth: number,
): Promise<void> {
  const { repositoryStore, transport, signal } = whole.options;
  const repository = openRepository({
    location,
    repositoryStore,
    ...(transport === undefined ? {} : { transport }),
    ...(signal === undefined ? {} : { signal }),
  });
  const place = await repository.place(commit);
  const reader = new ObjectReader(place);
  const blobs = new ObjectReader(place, { buffered: true });
  try {
    const { tree } = await readCommit(reader, commit);
    const left = whole.limits.entries - whole.out.entries.length;
    const listing = await listTree(reader, tree, { ...whole.limits, entries: left });
    whole.submodules.push({ path, uri: repository.location.uri, commit, tree });
    await exportTree(whole, repository, reader, blobs, listing, `${path}/`, depth);
  } finally {
    reader.close();
    blobs.close();
  }
}

function replacePointers(
  options: FetchOptions,
  repository: Repository,
  limits: SourceLimits,
  out: ExportedTree,
): LfsRecord[] {
  const [first] = out.pointers;
  if (first !== undefined && !options.declared?.lfs) {
    throw sourceErrors.make(
      "SOURCE_LFS_UNDECLARED",
      `expected no Git LFS pointer, found ${JSON.stringify(first.path)}`,
    );
  }
  return out.pointers.map(({ path, executable, pointer }) => {
    const bytes = readLfsContent(repository.local?.common, pointer, path, limits.fileBytes);
    out.bytes += bytes.length;
    if (out.bytes > limits.totalBytes)
      throw sourceErrors.make("SOURCE_TOO_LARGE", `expected at most ${limits.totalBytes} bytes in all`);
    // The pointer's own text stands there; nothing else can, since names are unique and links come last.
    unlinkSync(join(options.directory, path));
    out.entries.push(writeFileEntry(options.directory, path, bytes, executable, out.seconds));
    return { path, digest: pointer.digest, size: pointer.size };
  });
}
