import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from "node:http";
import { sha256 } from "@touchmark/core";
import {
  descriptorOf,
  type ImageIndex,
  type ImageManifest,
  mediaTypes,
  serializeManifest,
} from "@touchmark/formats/oci";
import { onTestFinished } from "vitest";
import { type MemoryRegistryBackend, memoryRegistryBackend } from "../backends/memory.ts";
import type { AuditLine } from "./exchange.ts";
import { openAuthority } from "./open-authority.ts";
import { type RegistrySettings, type RunningRegistry, startRegistry } from "./serve.ts";

/** An answer, whole. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Headers = Readonly<Record<string, string | number>>;

/** A registry in memory, and a client that sends exactly what it is told. */
export interface RegistryScene {
  readonly registry: RunningRegistry;
  readonly backend: MemoryRegistryBackend;
  readonly audit: AuditLine[];
  readonly port: number;
  call(method: string, path: string, headers?: Headers, body?: Uint8Array | string): Promise<Reply>;
  /** Puts a blob; answers its digest. */
  blob(repository: string, content: Uint8Array | string): Promise<string>;
  /** Puts a manifest with one layer, which is put before; answers its digest and bytes. */
  image(repository: string, tag: string | undefined, more?: Partial<ImageManifest>): Promise<PushedImage>;
  manifest(repository: string, reference: string | undefined, value: ImageManifest | ImageIndex): Promise<Reply>;
}

export interface PushedImage {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly reply: Reply;
}

export async function registryScene(settings: Partial<RegistrySettings> = {}): Promise<RegistryScene> {
  const backend = (settings.backend as MemoryRegistryBackend | undefined) ?? memoryRegistryBackend();
  const audit: AuditLine[] = [];
  const registry = await startRegistry({
    authority: openAuthority(),
    listen: { host: "127.0.0.1", port: 0 },
    audit: (line) => void audit.push(line),
    closeSeconds: 1,
    ...settings,
    backend,
  });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(async () => {
    agent.destroy();
    await registry.close();
  });
  const port = Number(registry.address.split(":").at(-1));
  const call: RegistryScene["call"] = (method, path, headers = {}, body) =>
    send({ host: "127.0.0.1", port, method, path, headers, agent }, body);
  const scene: RegistryScene = {
    ...{ registry, backend, audit, port, call },
    async blob(repository, content) {
      const digest = sha256(content);
      const reply = await call("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, {}, content);
      if (reply.status !== 201) throw new Error(`${reply.status} ${reply.body.toString()}`);
      return digest;
    },
    manifest: (repository, reference, value) => {
      const bytes = serializeManifest(value);
      const path = `/v2/${repository}/manifests/${reference ?? sha256(bytes)}`;
      return call("PUT", path, { "Content-Type": value.mediaType }, bytes);
    },
    async image(repository, tag, more = {}) {
      const content = Buffer.from("layer");
      await scene.blob(repository, content);
      await scene.blob(repository, "{}");
      const value = { ...imageOf(content), ...more };
      const reply = await scene.manifest(repository, tag, value);
      const bytes = serializeManifest(value);
      return { digest: sha256(bytes), bytes, reply };
    },
  };
  return scene;
}

/** An image with one layer. */
export function imageOf(content: Uint8Array): ImageManifest {
  return {
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: descriptorOf(Buffer.from("{}"), mediaTypes.config),
    layers: [descriptorOf(content, mediaTypes.layer)],
  };
}

/** Spec's code and ours of a refusal. */
export function codesOf(reply: Reply): string {
  const { errors } = JSON.parse(reply.body.toString()) as { errors: { code: string; detail: { code: string } }[] };
  return `${reply.status} ${errors[0]?.code} ${errors[0]?.detail.code}`;
}

function send(options: RequestOptions, body: Uint8Array | string | undefined): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
