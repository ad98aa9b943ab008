import { sha256 } from "@touchmark/core";
import { AwsV4Signer } from "aws4fetch";
import { registryBackendErrors } from "../errors.ts";

/** Where an S3-compatible object storage is, and how to be let in. */
export interface ObjectStorageOptions {
  /** `https://HOST[:PORT]`; buckets are addressed by path. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Milliseconds that one request may take until its answer begins. Default 60,000. */
  readonly timeoutMs?: number;
}

/** One request. */
export interface Asked {
  readonly method: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Answers that are no failure, besides success. */
  readonly allowed?: readonly number[];
}

const ATTEMPTS = 4;
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** Requests to an object storage. Every body is signed with its digest; what fails for the moment is tried again. */
export class StorageRequests {
  readonly #options: ObjectStorageOptions;
  readonly #keys = new Map<string, ArrayBuffer>();

  constructor(options: ObjectStorageOptions) {
    this.#options = options;
  }

  get bucket(): string {
    return this.#options.bucket;
  }

  /** @throws REGISTRY_BACKEND_STORAGE_REFUSED | REGISTRY_BACKEND_STORAGE_UNAVAILABLE */
  async ask(asked: Asked): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#once(asked);
      if (outcome instanceof Response) return outcome;
      if (attempt === ATTEMPTS || outcome.isFinal) throw outcome.error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100 * 2 ** attempt));
    }
  }

  async #once(asked: Asked): Promise<Response | { readonly error: Error; readonly isFinal: boolean }> {
    const { method, key = "", body } = asked;
    const { endpoint, bucket, region, credentials, timeoutMs = 60_000 } = this.#options;
    const url = new URL(`/${bucket}${key === "" ? "" : `/${key}`}`, endpoint);
    for (const [name, value] of Object.entries(asked.query ?? {})) url.searchParams.set(name, value);
    const hashed = { "x-amz-content-sha256": sha256(body ?? "").slice("sha256:".length) };
    const headers = { ...asked.headers, ...hashed };
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers,
      service: "s3",
      region,
      cache: this.#keys,
      ...credentials,
    });
    const signed = await signer.sign();
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error("the time is over")), timeoutMs);
    try {
      const response = await fetch(signed.url, {
        method,
        headers: signed.headers,
        // A redirect would take the signature along to another host.
        redirect: "error",
        signal: timeout.signal,
        ...(body === undefined ? {} : { body: Buffer.from(body.buffer as ArrayBuffer, body.byteOffset, body.length) }),
      });
      if (response.ok || asked.allowed?.includes(response.status)) return response;
      const text = (await documentOf(response)).toString();
      const isFinal = response.status < 500 && response.status !== 429;
      const error = isFinal
        ? refused(method, key, response.status, text)
        : unavailable(method, key, `status ${response.status}`);
      return { error, isFinal };
    } catch (cause) {
      return { error: unavailable(method, key, reasonOf(cause), cause), isFinal: false };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The body of an answer that is no blob, bounded. */
export async function documentOf(response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_DOCUMENT_BYTES) throw refused("GET", response.url, response.status, "a document that is too large");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export function refused(method: string, key: string, status: number, text: string): Error {
  const code = /<Code>([A-Za-z]{1,100})<\/Code>/.exec(text)?.[1] ?? "no code";
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_STORAGE_REFUSED",
    `expected the object storage to take ${method} of ${JSON.stringify(key)}, found status ${status} and ${code}`,
  );
}

function unavailable(method: string, key: string, found: string, cause?: unknown): Error {
  return registryBackendErrors.make(
    "REGISTRY_BACKEND_STORAGE_UNAVAILABLE",
    `expected the object storage to answer ${method} of ${JSON.stringify(key)}, found ${found}`,
    { cause },
  );
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "no answer";
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
