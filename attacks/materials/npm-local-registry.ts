import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { testAuthority } from "./proxy-certificates.ts";

export interface LocalServer {
  readonly origin: string;
  readonly asked: readonly string[];
  /** File with the authority that signed its certificate. */
  readonly authority: string;
  close(): Promise<void>;
}

/** A server of ours on the loopback of the host that answers what a table says, 404 for the rest. */
export async function localServer(
  scheme: "http" | "https",
  pages: (origin: string) => Readonly<Record<string, { readonly type: string; readonly body: string | Uint8Array }>>,
): Promise<LocalServer> {
  const asked: string[] = [];
  const authority = testAuthority("local");
  const directory = mkdtempSync(join(tmpdir(), "touchmark-local-"));
  const file = join(directory, "authority.pem");
  writeFileSync(file, authority.cert);
  const answer: RequestListener = (request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const page = pages(origin)[path];
    if (page === undefined) response.writeHead(404).end("not found");
    else response.writeHead(200, { "content-type": page.type }).end(page.body);
  };
  const isSecure = scheme === "https";
  const server: Server = isSecure ? createSecureServer(authority.leaf("127.0.0.1"), answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): Promise<void> => {
    server.closeAllConnections();
    rmSync(directory, { recursive: true, force: true });
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { origin, asked, authority: file, close };
}

/** A gzipped tar of small files. */
export function tarball(files: Readonly<Record<string, string>>): Buffer {
  const blocks: Buffer[] = [];
  for (const [path, text] of Object.entries(files)) {
    const head = Buffer.alloc(512);
    const bytes = Buffer.from(text);
    head.write(path, 0);
    head.write("0000755\0", 100);
    head.write("0000000\0", 108);
    head.write("0000000\0", 116);
    head.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    head.write("14524770400\0", 136);
    head.write("        0", 148);
    head.write("ustar\x0000", 257, "latin1");
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** Digest as npm writes it. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
}
