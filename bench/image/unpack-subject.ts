import { systemClock } from "@touchmark/core";
import { hostPlatform, openLayout, openRootfsStore, unpackImage } from "@touchmark/image";

/**
 * The process that is measured: `unpack-subject.ts unpack LAYOUT DIRECTORY` unpacks the image `bench` of a layout;
 * `ensure` does it into a store of unpacked images; `verify-listing`, `verify-rehash` and `derive` verify what is there.
 */
const [what = "", layout = "", directory = ""] = process.argv.slice(2);
const reader = openLayout(layout);
const platform = hostPlatform();
if (what === "unpack") await unpackImage({ reader, digest: "bench", directory });
else {
  const store = openRootfsStore({ directory, clock: systemClock });
  const { image } = await store.ensure(reader, "bench", platform);
  if (what === "derive") await store.derive(reader, image, platform);
  else if (what !== "ensure") await store.verify(image, what === "verify-rehash" ? "rehash" : "listing");
}
