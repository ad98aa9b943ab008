import type { Digest } from "@touchmark/core";
import { isFactoryError } from "@touchmark/core";
import { isRepositoryName, readDigest } from "@touchmark/formats/oci";
import { registryErrors } from "../errors.ts";
import { answerEmpty, type Fields, locationOf } from "./answer.ts";
import { announcedLength, bodyOf, refuseAnnounced } from "./body.ts";
import { registryServerErrors } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { parameter } from "./query.ts";
import { chunkStart } from "./range.ts";

/** POST: a new upload, a whole blob, or a mount (distribution-spec 1.1, "Pushing blobs"). */
export async function beginUpload(exchange: Exchange, repository: string): Promise<void> {
  const { query, service, caller } = exchange;
  const mount = parameter(query, "mount");
  const whole = parameter(query, "digest");
  if (mount !== undefined && (await mounted(exchange, repository, mount))) return;
  if (whole !== undefined) {
    const digest = readDigest(whole);
    const { blobBytes } = service.limits;
    refuseAnnounced(exchange.request, blobBytes);
    await service.backend.uploads.put(repository, digest, blobBytes, bodyOf(exchange));
    answerStored(exchange, repository, digest);
    return;
  }
  const now = service.clock.now().getTime();
  service.uploads.check(caller.name, now);
  const id = await service.backend.uploads.begin(repository);
  service.uploads.begin(id, caller.name, now);
  answerEmpty(exchange, 202, stateFields(exchange, repository, id, 0));
}

/** Mounts when the caller may read what it takes. Without `from`, the blob may be in this repository already. */
async function mounted(exchange: Exchange, repository: string, text: string): Promise<boolean> {
  const { query, service, caller } = exchange;
  const digest = readDigest(text);
  const from = parameter(query, "from") ?? repository;
  // What may not be read is as good as not there: an upload begins.
  if (!isRepositoryName(from) || !caller.may("pull", from)) return false;
  if (!(await service.backend.blobs.mount(digest, from, repository))) return false;
  answerStored(exchange, repository, digest);
  return true;
}

/** PATCH: a chunk. */
export async function appendUpload(exchange: Exchange, repository: string, id: string): Promise<void> {
  const received = await append(exchange, repository, id);
  answerEmpty(exchange, 202, stateFields(exchange, repository, id, received));
}

async function append(exchange: Exchange, repository: string, id: string): Promise<number> {
  const { request, service } = exchange;
  const offset = chunkStart(request.headers["content-range"], announcedLength(request));
  refuseAnnounced(request, service.limits.blobBytes);
  const options = { offset, maxBytes: service.limits.blobBytes };
  try {
    return await service.backend.uploads.append(repository, id, options, bodyOf(exchange));
  } catch (error) {
    if (isFactoryError(error)) {
      if (error.code === "REGISTRY_RANGE_INVALID") await sayState(exchange, repository, id);
      if (error.code === "REGISTRY_TOO_LARGE") service.uploads.end(id);
    }
    throw error;
  }
}

/** With a refused chunk goes where the upload stands, so that the client can go on from there. */
async function sayState(exchange: Exchange, repository: string, id: string): Promise<void> {
  const received = await exchange.service.backend.uploads.received(repository, id);
  if (received === undefined) return;
  const fields = stateFields(exchange, repository, id, received);
  for (let i = 0; i + 1 < fields.length; i += 2) exchange.response.setHeader(fields[i] ?? "", fields[i + 1] ?? "");
}

/** PUT: the last chunk, if any, and the digest of the whole. */
export async function finishUpload(exchange: Exchange, repository: string, id: string): Promise<void> {
  const { query, request, service } = exchange;
  const text = parameter(query, "digest");
  if (text === undefined) {
    throw registryServerErrors.make("REGISTRY_DIGEST_REQUIRED", "expected ?digest=DIGEST of the whole blob");
  }
  const digest = readDigest(text);
  if (announcedLength(request) !== 0) await append(exchange, repository, id);
  try {
    await service.backend.uploads.finish(repository, id, digest);
  } catch (error) {
    if (isFactoryError(error) && error.code === "REGISTRY_DIGEST_MISMATCH") service.uploads.end(id);
    throw error;
  }
  service.uploads.end(id);
  answerStored(exchange, repository, digest);
}

/** GET: where the upload stands. */
export async function showUpload(exchange: Exchange, repository: string, id: string): Promise<void> {
  const received = await exchange.service.backend.uploads.received(repository, id);
  if (received === undefined) throw unknownUpload(repository);
  answerEmpty(exchange, 204, stateFields(exchange, repository, id, received));
}

/** DELETE: nothing of it is kept. */
export async function cancelUpload(exchange: Exchange, repository: string, id: string): Promise<void> {
  const { service } = exchange;
  if (!(await service.backend.uploads.cancel(repository, id))) throw unknownUpload(repository);
  service.uploads.end(id);
  answerEmpty(exchange, 204, []);
}

function stateFields(exchange: Exchange, repository: string, id: string, received: number): Fields {
  return [
    ...locationOf(exchange, `${repository}/blobs/uploads/${id}`),
    ...["Range", `0-${Math.max(received - 1, 0)}`, "Docker-Upload-UUID", id],
  ];
}

function answerStored(exchange: Exchange, repository: string, digest: Digest): void {
  const fields = [...locationOf(exchange, `${repository}/blobs/${digest}`), "Docker-Content-Digest", digest];
  answerEmpty(exchange, 201, fields);
}

function unknownUpload(repository: string): Error {
  return registryErrors.make("REGISTRY_UPLOAD_UNKNOWN", `${repository} has no such upload`);
}
