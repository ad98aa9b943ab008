import { createHash } from "node:crypto";
import { UnpackBudget } from "../unpack/budget.ts";
import type { LayerHeader } from "../unpack/layer-entry.ts";
import { LayerParser } from "../unpack/layer-parser.ts";
import { unpackLimits } from "../unpack/limits.ts";
import { type FileFacts, factsOf } from "./file-facts.ts";

/** Files of a tar archive in memory; undefined when it is none. */
export function tarMembers(bytes: Uint8Array):
  | {
      readonly order: readonly string[];
      readonly facts: ReadonlyMap<string, FileFacts>;
      content(path: string): Uint8Array | undefined;
    }
  | undefined {
  if (bytes.length < 1024 || Buffer.from(bytes.subarray(257, 262)).toString("latin1") !== "ustar") return undefined;
  const order: string[] = [];
  const facts = new Map<string, FileFacts>();
  const contents = new Map<string, Buffer>();
  let current: LayerHeader | undefined;
  let parts: Buffer[] = [];
  const parser = new LayerParser(new UnpackBudget(unpackLimits), {
    entry(header) {
      current = header;
      parts = [];
    },
    content: (chunk) => void parts.push(Buffer.from(chunk)),
    done() {
      if (current === undefined) return;
      const content = Buffer.concat(parts);
      const digest = createHash("sha256").update(content).digest("hex");
      order.push(current.path);
      facts.set(current.path, factsOf(current, `sha256:${digest}`));
      if (current.kind === "file") contents.set(current.path, content);
    },
  });
  try {
    parser.take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    parser.end();
  } catch {
    // Not one that this reads: it is compared as bytes.
    return undefined;
  }
  return { order, facts, content: (path) => contents.get(path) };
}
