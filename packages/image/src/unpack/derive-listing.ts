import type { ImageConfig } from "@touchmark/formats/oci";
import { ImageTree } from "./image-tree.ts";
import { LayerApplier } from "./layer-applier.ts";
import type { TreePlace } from "./tree-disk.ts";
import { listTree, type TreeListing } from "./tree-listing.ts";
import { applyLayers, readForUnpacking, treeRules, type UnpackOptions, unpackPolicy } from "./unpack-image.ts";

/** A place that takes everything and keeps nothing. */
const nowhere: TreePlace = {
  directory() {},
  symlink() {},
  link() {},
  open: () => -1,
  write() {},
  close() {},
  abandon() {},
  removeFile() {},
  removeDirectory() {},
  finishDirectory() {},
};

/** What an image would unpack to, without writing anything: the same checks, the same listing. */
export async function deriveListing(
  options: Omit<UnpackOptions, "directory" | "owner">,
): Promise<{ readonly config: ImageConfig; readonly listing: TreeListing }> {
  const { image, limits } = await readForUnpacking(options);
  const tree = new ImageTree(nowhere, treeRules(options));
  await applyLayers(image, limits, options, tree, new LayerApplier(tree, nowhere, unpackPolicy(options)));
  return { config: image.config, listing: listTree(tree) };
}
