import { createHash } from "node:crypto";
import type { Digest } from "@touchmark/core";
import {
  type Descriptor,
  isForeign,
  type LayerCompression,
  layerCompression,
  type OciReader,
} from "@touchmark/formats/oci";
import { UnpackBudget } from "./budget.ts";
import { decompress } from "./decompress.ts";
import { unpackErrors } from "./errors.ts";
import type { LayerEntry, LayerFacts, LayerHeader } from "./layer-entry.ts";
import { LayerParser } from "./layer-parser.ts";
import { type UnpackLimits, unpackLimits } from "./limits.ts";
import { shown } from "./tar-field.ts";

/** How to read a layer. */
export interface ReadLayerOptions {
  readonly limits?: Partial<UnpackLimits>;
  /** Digest of the unpacked archive, by the image's configuration. Verified at the end. */
  readonly diffId?: Digest;
}

type LayerEvent = { readonly header: LayerHeader } | { readonly bytes: Buffer; readonly offset: number } | "done";

const holeBytes = 64 * 1024;

/**
 * Entries of a layer in order, with their content, in flat memory; answers what is known of the layer at its end. The
 * packed bytes are verified by the reader, the unpacked ones against `diffId` before the last step.
 * @throws every UNPACK_ code of SPEC X1 to X5; errors of the reader
 */
export async function* streamLayer(
  reader: OciReader,
  descriptor: Descriptor,
  options: ReadLayerOptions = {},
): AsyncGenerator<LayerEntry, LayerFacts> {
  const budget = new UnpackBudget({ ...unpackLimits, ...options.limits });
  const pending: LayerEvent[] = [];
  const parser = new LayerParser(budget, {
    entry: (header) => void pending.push({ header }),
    content: (bytes, offset) => void pending.push({ bytes, offset }),
    done: () => void pending.push("done"),
  });
  const layer = openLayer(reader, descriptor, budget);
  let head = 0;
  /** The next event, or undefined at the end of the layer. */
  const next = async (): Promise<LayerEvent | undefined> => {
    while (head === pending.length) {
      pending.length = 0;
      head = 0;
      const { value, done } = await layer.chunks.next();
      if (done === true) return undefined;
      parser.take(value);
    }
    return pending[head++];
  };
  try {
    for (let event = await next(); event !== undefined; event = await next()) {
      // Content that nobody read.
      if (event === "done" || !("header" in event)) continue;
      yield { ...event.header, content: contentOf(event.header, next) };
    }
    parser.end();
    const facts = { ...layer.facts(), entries: parser.entries };
    checkDiffId(facts.diffId, options.diffId);
    return facts;
  } finally {
    await layer.chunks.return(undefined);
  }
}

function contentOf(header: LayerHeader, next: () => Promise<LayerEvent | undefined>) {
  let begun = false;
  return async function* (): AsyncGenerator<Uint8Array> {
    if (begun) throw new TypeError(`content of ${header.path} is read twice`);
    begun = true;
    let at = 0;
    for (let event = await next(); event !== undefined && event !== "done"; event = await next()) {
      if ("header" in event) throw new TypeError(`content of ${header.path} is read too late`);
      yield* zeros(event.offset - at);
      yield event.bytes;
      at = event.offset + event.bytes.length;
    }
    if (header.kind === "file") yield* zeros(header.size - at);
  };
}

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= holeBytes) yield Buffer.alloc(Math.min(left, holeBytes));
}

/** A layer's archive as it unpacks, counted and hashed. */
export interface OpenLayer {
  readonly chunks: AsyncGenerator<Buffer>;
  /** Once all chunks were read. */
  facts(): { readonly diffId: Digest; readonly bytes: number };
}

/** @throws UNPACK_LAYER_TYPE | UNPACK_LAYER_FOREIGN */
export function openLayer(reader: OciReader, descriptor: Descriptor, budget: UnpackBudget): OpenLayer {
  const compression = compressionOf(descriptor);
  const count = budget.layer(descriptor.size);
  const hash = createHash("sha256");
  let bytes = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of decompress(reader.blob(descriptor), compression)) {
      count(chunk.length);
      bytes += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
  }
  return { chunks: counted(), facts: () => ({ diffId: `sha256:${hash.digest("hex")}`, bytes }) };
}

/** @throws UNPACK_DIFF_ID */
export function checkDiffId(found: Digest, expected: Digest | undefined): void {
  if (expected !== undefined && found !== expected) {
    throw unpackErrors.make("UNPACK_DIFF_ID", `expected a layer with diffID ${expected}, found ${found}`);
  }
}

/** How a layer is packed, by its media type; refuses what is no layer of this registry. @throws UNPACK_LAYER_TYPE | UNPACK_LAYER_FOREIGN */
export function compressionOf(descriptor: Descriptor): LayerCompression {
  const { mediaType } = descriptor;
  if (isForeign(descriptor)) {
    throw unpackErrors.make("UNPACK_LAYER_FOREIGN", `expected a layer with its content, found ${shown(mediaType)}`);
  }
  const compression = layerCompression(mediaType);
  if (compression === undefined) {
    throw unpackErrors.make("UNPACK_LAYER_TYPE", `expected a layer of a file system, found ${shown(mediaType)}`);
  }
  return compression;
}
