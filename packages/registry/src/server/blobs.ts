import { readDigest } from "@touchmark/formats/oci";
import { answerEmpty, digestFields, everyAnswer, isKnownToClient, sendChunks } from "./answer.ts";
import { registryServerErrors } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { type ByteRange, requestedRange } from "./range.ts";

/** GET and HEAD of a blob, whole or a range (distribution-spec 1.1, "Pulling blobs"). */
export async function readBlob(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const digest = readDigest(reference);
  const { request, response, service } = exchange;
  const blob = await service.backend.blobs.open(repository, digest);
  if (blob === undefined) throw unknownBlob(repository, digest);
  const fields = [...digestFields(digest, false), "Accept-Ranges", "bytes", "Content-Type", "application/octet-stream"];
  if (isKnownToClient(exchange, digest)) {
    answerEmpty(exchange, 304, digestFields(digest, false));
    return;
  }
  if (request.method === "HEAD") {
    answerEmpty(exchange, 200, fields, blob.size);
    return;
  }
  const range = rangeFor(exchange, `"${digest}"`, blob.size);
  const length = range === undefined ? blob.size : range.end - range.start;
  fields.push("Content-Length", String(length));
  if (range !== undefined) fields.push("Content-Range", `bytes ${range.start}-${range.end - 1}/${blob.size}`);
  const chunks = blob.stream(range)[Symbol.asyncIterator]();
  // The first chunk comes before the header, so that what is damaged at once can be refused in words.
  const first = await chunks.next();
  response.writeHead(range === undefined ? 200 : 206, [...everyAnswer, ...fields]);
  await sendChunks(exchange, continued(first, chunks));
}

async function* continued(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let each = first; each.done !== true; each = await rest.next()) yield each.value;
  } finally {
    await rest.return?.();
  }
}

function rangeFor(exchange: Exchange, entityTag: string, size: number): ByteRange | undefined {
  const { headers } = exchange.request;
  // If-Range names what the client has; blobs never change, so anything but the same tag wants the whole.
  const condition = headers["if-range"];
  if (condition !== undefined && condition !== entityTag) return undefined;
  try {
    return requestedRange(headers.range, size);
  } catch (error) {
    exchange.response.setHeader("Content-Range", `bytes */${size}`);
    throw error;
  }
}

/** DELETE of a blob from one repository (distribution-spec 1.1, "Deleting Blobs"). */
export async function deleteBlob(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const digest = readDigest(reference);
  if (!(await exchange.service.backend.blobs.delete(repository, digest))) throw unknownBlob(repository, digest);
  answerEmpty(exchange, 202, []);
}

function unknownBlob(repository: string, digest: string): Error {
  return registryServerErrors.make("REGISTRY_BLOB_UNKNOWN", `${repository} has no blob ${digest}`);
}
