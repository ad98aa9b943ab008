import { writeSync } from "node:fs";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import { mediaTypes } from "@touchmark/formats/oci";
import { asStoreError, type Home, openContentStore, openHome } from "@touchmark/store";
import { type FileRegistryBackend, fileRegistryBackend } from "../file/file-registry.ts";

/** What a child process does until it is killed: `node scenario.ts NAME HOME`. Imported by nothing. */
const [, , name = "", path = ""] = process.argv;

/** Tells the parent what was acknowledged: whatever is printed must be true after any crash. */
function acknowledge(what: string): void {
  writeSync(1, `${what}\n`);
}

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

function manifest(word: string, references: readonly Digest[]) {
  const mediaType = mediaTypes.manifest;
  const bytes = Buffer.from(JSON.stringify({ word, references }));
  const digest = sha256(bytes);
  return { digest, mediaType, bytes, references, shown: { mediaType, digest, size: bytes.length } };
}

/** Pushes an image in the two ways in which blobs come, and moves a tag to it. */
async function push(backend: FileRegistryBackend, word: string): Promise<void> {
  const layer = sha256(`layer ${word}`);
  const id = await backend.uploads.begin("a");
  await backend.uploads.append("a", id, { offset: 0, maxBytes: 100 }, chunks("layer "));
  acknowledge(`upload ${id} ${layer}`);
  await backend.uploads.append("a", id, { offset: 6, maxBytes: 100 }, chunks(word));
  await backend.uploads.finish("a", id, layer);
  acknowledge(`blob a ${layer}`);
  const config = sha256(`config ${word}`);
  await backend.uploads.put("a", config, 100, chunks("config ", word));
  acknowledge(`blob a ${config}`);
  await backend.blobs.mount(layer, "a", "b");
  acknowledge(`blob b ${layer}`);
  const image = manifest(word, [config, layer]);
  await backend.manifests.put("a", image, { name: "latest", immutable: false });
  acknowledge(`tag latest ${image.digest}`);
}

const scenarios: Readonly<Record<string, (backend: FileRegistryBackend, home: Home) => Promise<void>>> = {
  open: async () => {},
  push: async (backend) => {
    await push(backend, "new");
  },
  again: async (backend) => {
    await push(backend, "old");
  },
  tag: async (backend) => {
    const other = manifest("other", []);
    await backend.manifests.put("a", other, { name: "v1", immutable: true });
    acknowledge(`tag v1 ${other.digest}`);
    await backend.tags.set("a", "latest", other.digest, false);
    acknowledge(`tag latest ${other.digest}`);
    await backend.tags.delete("a", "old");
    await backend.manifests.delete("b", other.digest);
  },
  // Its grace is over for everything: what is tagged stays, the rest goes.
  collect: async (backend) => {
    await backend.collect({ untagged: true, graceSeconds: 0, dryRun: false });
  },
};

try {
  const home = await openHome(path, { create: true });
  const ahead = name === "collect" ? 1e9 : 0;
  const clock = { now: () => new Date(Date.now() + ahead) };
  const backend = fileRegistryBackend({ home, content: await openContentStore(home), clock });
  await scenarios[name]?.(backend, home);
  await backend.close();
  await home.close();
  acknowledge("done");
} catch (cause) {
  const ours = asStoreError(cause, "playing a registry");
  acknowledge(`error ${isFactoryError(ours) ? ours.code : String(ours)}`);
  process.exit(3);
}
