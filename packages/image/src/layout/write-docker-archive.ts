import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { type Digest, digestHex } from "@touchmark/core";
import { type OciReader, type Platform, refuseForeign } from "@touchmark/formats/oci";
import { padding, syncDirectory, TAR_BLOCK, tarEnd, tarHeader, temporaryBeside, writeAll } from "@touchmark/store";
import { readImage } from "../assemble/image-base.ts";
import { imageErrors } from "../errors.ts";
import { UnpackBudget } from "../unpack/budget.ts";
import { checkDiffId, openLayer } from "../unpack/layer.ts";
import { unpackLimits } from "../unpack/limits.ts";
import { collect } from "./verified.ts";

/** What is written to an archive. */
export interface DockerArchiveOptions {
  readonly reader: OciReader;
  /** Tag or digest of the image. */
  readonly reference: string;
  /** Of an index, which image. */
  readonly platform?: Platform;
  /** `NAME:TAG` by which docker will know it. Default none. */
  readonly names?: readonly string[];
  /** File that is made. */
  readonly file: string;
}

const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/**
 * Writes an image as `docker save` does: its configuration as it is, its layers unpacked, each once. The same image gives
 * the same bytes. The file appears whole or not at all, and replaces none.
 * @throws IMAGE_TARGET_EXISTS | IMAGE_BASE_INVALID | IMAGE_BLOB_* | OCI_ and UNPACK_ codes for what is wrong with the image
 */
export async function writeDockerArchive(options: DockerArchiveOptions): Promise<{ readonly bytes: number }> {
  const { reader, file } = options;
  const { manifest, config } = await readImage(reader, options.reference, options.platform);
  refuseForeign(manifest);
  const temporary = temporaryBeside(file);
  const descriptor = openSync(temporary, "wx", 0o644);
  try {
    const archive = new ArchiveWriter(descriptor);
    const configName = `${digestHex(manifest.config.digest)}.json`;
    archive.file(configName, await collect(reader.blob(manifest.config), MAX_CONFIG_BYTES, "a configuration"));
    const written = new Set<Digest>();
    const layers: string[] = [];
    for (const [i, layer] of manifest.layers.entries()) {
      const diffId = config.rootfs.diff_ids[i] as Digest;
      const name = `${digestHex(diffId)}.tar`;
      layers.push(name);
      if (written.has(diffId)) continue;
      written.add(diffId);
      const open = openLayer(reader, layer, new UnpackBudget(unpackLimits));
      await archive.stream(name, open.chunks);
      checkDiffId(open.facts().diffId, diffId);
    }
    const row = { Config: configName, RepoTags: options.names ?? [], Layers: layers };
    archive.file("manifest.json", Buffer.from(JSON.stringify([row])));
    const bytes = archive.end();
    fsyncSync(descriptor);
    publish(temporary, file);
    return { bytes };
  } finally {
    closeSync(descriptor);
    rmSync(temporary, { force: true });
  }
}

/** Gives the file its name, which nobody else has. */
function publish(temporary: string, file: string): void {
  try {
    linkSync(temporary, file);
  } catch (cause) {
    if ((cause as { code?: string }).code !== "EEXIST") throw cause;
    throw imageErrors.make("IMAGE_TARGET_EXISTS", `expected nothing at ${file}, found a file`);
  }
  syncDirectory(dirname(file));
}

class ArchiveWriter {
  readonly #file: number;
  #at = 0;

  constructor(file: number) {
    this.#file = file;
  }

  file(path: string, content: Uint8Array): void {
    this.#write(header(path, content.length));
    this.#write(content);
    this.#write(padding(content.length));
  }

  /** A file whose size is known once it is written: its header comes last. */
  async stream(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const start = this.#at;
    this.#write(header(path, 0));
    let size = 0;
    for await (const chunk of chunks) {
      size += chunk.length;
      this.#write(chunk);
    }
    this.#write(padding(size));
    const final = header(path, size);
    if (final.length !== TAR_BLOCK) throw imageErrors.make("IMAGE_LAYER_TOO_LARGE", "expected layers below 8 GiB");
    writeSync(this.#file, final, 0, final.length, start);
  }

  end(): number {
    this.#write(tarEnd());
    return this.#at;
  }

  #write(bytes: Uint8Array): void {
    writeAll(this.#file, bytes);
    this.#at += bytes.length;
  }
}

function header(path: string, size: number): Buffer {
  return tarHeader({ path, kind: "file", size, mode: 0o644, mtime: 0 });
}
