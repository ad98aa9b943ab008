import type { OciReader, Platform } from "@touchmark/formats/oci";
import { readImage, streamLayer } from "@touchmark/image";
import { openLayersTree, type ScannedTree } from "@touchmark/sbom";

/** The files of an image as a tree: its layers are streamed once, bottom first, and verified as they come. */
export async function imageTree(reader: OciReader, reference: string, platform?: Platform): Promise<ScannedTree> {
  const { manifest, config } = await readImage(reader, reference, platform);
  return openLayersTree(
    manifest.layers.map((layer, i) => {
      const diffId = config.rootfs.diff_ids[i];
      // The reader of the configuration compares the numbers of layers.
      if (diffId === undefined) throw new TypeError("a layer has no diffID");
      return { diffId, entries: () => streamLayer(reader, layer, { diffId }) };
    }),
  );
}
