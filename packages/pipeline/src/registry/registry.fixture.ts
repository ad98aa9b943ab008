import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { descriptorOf, mediaTypes, serializeImageConfig, serializeManifest } from "@touchmark/formats/oci";
import { hashPassword } from "@touchmark/registry";
import { openFactory } from "../factory.ts";
import { openRegistryServer, type RegistryServer, type RegistryServerOptions } from "./registry-server.ts";

/** Password of the user `ada` in scenes. */
export const adaPassword = "correct horse battery";

/** A factory with a configured registry, in a temporary directory. Used by tests only. */
export async function registryScene(configuration: string) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-served-")));
  const factory = await openFactory({ home: join(directory, "home"), create: true });
  const path = join(factory.home.path, "registry.yaml");
  const configure = (text: string) => writeFileSync(path, `touchmark: registry/v1\n${text}`, { mode: 0o600 });
  configure(configuration);
  const open: RegistryServer[] = [];
  return {
    directory,
    factory,
    configure,
    audit: join(factory.home.paths.registry, "audit.jsonl"),
    async serve(options: Partial<RegistryServerOptions> = {}): Promise<RegistryServer> {
      const identity = () => factory.identity();
      const server = await openRegistryServer({ home: factory.home, listen: "127.0.0.1:0", identity, ...options });
      open.push(server);
      return server;
    },
    async dispose(): Promise<void> {
      for (const server of open) await server.close();
      await factory.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The lines about ada, with a fresh hash of her password. */
export async function adaLines(grants: string): Promise<string> {
  const { text } = await hashPassword(adaPassword);
  return `users:\n  ada: { password: "${text}", grants: ${grants} }\n`;
}

/** Writes a small image as an OCI layout, for clients to push. */
export function writeSampleLayout(directory: string): void {
  const layer = Buffer.alloc(1024);
  const config = serializeImageConfig({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [sha256(layer)] },
  });
  const manifest = serializeManifest({
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: descriptorOf(config, mediaTypes.config),
    layers: [descriptorOf(layer, mediaTypes.layer)],
  });
  mkdirSync(join(directory, "blobs", "sha256"), { recursive: true });
  for (const bytes of [layer, config, manifest]) {
    writeFileSync(join(directory, "blobs", "sha256", sha256(bytes).slice("sha256:".length)), bytes);
  }
  writeFileSync(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const entry = {
    ...descriptorOf(manifest, mediaTypes.manifest),
    annotations: { "org.opencontainers.image.ref.name": "sample" },
  };
  writeFileSync(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
}
