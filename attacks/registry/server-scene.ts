import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from "node:http";
import { connect } from "node:net";
import { sha256 } from "@touchmark/core";
import { descriptorOf, mediaTypes } from "@touchmark/formats/oci";
import {
  type AuditLine,
  type MemoryRegistryBackend,
  memoryRegistryBackend,
  openAuthority,
  type RegistrySettings,
  startRegistry,
} from "@touchmark/registry";
import { onTestFinished } from "vitest";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A registry of ours, and an attacker who sends exactly what it likes. */
export interface ServerScene {
  readonly backend: MemoryRegistryBackend;
  readonly audit: AuditLine[];
  readonly port: number;
  call(method: string, path: string, body?: Uint8Array | string, headers?: RequestOptions["headers"]): Promise<Reply>;
  put(reference: string, value: unknown, mediaType?: string): Promise<string>;
  /** Sends bytes as they are; answers what comes back until the connection ends. */
  raw(text: string): Promise<string>;
}

export const config = descriptorOf(Buffer.from("{}"), mediaTypes.config);
export const layer = descriptorOf(Buffer.from("layer"), mediaTypes.layer);

/** Members of a good manifest; its blobs are in the repository `victim`. */
export const good = () => ({ schemaVersion: 2, mediaType: mediaTypes.manifest as string, config, layers: [layer] });

export async function serverScene(settings: Partial<RegistrySettings> = {}): Promise<ServerScene> {
  const backend = memoryRegistryBackend();
  const audit: AuditLine[] = [];
  const registry = await startRegistry({
    ...{ backend, authority: openAuthority(), listen: { host: "127.0.0.1", port: 0 } },
    ...{ audit: (line: AuditLine) => void audit.push(line), closeSeconds: 1 },
    ...settings,
  });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(async () => {
    agent.destroy();
    await registry.close();
  });
  const port = Number(registry.address.split(":").at(-1));
  const call: ServerScene["call"] = (method, path, body, headers = {}) =>
    send({ host: "127.0.0.1", port, method, path, headers, agent }, body);
  for (const content of ["{}", "layer"])
    await call("POST", `/v2/victim/blobs/uploads/?digest=${sha256(content)}`, content);
  return {
    ...{ backend, audit, port, call },
    put: async (reference, value, mediaType = mediaTypes.manifest) => {
      const body = typeof value === "string" ? value : JSON.stringify(value);
      return codesOf(await call("PUT", `/v2/victim/manifests/${reference}`, body, { "Content-Type": mediaType }));
    },
    raw: (text) =>
      new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => socket.write(text));
        let answer = "";
        socket.on("data", (chunk) => {
          answer += chunk.toString("latin1");
        });
        socket.on("close", () => resolve(answer)).on("error", reject);
      }),
  };
}

/** Status, and our code where it is a refusal. */
export function codesOf(reply: Reply): string {
  if (reply.status < 400) return String(reply.status);
  const { errors } = JSON.parse(reply.body.toString()) as { errors: { detail: { code: string } }[] };
  return `${reply.status} ${errors[0]?.detail.code}`;
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
