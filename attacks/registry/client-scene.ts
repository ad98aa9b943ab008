import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Descriptor,
  descriptorOf,
  emptyContent,
  emptyDescriptor,
  mediaTypes,
  serializeManifest,
} from "@touchmark/formats/oci";
import {
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  type RegistryClientOptions,
  type RegistryRepository,
  registryHandler,
} from "@touchmark/registry";
import { afterEach } from "vitest";

/** A registry in the attacker's hands: it does what the script says, and is honest about all else. */
export interface HostileRegistry {
  readonly host: string;
  readonly requests: IncomingMessage[];
  script: (request: IncomingMessage, response: ServerResponse, path: string) => boolean;
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A server of this process on this host. */
export async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function hostileRegistry(): Promise<HostileRegistry> {
  const honest = registryHandler({ backend: memoryRegistryBackend(), authority: openAuthority() });
  const registry = { host: "", requests: [] as IncomingMessage[], script: (() => false) as HostileRegistry["script"] };
  registry.host = await listening((request, response) => {
    registry.requests.push(request);
    if (!registry.script(request, response, request.url ?? "")) honest(request, response);
  });
  return registry;
}

/** A repository as our client sees it, without credentials of this machine, and with little patience. */
export const victim = (host: string, options: RegistryClientOptions = {}): RegistryRepository =>
  openRegistryClient({
    environment: {},
    credentials: async () => undefined,
    ...options,
    patience: { attempts: 2, pauseMs: 1 },
  }).repository({ registry: host, repository: "team/app" });

/** What a client does that looks at nothing. */
export const naive = async (host: string, path: string): Promise<Buffer> =>
  Buffer.from(await (await fetch(`http://${host}/v2/team/app/${path}`)).arrayBuffer());

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Puts an artifact with one layer. */
export async function putArtifact(
  to: RegistryRepository,
  options: {
    readonly tag?: string;
    readonly subject?: Descriptor;
    readonly type?: string;
    readonly content?: Uint8Array;
  } = {},
): Promise<{ readonly manifest: Descriptor; readonly layer: Descriptor }> {
  const type = options.type ?? "application/vnd.example.app";
  const content = options.content ?? randomBytes(1000);
  const layer = descriptorOf(content, type);
  await to.putBlob(emptyDescriptor, () => whole(emptyContent));
  await to.putBlob(layer, () => whole(content));
  const bytes = serializeManifest({
    ...{
      kind: "manifest",
      mediaType: mediaTypes.manifest,
      artifactType: type,
      config: emptyDescriptor,
      layers: [layer],
    },
    ...(options.subject === undefined ? {} : { subject: options.subject }),
  });
  return { manifest: await to.putManifest(bytes, mediaTypes.manifest, options.tag), layer };
}

/** All of a stream. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The code with which something was refused; `accepted` when it was not. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
