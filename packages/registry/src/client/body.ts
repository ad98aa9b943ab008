import type { IncomingMessage } from "node:http";
import { type Json, parseJson } from "@touchmark/core";
import { clientErrors } from "./errors.ts";

/** Reads a small body. @throws OCI_CLIENT_TOO_LARGE | OCI_CLIENT_TRUNCATED | OCI_CLIENT_SLOW */
export async function readBody(message: IncomingMessage, maxBytes: number, what: string): Promise<Buffer> {
  const tooLarge = (found: string) => {
    message.destroy();
    return clientErrors.make("OCI_CLIENT_TOO_LARGE", `expected ${what} of at most ${maxBytes} bytes, found ${found}`);
  };
  const announced = Number(message.headers["content-length"] ?? 0);
  if (announced > maxBytes) throw tooLarge(String(announced));
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of moving(message)) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge("more");
      chunks.push(chunk);
    }
  } catch (error) {
    throw brokenOff(error, what);
  }
  return Buffer.concat(chunks);
}

/** Least that is to come in a minute of waiting: what trickles would hold us for ever. */
const LEAST_BYTES = 16 * 1024;
const LONGEST_WAIT = 60_000;

/** The chunks of a body that moves on. Only the time that is spent waiting counts. @throws OCI_CLIENT_SLOW */
export async function* moving(message: IncomingMessage): AsyncGenerator<Buffer> {
  const chunks = (message as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let waited = 0;
  let arrived = 0;
  try {
    for (;;) {
      const since = performance.now();
      const next = await chunks.next();
      if (next.done === true) return;
      waited += performance.now() - since;
      arrived += next.value.length;
      if (arrived >= LEAST_BYTES) {
        waited = 0;
        arrived = 0;
      } else if (waited > LONGEST_WAIT) {
        throw clientErrors.make("OCI_CLIENT_SLOW", `expected ${LEAST_BYTES} bytes a minute, found ${arrived}`);
      }
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

/** The error of a body that did not come to its end. */
export function brokenOff(error: unknown, what: string): Error {
  if (error instanceof Error && error.name === "FactoryError") return error;
  return clientErrors.make("OCI_CLIENT_TRUNCATED", `expected the whole of ${what}, found that the connection broke`, {
    cause: error,
  });
}

/** Lets go of a body; a short rest is read, to keep the connection. */
export function dropBody(message: IncomingMessage): void {
  if (Number(message.headers["content-length"] ?? 65_537) <= 65_536) message.resume();
  else message.destroy();
}

/** What a registry says of an error (distribution-spec 1.1, "Error codes"), in printable letters; never relied upon. */
export async function errorWords(message: IncomingMessage): Promise<{ readonly code: string; readonly words: string }> {
  try {
    const body = parseJson(await readBody(message, 65_536, "an error")) as { readonly [key: string]: Json };
    const [first] = body.errors as readonly { readonly [key: string]: Json }[];
    const text = (value: Json | undefined): string =>
      typeof value === "string" ? value.replace(/[^\x20-\x7e]/g, " ").slice(0, 200) : "";
    return { code: text(first?.code), words: [text(first?.code), text(first?.message)].filter(Boolean).join(": ") };
  } catch {
    return { code: "", words: "" };
  }
}
