import { type Dirent, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { readBundle } from "./bundle-subjects.ts";
import type { FileContentStore } from "./content-store.ts";
import type { Home } from "./home.ts";
import { digestsIn } from "./run-record.ts";
import type { RunStore } from "./run-store.ts";
import { isAbsent } from "./system-failure.ts";

// A document larger than this is content rather than a list of references.
const LARGEST_DOCUMENT = 64 * 1024 * 1024;

/** What refers to what: the digests that documents mention, followed from document to document. */
export class References {
  readonly #content: FileContentStore;
  readonly #foreign: ReadonlySet<Digest>;
  readonly #mentions = new Map<Digest, ReadonlySet<Digest>>();
  /** Bundles met, with what they are about. */
  readonly subjects = new Map<Digest, readonly Digest[]>();

  /** `foreign`: content of others, the bodies of the mirror. Of it only bundles are followed. */
  constructor(content: FileContentStore, foreign: ReadonlySet<Digest> = new Set()) {
    this.#content = content;
    this.#foreign = foreign;
  }

  /** Everything that can be reached from the given digests, themselves included. */
  async closure(roots: Iterable<Digest>): Promise<Set<Digest>> {
    const reached = new Set<Digest>(roots);
    // A set grows while it is walked: what is added is visited too.
    for (const digest of reached) for (const next of await this.mentions(digest)) reached.add(next);
    return reached;
  }

  /** The digests that a stored document mentions; none for content that is no JSON. */
  async mentions(digest: Digest): Promise<ReadonlySet<Digest>> {
    const known = this.#mentions.get(digest);
    if (known !== undefined) return known;
    const found = await this.#read(digest);
    this.#mentions.set(digest, found);
    return found;
  }

  async #read(digest: Digest): Promise<ReadonlySet<Digest>> {
    if (!(await this.#content.has(digest)) || (await this.#content.size(digest)) > LARGEST_DOCUMENT) return new Set();
    // Unverified on purpose: a damaged document may still mention what ought to stay.
    const bytes = readFileSync(this.#content.path(digest));
    if (!/^\s*[{[]/.test(bytes.subarray(0, 64).toString("latin1"))) return new Set();
    const foreign = this.#foreign.has(digest);
    // An index of a registry may have many megabytes: not worth parsing to see that it is no bundle.
    if (foreign && !bytes.includes("dev.sigstore.bundle")) return new Set();
    const bundle = readBundle(bytes);
    if (bundle === undefined) return foreign ? new Set() : digestsIn(bytes.toString());
    const about = bundle.subjects.map((subject) => subject.digest);
    this.subjects.set(digest, about);
    return bundle.mentions;
  }
}

/** The bodies that records of the mirror name. Unverified on purpose: what is damaged may still name what ought to stay. */
export function mirrorBodies(home: Home): Set<Digest> {
  const found = new Set<Digest>();
  for (const path of filesBelow(join(home.paths.materials, "records"))) {
    // Quotes inside a member's text are escaped: nothing that a registry said matches.
    const text = readFileSync(path, "utf8");
    for (const match of text.matchAll(/"digest":"(sha256:[0-9a-f]{64})"/g)) found.add(match[1] as Digest);
  }
  return found;
}

/** Everything that the evidence of runs reaches, directly or through bundles. */
export async function referencedByRuns(
  stores: { readonly home: Home; readonly content: FileContentStore; readonly runs: RunStore },
  ids: readonly string[],
): Promise<ReadonlySet<Digest>> {
  const references = new References(stores.content, mirrorBodies(stores.home));
  const roots = new Set<Digest>();
  for (const id of ids) {
    for (const path of filesBelow(stores.runs.directory(id))) {
      if (!path.endsWith("run.json")) continue;
      // The text, not the parsed record: also what this version does not understand counts.
      for (const digest of digestsIn(readFileSync(path, "utf8"))) roots.add(digest);
    }
  }
  return references.closure(roots);
}

/** Every digest that files below a directory mention, for directories of small documents. */
export function digestsBelow(directory: string): Set<Digest> {
  const found = new Set<Digest>();
  for (const path of filesBelow(directory)) {
    if (lstatSync(path).size > LARGEST_DOCUMENT) continue;
    for (const digest of digestsIn(readFileSync(path, "utf8"))) found.add(digest);
  }
  return found;
}

/** Plain files below a directory, sorted, links not followed. Absence is emptiness. */
export function filesBelow(directory: string): string[] {
  const found: string[] = [];
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (cause) {
    if (isAbsent(cause)) return found;
    throw cause;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) found.push(...filesBelow(path));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}
