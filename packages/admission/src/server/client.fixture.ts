import { request } from "node:http";
import { type RequestOptions, request as secureRequest } from "node:https";

/** What a server answered. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
}

/** Sends one request on a connection of its own. */
export function send(
  url: string,
  { body, ...options }: RequestOptions & { readonly body?: Uint8Array | string } = {},
): Promise<Reply> {
  const isJson = body === undefined ? {} : { "content-type": "application/json" };
  const headers = { ...isJson, ...(options.headers as Record<string, string>) };
  return new Promise((resolve, reject) => {
    const make = url.startsWith("https:") ? secureRequest : request;
    const sent = make(
      url,
      { agent: false, method: body === undefined ? "GET" : "POST", ...options, headers },
      (reply) => {
        const chunks: Uint8Array[] = [];
        reply.on("data", (chunk: Uint8Array) => chunks.push(chunk));
        reply.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const isObject = (reply.headers["content-type"] ?? "").startsWith("application/json");
          resolve({ status: reply.statusCode ?? 0, text, json: isObject ? JSON.parse(text) : undefined });
        });
        reply.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
