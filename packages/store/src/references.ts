import { type Dirent, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { readBundle } from "./bundle-subjects.ts";
import type { FileContentStore } from "./content-store.ts";
import { digestsIn } from "./run-record.ts";
import { isAbsent } from "./system-failure.ts";

// A document larger than this is content rather than a list of references.
const LARGEST_DOCUMENT = 64 * 1024 * 1024;

/** What refers to what: the digests that documents mention, followed from document to document. */
export class References {
  readonly #content: FileContentStore;
  readonly #mentions = new Map<Digest, ReadonlySet<Digest>>();
  /** Bundles met, with what they are about. */
  readonly subjects = new Map<Digest, readonly Digest[]>();

  constructor(content: FileContentStore) {
    this.#content = content;
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
    const bundle = readBundle(bytes);
    if (bundle === undefined) return digestsIn(bytes.toString());
    const about = bundle.subjects.map((subject) => subject.digest);
    this.subjects.set(digest, about);
    return bundle.mentions;
  }
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
