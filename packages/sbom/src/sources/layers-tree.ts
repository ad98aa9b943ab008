import { expandArchives } from "./archive-expansion.ts";
import { TreeCollector } from "./collector.ts";
import type { TreeLayer } from "./entry.ts";
import { EntryCollection } from "./entry-collection.ts";
import type { CollectedTree, CollectRequest, ScannedTree } from "./scanned-tree.ts";

/**
 * An image's layers, bottom first. Each is read once, as it comes: wanted files are put aside, nothing is unpacked.
 * What later layers take away or replace is not in the tree.
 */
export function openLayersTree(layers: readonly TreeLayer[]): ScannedTree {
  return { kind: "image", collect: (request) => collectLayers(layers, request) };
}

async function collectLayers(layers: readonly TreeLayer[], request: CollectRequest): Promise<CollectedTree> {
  const collector = new TreeCollector(request);
  try {
    for (const [number, { diffId, entries }] of layers.entries()) {
      const collection = new EntryCollection(collector, { layer: number, diffId, prefix: "" });
      collector.paths.layer(number);
      for await (const entry of entries()) {
        collector.entry();
        await collection.add(entry);
      }
      if (collection.isIncomplete) await collection.complete(entries());
    }
    await expandArchives(collector);
    return collector.finish(layers.map(({ diffId }) => diffId));
  } catch (error) {
    collector.abandon();
    throw error;
  }
}
