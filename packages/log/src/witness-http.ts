import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { NoteVerifier } from "@touchmark/formats/log";
import { logErrors } from "./errors.ts";
import { MAXIMUM_REQUEST_BYTES, type Witness } from "./witness.ts";
import type { WitnessClient } from "./witness-client.ts";

/** Witnesses over HTTP (C2SP tlog-witness). */

/** A client of the witness at a submission prefix. @throws WITNESS_UNREACHABLE when asked */
export function httpWitness(options: {
  readonly url: string;
  readonly verifier: NoteVerifier;
  readonly timeoutMs?: number;
}): WitnessClient {
  const { url, verifier, timeoutMs = 10_000 } = options;
  const address = new URL("add-checkpoint", url.endsWith("/") ? url : `${url}/`);
  return {
    verifier,
    async addCheckpoint(body) {
      try {
        const signal = AbortSignal.timeout(timeoutMs);
        const response = await fetch(address, { method: "POST", body, signal, redirect: "error" });
        let answer = "";
        for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
          answer += part;
          if (answer.length > MAXIMUM_REQUEST_BYTES) throw new Error("the answer is too long");
        }
        return { status: response.status, contentType: response.headers.get("content-type") ?? "", body: answer };
      } catch (cause) {
        throw logErrors.make("WITNESS_UNREACHABLE", `the witness ${verifier.name} did not answer: ${String(cause)}`, {
          cause,
        });
      }
    },
  };
}

/** Serves a witness: `POST /add-checkpoint` and `GET /<origin hash>/checkpoint`. The caller listens and closes. */
export function serveWitness(witness: Witness, origins: readonly string[]): Server {
  const byHash = new Map(origins.map((origin) => [createHash("sha256").update(origin).digest("hex"), origin]));
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = (status: number, contentType: string, body: string) =>
      response.writeHead(status, { "content-type": contentType, "cache-control": "no-store" }).end(body);
    const plain = "text/plain; charset=utf-8";
    try {
      const origin = byHash.get(/^\/([0-9a-f]{64})\/checkpoint$/.exec(request.url ?? "")?.[1] ?? "");
      if (request.method === "GET" && origin !== undefined) {
        const note = witness.checkpoint(origin);
        answer(note === undefined ? 404 : 200, plain, note ?? "nothing cosigned yet\n");
        return;
      }
      if (request.url !== "/add-checkpoint") answer(404, plain, "not found\n");
      else if (request.method !== "POST") answer(405, plain, "expected POST\n");
      else {
        const parts: Buffer[] = [];
        let length = 0;
        for await (const part of request as AsyncIterable<Buffer>) {
          length += part.length;
          if (length > MAXIMUM_REQUEST_BYTES) {
            answer(413, plain, "the request is too long\n");
            request.destroy();
            return;
          }
          parts.push(part);
        }
        const { status, contentType, body } = await witness.addCheckpoint(Buffer.concat(parts).toString("utf8"));
        answer(status, contentType, body);
      }
    } catch {
      // What went wrong is the operator's business; the log learns only that it has no cosignature.
      if (!response.headersSent) answer(500, plain, "the witness cannot answer\n");
    }
  };
  return createServer((request, response) => {
    void serve(request, response);
  });
}
