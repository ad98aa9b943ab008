import type { Digest } from "@touchmark/core";
import { openLayout } from "@touchmark/image";
import { copyImage } from "@touchmark/registry";
import type { Factory } from "../factory.ts";
import { openOwnRegistry } from "./own-registry.ts";

/** Writes an image of the factory's own registry as an OCI layout; its evidence goes beside it, as for any artifact. */
export async function exportOwnImage(
  factory: Factory,
  repository: string,
  digest: Digest,
  directory: string,
): Promise<void> {
  const own = await openOwnRegistry(factory);
  try {
    const to = openLayout(directory);
    await copyImage({ from: own.repository(repository), to, reference: digest, referrers: false, tag: "latest" });
  } finally {
    await own.close();
  }
}
