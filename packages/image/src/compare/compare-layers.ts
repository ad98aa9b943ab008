import { createHash } from "node:crypto";
import type { Digest } from "@touchmark/core";
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
  const [x, y] = [await readFacts(a), await readFacts(b)];
  const found: FileDifference[] = [];
  for (const path of new Set([...x.keys(), ...y.keys()])) {
    const difference = fileDifference(path, x.get(path), y.get(path));
    if (difference !== undefined) found.push(difference);
  }
  found.sort((one, other) => Buffer.compare(Buffer.from(one.path), Buffer.from(other.path)));
  const files = await lookInto(found.slice(0, maxFiles), a, b);
  const isOrder =
    found.every(({ change }) => change === "changed") && [...x.keys()].join("\0") !== [...y.keys()].join("\0");
  const causes = sortedCauses([
    ...files.flatMap((file) => file.causes),
    ...found.slice(maxFiles).flatMap((file) => file.causes),
    ...(isOrder ? (["order"] as const) : []),
  ]);
  // The same files in the same order: what differs is how the archive was written.
  return { causes: causes.length === 0 ? ["format"] : causes, files, count: found.length };
}

/** Facts of every entry, in the order of the archive. */
async function readFacts(side: LayerSide): Promise<Map<string, FileFacts>> {
  const facts = new Map<string, FileFacts>();
  for await (const entry of streamLayer(side.reader, side.descriptor, { diffId: side.diffId })) {
    let digest: Digest | undefined;
    if (entry.kind === "file") {
      const hash = createHash("sha256");
      for await (const chunk of entry.content()) hash.update(chunk);
      digest = `sha256:${hash.digest("hex")}`;
    }
    facts.set(entry.path, factsOf(entry, digest));
  }
  return facts;
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
