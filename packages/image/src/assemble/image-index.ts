import {
  type Descriptor,
  type ImageIndex,
  mediaTypes,
  type OciWriter,
  platformText,
  serializeIndex,
} from "@touchmark/formats/oci";
import { imageErrors } from "../errors.ts";
import type { AssembledImage } from "./assemble-image.ts";

/**
 * Puts an index over images for several platforms, in the order of the platforms' names.
 * @throws IMAGE_PLATFORM_MISMATCH when two are for one platform
 */
export async function assembleIndex(
  images: readonly Pick<AssembledImage, "descriptor">[],
  options: { readonly out: OciWriter; readonly tag?: string; readonly annotations?: Readonly<Record<string, string>> },
): Promise<Descriptor> {
  const named = images.map(({ descriptor }): [string, Descriptor] => {
    if (descriptor.platform === undefined) throw mismatch("a platform for every image of an index", descriptor.digest);
    return [platformText(descriptor.platform), descriptor];
  });
  named.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const [i, [platform]] of named.entries()) {
    if (named[i + 1]?.[0] === platform) throw mismatch("one image for each platform", `two for ${platform}`);
  }
  const index: ImageIndex = {
    ...{ kind: "index", mediaType: mediaTypes.index, manifests: named.map(([, descriptor]) => descriptor) },
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  };
  return options.out.putManifest(serializeIndex(index), index.mediaType, options.tag);
}

function mismatch(expected: string, found: string): Error {
  return imageErrors.make("IMAGE_PLATFORM_MISMATCH", `expected ${expected}, found ${found}`);
}
