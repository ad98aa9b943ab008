// Unpacks an image whose second layer never ends, until it is killed: DIRECTORY, MANIFEST and CONFIG and LAYER in base64.

import { systemClock } from "@touchmark/core";
import { descriptorOf, mediaTypes, type OciReader } from "@touchmark/formats/oci";
import { openRootfsStore } from "./rootfs-store.ts";

const [directory = "", ...encoded] = process.argv.slice(2);
const [manifest, config, layer] = encoded.map((text) => Buffer.from(text, "base64")) as [Buffer, Buffer, Buffer];
const descriptor = descriptorOf(manifest, mediaTypes.manifest);

const reader: OciReader = {
  name: "test:",
  manifest: async () => ({ bytes: manifest, descriptor }),
  async *blob({ mediaType }) {
    if (mediaType === mediaTypes.config) {
      yield config;
      return;
    }
    yield layer.subarray(0, 1024);
    process.stdout.write("writing\n");
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  },
  async *referrers() {},
};

await openRootfsStore({ directory, clock: systemClock }).ensure(reader, descriptor.digest, {
  os: "linux",
  architecture: "amd64",
});
