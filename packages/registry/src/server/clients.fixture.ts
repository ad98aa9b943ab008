import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { sha256 } from "@touchmark/core";
import {
  descriptorOf,
  mediaTypes,
  serializeImageConfig,
  serializeIndex,
  serializeManifest,
} from "@touchmark/formats/oci";
import { onTestFinished } from "vitest";
import { type RegistryScene, registryScene } from "./scene.fixture.ts";

const run = promisify(execFile);

/** A registry, and clients of others with a home of their own. */
export interface ClientScene extends RegistryScene {
  /** `HOST:PORT`. */
  readonly host: string;
  readonly directory: string;
  /** Runs a client in a home of its own. */
  client(program: string | undefined, ...words: readonly string[]): Promise<string>;
}

export async function clientScene(): Promise<ClientScene> {
  const scene = await registryScene();
  const directory = mkdtempSync(join(tmpdir(), "clients-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const env = { PATH: process.env.PATH, HOME: directory, TMPDIR: directory, XDG_RUNTIME_DIR: directory };
  const client = async (program: string | undefined, ...words: readonly string[]): Promise<string> =>
    (await run(program ?? "", words, { env: { ...env, COSIGN_PASSWORD: "x" }, cwd: directory })).stdout.trim();
  return { ...scene, host: scene.registry.address, directory, client };
}

/** An OCI layout with an index of one image of two layers, tagged `v1`. */
export function layout(directory: string): { readonly path: string; readonly digest: string } {
  const path = join(directory, "layout");
  mkdirSync(join(path, "blobs/sha256"), { recursive: true });
  const put = (bytes: Uint8Array, mediaType: string) => {
    writeFileSync(join(path, "blobs", sha256(bytes).replace(":", "/")), bytes);
    return descriptorOf(bytes, mediaType);
  };
  // Two empty tar archives of different length are layers that every client takes.
  const tars = [Buffer.alloc(1024), Buffer.alloc(10_240)];
  const config = serializeImageConfig({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: tars.map((tar) => sha256(tar)) },
  });
  const image = serializeManifest({
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: put(config, mediaTypes.config),
    layers: tars.map((tar) => put(gzipSync(tar), mediaTypes.layerGzip)),
  });
  const annotations = { "org.opencontainers.image.ref.name": "v1" };
  const manifests = [{ ...put(image, mediaTypes.manifest), annotations }];
  writeFileSync(join(path, "index.json"), serializeIndex({ kind: "index", mediaType: mediaTypes.index, manifests }));
  writeFileSync(join(path, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return { path, digest: sha256(image) };
}
