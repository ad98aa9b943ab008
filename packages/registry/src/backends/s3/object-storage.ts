import { parseList, parseTag, parseUploads, type UnfinishedParts } from "./storage-documents.ts";
import { type Asked, documentOf, type ObjectStorageOptions, refused, StorageRequests } from "./storage-requests.ts";

/** An object of a list. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** Milliseconds, by the storage's clock. */
  readonly modifiedAt: number;
}

/** The few requests of the S3 protocol that a registry needs. */
export class ObjectStorage {
  readonly #requests: StorageRequests;

  constructor(options: ObjectStorageOptions) {
    this.#requests = new StorageRequests(options);
  }

  /** Bytes of a small object with its version, or undefined. @throws REGISTRY_BACKEND_STORAGE_… */
  async get(key: string): Promise<{ readonly bytes: Buffer; readonly etag: string } | undefined> {
    const response = await this.#requests.ask({ method: "GET", key, allowed: [404] });
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    return { bytes: await documentOf(response), etag: response.headers.get("etag") ?? "" };
  }

  /** Size of an object, or undefined. */
  async size(key: string): Promise<number | undefined> {
    const response = await this.#requests.ask({ method: "HEAD", key, allowed: [404] });
    await response.body?.cancel();
    return response.status === 404 ? undefined : Number(response.headers.get("content-length"));
  }

  /** The bytes of an object, or a part of it, as they come; undefined when it is not there. `end` is exclusive. */
  async open(key: string, range?: { readonly start: number; readonly end: number }) {
    const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` };
    // 416: the object is shorter than its record says.
    const response = await this.#requests.ask({ method: "GET", key, headers, allowed: [404, 416] });
    if (response.status === 200 || response.status === 206) return response.body ?? undefined;
    await response.body?.cancel();
    return undefined;
  }

  /** Writes a small object; false when `ifAbsent` and one is there, or `ifVersion` and it is another one. */
  async put(
    key: string,
    body: Uint8Array,
    condition: { readonly ifAbsent?: boolean; readonly ifVersion?: string } = {},
  ): Promise<boolean> {
    const headers: Record<string, string> = {};
    if (condition.ifAbsent === true) headers["if-none-match"] = "*";
    if (condition.ifVersion !== undefined) headers["if-match"] = condition.ifVersion;
    // 409: another conditional write was going on; 404: what should have had a version is gone.
    const response = await this.#requests.ask({ method: "PUT", key, body, headers, allowed: [404, 409, 412] });
    await response.body?.cancel();
    if (response.status === 404 && condition.ifVersion === undefined) throw refused("PUT", key, response.status, "");
    return response.ok;
  }

  async delete(key: string): Promise<void> {
    const response = await this.#requests.ask({ method: "DELETE", key, allowed: [404] });
    await response.body?.cancel();
  }

  /** Copies an object on the server, at most 5 GiB. */
  async copy(from: string, to: string): Promise<void> {
    const headers = { "x-amz-copy-source": encodeURI(`/${this.#requests.bucket}/${from}`) };
    await this.#succeed({ method: "PUT", key: to, headers });
  }

  /** Objects below a prefix, in byte order of keys. */
  async *list(prefix: string): AsyncGenerator<ListedObject> {
    for await (const page of this.#pages(prefix)) yield* page.objects;
  }

  /** Names of what looks like directories below a prefix, which ends with a slash. */
  async *directories(prefix: string): AsyncGenerator<string> {
    for await (const page of this.#pages(prefix, { delimiter: "/" })) {
      for (const found of page.prefixes) yield found.slice(prefix.length, -1);
    }
  }

  /** True when anything lies below a prefix. */
  async some(prefix: string): Promise<boolean> {
    for await (const page of this.#pages(prefix, { "max-keys": "1" })) return page.objects.length > 0;
    return false;
  }

  /** Begins an upload in parts; it shows nothing until it is completed. */
  async beginParts(key: string): Promise<string> {
    const response = await this.#requests.ask({ method: "POST", key, query: { uploads: "" } });
    return parseTag(await documentOf(response), "UploadId");
  }

  /** Puts one part, 5 MiB or more unless it is the last; answers its tag. */
  async putPart(key: string, upload: string, number: number, body: Uint8Array): Promise<string> {
    const query = { partNumber: String(number), uploadId: upload };
    const response = await this.#requests.ask({ method: "PUT", key, query, body });
    await response.body?.cancel();
    return response.headers.get("etag") ?? "";
  }

  /** Takes a part from another object, `end` exclusive; answers its tag. */
  async copyPart(
    from: string,
    range: { readonly start: number; readonly end: number },
    key: string,
    upload: string,
    number: number,
  ): Promise<string> {
    const query = { partNumber: String(number), uploadId: upload };
    const headers = {
      "x-amz-copy-source": encodeURI(`/${this.#requests.bucket}/${from}`),
      "x-amz-copy-source-range": `bytes=${range.start}-${range.end - 1}`,
    };
    return parseTag(await this.#succeed({ method: "PUT", key, query, headers }), "ETag");
  }

  /** Makes the object of its parts, in one step. */
  async completeParts(key: string, upload: string, tags: readonly string[]): Promise<void> {
    const parts = tags.map(
      (tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escapeXml(tag)}</ETag></Part>`,
    );
    const body = Buffer.from(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
    await this.#succeed({ method: "POST", key, query: { uploadId: upload }, body });
  }

  /** Uploads in parts that nobody has completed. */
  async *parts(prefix: string): AsyncGenerator<UnfinishedParts> {
    for (let next: Readonly<Record<string, string>> | undefined = {}; next !== undefined; ) {
      const query: Record<string, string> = { uploads: "", prefix, ...next };
      const page = parseUploads(await documentOf(await this.#requests.ask({ method: "GET", query })));
      yield* page.uploads;
      next = page.next;
    }
  }

  async abortParts(key: string, upload: string): Promise<void> {
    const response = await this.#requests.ask({ method: "DELETE", key, query: { uploadId: upload }, allowed: [404] });
    await response.body?.cancel();
  }

  async *#pages(prefix: string, more: Readonly<Record<string, string>> = {}) {
    for (let token: string | undefined; ; ) {
      const query = {
        "list-type": "2",
        prefix,
        ...more,
        ...(token === undefined ? {} : { "continuation-token": token }),
      };
      const page = parseList(await documentOf(await this.#requests.ask({ method: "GET", query })));
      yield page;
      token = page.next;
      if (token === undefined) return;
    }
  }

  /** For requests whose failure may come in the body of a success. */
  async #succeed(asked: Asked): Promise<Buffer> {
    const bytes = await documentOf(await this.#requests.ask(asked));
    if (bytes.includes("<Error>")) throw refused(asked.method, asked.key ?? "", 200, bytes.toString());
    return bytes;
  }
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
