import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { RequestFacts } from "../material.ts";
import type { EvidenceGet, EvidenceQuestion } from "./evidence.ts";

/** A server that answers what it was given, by path. */
export interface TestService {
  readonly url: string;
  /** Body by path with query; a number is a bare status. */
  readonly answers: Map<string, Uint8Array | string | number>;
  readonly asked: string[];
  close(): Promise<void>;
}

/** Starts a service on loopback. */
export async function testService(): Promise<TestService> {
  const answers = new Map<string, Uint8Array | string | number>();
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const answer = answers.get(path) ?? 404;
    response.statusCode = typeof answer === "number" ? answer : 200;
    response.end(typeof answer === "number" ? "" : answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    answers,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Fetches over the real network stack, as the session's client would. */
export const plainGet: EvidenceGet = async (url) => {
  const response = await fetch(url, { redirect: "error" });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: Object.fromEntries(response.headers), bytes };
};

/** A question about bytes that lie in a file of their own. */
export function questionAbout(
  ecosystem: Ecosystem,
  url: string,
  bytes: Uint8Array | string,
  more: Partial<RequestFacts> & { readonly announced?: EvidenceQuestion["announced"]; readonly get?: EvidenceGet } = {},
): EvidenceQuestion {
  const { announced = [], get = plainGet, ...facts } = more;
  const path = join(mkdtempSync(join(tmpdir(), "tm-evidence-")), "body");
  writeFileSync(path, bytes);
  const address = new URL(url);
  return {
    facts: {
      ecosystem,
      kind: "archive",
      upstream: { name: "test", ecosystem, url: `${address.origin}/`, exclusive: [], order: 0 },
      fileName: address.pathname.split("/").at(-1) ?? "",
      immutable: true,
      ...facts,
    },
    url: address,
    announced,
    path,
    hashes: { sha256: createHash("sha256").update(bytes).digest("hex") },
    size: Buffer.byteLength(bytes),
    get,
  };
}
