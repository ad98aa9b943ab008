import { join } from "node:path";
import { sourceErrors } from "./errors.ts";
import { skeletonRepository } from "./git.ts";
import { type LocalRepository, openLocalRepository, readReference, referenceFault } from "./local-repository.ts";
import { parseLocation, type SourceLocation } from "./location.ts";
import { type GitCommit, idBytes, isObjectId, parseCommit, parseTag } from "./object.ts";
import { type ObjectPlace, ObjectReader } from "./object-reader.ts";
import { formatOf, RemoteCache, type TransportOptions } from "./remote-cache.ts";

/** A revision, looked up once. */
export interface ResolvedRevision {
  readonly uri: string;
  readonly revision: string;
  /** Full id of the commit. */
  readonly commit: string;
  /** The reference that the revision was, when it was one. */
  readonly reference?: string;
}

export interface RepositoryOptions extends TransportOptions {
  /** A path, or a file, https or ssh URL. */
  readonly location: string;
  /** Directory for caches of ours, which may be deleted at any time. */
  readonly repositoryStore: string;
  /** The commit that the revision must lead to. */
  readonly expectedCommit?: string;
}

/** Messages of commits and tags are of no use here beyond this. */
export const commitLimitBytes = 16 * 2 ** 20;

/** A repository, local or remote, seen as its objects. */
export interface Repository {
  readonly location: SourceLocation;
  /** For a local source. */
  readonly local?: LocalRepository;
  resolve(revision: string): Promise<ResolvedRevision>;
  /** Where the objects of a commit can be read, after bringing them here if they are elsewhere. */
  place(commit: string, again?: boolean): Promise<ObjectPlace>;
}

/** Opens a repository. @throws the SOURCE_LOCATION_ codes, SOURCE_TRANSPORT_REFUSED, SOURCE_NOT_A_REPOSITORY */
export function openRepository(options: RepositoryOptions): Repository {
  const location = parseLocation(options.location);
  const repository = location.kind === "local" ? openLocal(location, options) : openRemote(location, options);
  return {
    ...repository,
    resolve: async (revision) => {
      const found = await repository.resolve(revision);
      if (options.expectedCommit !== undefined && found.commit !== options.expectedCommit) {
        throw sourceErrors.make(
          "SOURCE_REVISION_MOVED",
          `expected ${JSON.stringify(revision)} to lead to ${options.expectedCommit}, found ${found.commit}`,
        );
      }
      return found;
    },
  };
}

/** Finds the commit of a revision. */
export async function resolveRevision(
  options: RepositoryOptions & { readonly revision: string },
): Promise<ResolvedRevision> {
  return openRepository(options).resolve(options.revision);
}

function openLocal(location: Extract<SourceLocation, { kind: "local" }>, options: RepositoryOptions): Repository {
  const local = openLocalRepository(location.path);
  const gitDirectory = skeletonRepository(options.repositoryStore, local.format);
  const place: ObjectPlace = { gitDirectory, objectDirectory: local.objectDirectory, format: local.format };
  return {
    location,
    local,
    place: async () => place,
    resolve: async (revision) => {
      const { name, steps } = splitRevision(revision);
      const { id, reference } = localTarget(local, name);
      const reader = new ObjectReader(place);
      try {
        let commit = await peel(reader, id);
        for (const step of steps) commit = await ancestor(reader, commit, step, revision);
        return { uri: location.uri, revision, commit, ...(reference === undefined ? {} : { reference }) };
      } finally {
        reader.close();
      }
    },
  };
}

function openRemote(location: Extract<SourceLocation, { kind: "remote" }>, options: RepositoryOptions): Repository {
  const cache = new RemoteCache(join(options.repositoryStore), location, options);
  return {
    location,
    place: async (commit) => {
      await cache.bring(commit);
      const format = formatOf(commit);
      return { gitDirectory: cache.repository(format), format };
    },
    resolve: async (revision) => {
      const { name, steps } = splitRevision(revision);
      if (steps.length > 0) {
        throw sourceErrors.make(
          "SOURCE_REVISION_INVALID",
          `expected a branch, tag or commit of a remote, found ${JSON.stringify(revision)}`,
        );
      }
      if (isObjectId(name, "sha1") || isObjectId(name, "sha256")) return { uri: location.uri, revision, commit: name };
      const found = await cache.advertised(candidates(name));
      const { id, reference } = choose(name, found);
      return { uri: location.uri, revision, commit: id, reference };
    },
  };
}

/** Splits `HEAD~2^` into its name and its steps. @throws SOURCE_REVISION_INVALID */
function splitRevision(revision: string): { name: string; steps: { kind: string; count: number }[] } {
  const match = /^([^~^]*)((?:[~^][0-9]{0,4})*)$/.exec(revision);
  const name = match?.[1] ?? "";
  const fault = match === null ? "it holds `~` or `^` in a place that has no meaning here" : referenceFault(name);
  if (fault !== undefined) {
    throw sourceErrors.make(
      "SOURCE_REVISION_INVALID",
      `expected a branch, tag, reference or commit id, found ${JSON.stringify(revision.slice(0, 120))}: ${fault}`,
    );
  }
  const steps = [...(match?.[2] ?? "").matchAll(/([~^])([0-9]*)/g)].map(([, kind = "", digits = ""]) => ({
    kind,
    count: digits === "" ? 1 : Number(digits),
  }));
  return { name, steps };
}

function candidates(name: string): string[] {
  if (name === "HEAD" || name.startsWith("refs/")) return [name];
  return [`refs/heads/${name}`, `refs/tags/${name}`];
}

function localTarget(local: LocalRepository, name: string): { id: string; reference?: string } {
  // A full id is never looked up as a name: a branch that is called like an id changes nothing.
  if (isObjectId(name, local.format)) return { id: name };
  if (!local.referencesReadable) {
    throw sourceErrors.make(
      "SOURCE_REPOSITORY_UNSUPPORTED",
      "expected a repository that keeps its references in files",
    );
  }
  const names = candidates(name);
  if (names.length > 1) names.push(`refs/remotes/${name}`);
  const found = names.flatMap((reference) => {
    const id = readReference(local, reference);
    return id === undefined ? [] : [{ name: reference, id }];
  });
  return choose(name, found);
}

function choose(name: string, found: readonly { name: string; id: string }[]): { id: string; reference: string } {
  const [first] = found;
  if (first === undefined) {
    if (/^[0-9a-f]{4,}$/i.test(name) && name.length < idBytes.sha256 * 2) {
      throw sourceErrors.make(
        "SOURCE_REVISION_ABBREVIATED",
        `expected a full commit id or a name, found ${JSON.stringify(name)}`,
      );
    }
    throw sourceErrors.make(
      "SOURCE_REVISION_UNKNOWN",
      `expected a branch, tag or commit, found no ${JSON.stringify(name)}`,
    );
  }
  if (found.some((other) => other.id !== first.id)) {
    throw sourceErrors.make(
      "SOURCE_REVISION_AMBIGUOUS",
      `expected ${JSON.stringify(name)} to lead to one commit, found ${found.map((f) => f.name).join(" and ")}`,
    );
  }
  return { id: first.id, reference: first.name };
}

async function peel(reader: ObjectReader, id: string): Promise<string> {
  let at = id;
  for (let hops = 0; hops < 10; hops++) {
    const object = await reader.read(at, commitLimitBytes).catch((error: unknown) => {
      if ((error as { code?: string }).code !== "SOURCE_OBJECT_MISSING") throw error;
      throw sourceErrors.make("SOURCE_REVISION_UNKNOWN", `expected the commit ${at}, the repository has none`, {
        cause: error,
      });
    });
    if (object.type === "commit") return at;
    if (object.type !== "tag") break;
    at = parseTag(object.bytes, reader.format).object;
  }
  throw sourceErrors.make("SOURCE_NOT_A_COMMIT", `expected ${id} to lead to a commit`);
}

/** Reads a commit and checks its form. */
export async function readCommit(reader: ObjectReader, id: string): Promise<GitCommit> {
  const object = await reader.read(id, commitLimitBytes);
  if (object.type !== "commit") {
    throw sourceErrors.make("SOURCE_NOT_A_COMMIT", `expected ${id} to be a commit, found a ${object.type}`);
  }
  return parseCommit(object.bytes, reader.format);
}

async function ancestor(
  reader: ObjectReader,
  commit: string,
  step: { kind: string; count: number },
  revision: string,
): Promise<string> {
  let at = commit;
  const unknown = () =>
    sourceErrors.make(
      "SOURCE_REVISION_UNKNOWN",
      `expected ${JSON.stringify(revision)} to have that many ancestors, it has fewer`,
    );
  if (step.kind === "^") {
    const parent = step.count === 0 ? at : (await readCommit(reader, at)).parents[step.count - 1];
    if (parent === undefined) throw unknown();
    return parent;
  }
  for (let i = 0; i < step.count; i++) {
    const parent = (await readCommit(reader, at)).parents[0];
    if (parent === undefined) throw unknown();
    at = parent;
  }
  return at;
}
