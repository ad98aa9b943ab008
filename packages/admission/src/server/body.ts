import type { IncomingMessage } from "node:http";
import { serverErrors } from "./errors.ts";

/** Refuses a body that is not announced as plain JSON. @throws ADMISSION_CONTENT_TYPE */
export function checkContentType(request: IncomingMessage): void {
  const type = request.headers["content-type"] ?? "";
  const coding = request.headers["content-encoding"] ?? "identity";
  if (!/^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(type) || coding !== "identity") {
    throw serverErrors.make(
      "ADMISSION_CONTENT_TYPE",
      `expected application/json, found ${JSON.stringify(type.slice(0, 80))}${coding === "identity" ? "" : `, ${coding.slice(0, 40)}`}`,
    );
  }
}

/**
 * The whole body of a request, bounded in bytes and in time.
 * @throws ADMISSION_TOO_LARGE | ADMISSION_BODY_BROKEN | ADMISSION_BODY_SLOW
 */
export function wholeBody(request: IncomingMessage, maxBytes: number, withinMs: number): Promise<Buffer> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      request.off("data", onChunk).off("end", onEnd).off("close", onClose);
      done();
    };
    const onChunk = (chunk: Uint8Array): void => {
      bytes += chunk.length;
      if (bytes > maxBytes) settle(() => reject(tooLarge(maxBytes)));
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onClose = (): void =>
      settle(() => reject(serverErrors.make("ADMISSION_BODY_BROKEN", "expected the whole body, the connection broke")));
    const timer = setTimeout(() => {
      const seconds = (withinMs / 1000).toFixed(1);
      settle(() => reject(serverErrors.make("ADMISSION_BODY_SLOW", `expected the whole body within ${seconds} s`)));
    }, withinMs);
    request.on("data", onChunk).on("end", onEnd).on("close", onClose);
  });
}

function tooLarge(maxBytes: number): Error {
  return serverErrors.make("ADMISSION_TOO_LARGE", `expected at most ${maxBytes} bytes`);
}
