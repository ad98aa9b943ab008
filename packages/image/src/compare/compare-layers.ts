import { createHash } from "node:crypto";
import { compareTreePaths, type Digest } from "@touchmark/core";
import type { Descriptor, OciReader } from "@touchmark/formats/oci";
import { streamLayer } from "../unpack/layer.ts";
import { type Cause, sortedCauses } from "./cause.ts";
import { compareContent, MAX_CONTENT_BYTES } from "./content.ts";
import { explained, type FileDifference, type FileFacts, factsOf, fileDifference } from "./file-facts.ts";

/** A layer of one of the two images. */
export interface LayerSide {
  readonly reader: OciReader;
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** How two layers' archives differ. */
export interface ArchiveDifference {
  readonly causes: readonly Cause[];
  /** In byte order of paths; as many as were asked for. */
  readonly files: readonly FileDifference[];
  /** How many there are in all. */
  readonly count: number;
}

/** Bytes of content that are held at once, to be looked into. */
const MAX_HELD_BYTES = 48 * 1024 * 1024;

/** Compares two archives file by file. Each is read once for its facts, and once more where contents differ. */
export async function compareLayers(a: LayerSide, b: LayerSide, maxFiles: number): Promise<ArchiveDifference> {
  const known = new Map<string, FileFacts>();
  const order = createHash("sha256");
  for await (const [path, facts] of readFacts(a)) {
    known.set(path, facts);
    order.update(`${path}\0`);
  }
  const found = new FoundFiles(maxFiles);
  const otherOrder = createHash("sha256");
  for await (const [path, facts] of readFacts(b)) {
    otherOrder.update(`${path}\0`);
    found.add(fileDifference(path, known.get(path), facts));
    known.delete(path);
  }
  for (const [path, facts] of known) found.add(fileDifference(path, facts, undefined));
  const files = await lookInto(found.first(), a, b);
  const isOrder = found.onlyChanged && order.digest("hex") !== otherOrder.digest("hex");
  const causes = sortedCauses([
    ...files.flatMap((file) => file.causes),
    ...(found.count > files.length ? found.causes : []),
    ...(isOrder ? (["order"] as const) : []),
  ]);
  // The same files in the same order: what differs is how the archive was written.
  return { causes: causes.length === 0 ? ["format"] : causes, files, count: found.count };
}

/** Files that differ: the first of them by path, and how many there are. */
class FoundFiles {
  readonly causes = new Set<Cause>();
  count = 0;
  onlyChanged = true;
  readonly #most: number;
  #held: FileDifference[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add(difference: FileDifference | undefined): void {
    if (difference === undefined) return;
    this.count += 1;
    if (difference.change !== "changed") this.onlyChanged = false;
    for (const cause of difference.causes) this.causes.add(cause);
    this.#held.push(difference);
    if (this.#held.length > 2 * this.#most + 1000) this.#held = this.first();
  }

  first(): FileDifference[] {
    this.#held.sort((one, other) => compareTreePaths(one.path, other.path));
    return this.#held.slice(0, this.#most);
  }
}

/** Facts of every entry, in the order of the archive. */
async function* readFacts(side: LayerSide): AsyncGenerator<[path: string, facts: FileFacts]> {
  for await (const entry of streamLayer(side.reader, side.descriptor, { diffId: side.diffId })) {
    let digest: Digest | undefined;
    if (entry.kind === "file") {
      const hash = createHash("sha256");
      for await (const chunk of entry.content()) hash.update(chunk);
      digest = `sha256:${hash.digest("hex")}`;
    }
    yield [entry.path, factsOf(entry, digest)];
  }
}

async function lookInto(
  files: readonly FileDifference[],
  a: LayerSide,
  b: LayerSide,
): Promise<readonly FileDifference[]> {
  let left = MAX_HELD_BYTES;
  const wanted = new Set<string>();
  for (const { path, change, fields } of files) {
    const isContent = change === "changed" && fields.some(({ field }) => field === "content");
    if (isContent && left > 0 && wanted.size < 500) wanted.add(path);
  }
  if (wanted.size === 0) return files;
  const one = new Map<string, Uint8Array>();
  left = await hold(a, wanted, one, MAX_HELD_BYTES / 2);
  const other = new Map<string, Uint8Array>();
  await hold(b, new Set(one.keys()), other, left + MAX_HELD_BYTES / 2);
  return files.map((file) => {
    const [x, y] = [one.get(file.path), other.get(file.path)];
    return x === undefined || y === undefined ? file : explained(file, compareContent(x, y));
  });
}

async function hold(
  side: LayerSide,
  wanted: ReadonlySet<string>,
  held: Map<string, Uint8Array>,
  budget: number,
): Promise<number> {
  let left = budget;
  for await (const entry of streamLayer(side.reader, side.descriptor)) {
    if (!wanted.has(entry.path) || entry.size > MAX_CONTENT_BYTES || entry.size > left) continue;
    const parts: Uint8Array[] = [];
    for await (const chunk of entry.content()) parts.push(Buffer.from(chunk));
    held.set(entry.path, Buffer.concat(parts));
    left -= entry.size;
  }
  return left;
}
