import { setTimeout as sleep } from "node:timers/promises";
import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import { type Descriptor, manifestKind, ociErrors, parseManifest } from "@touchmark/formats/oci";
import { dropBody } from "./body.ts";
import { clientErrors, transferErrors } from "./errors.ts";
import { fallbackOrTag, mismatch, type Place, unexpected } from "./pull.ts";
import type { Followed } from "./redirects.ts";
import { mayPass } from "./session.ts";
import type { ClientPatience } from "./settings.ts";

/** True when the repository has the blob; a size that is told must be right. @throws OCI_CLIENT_… */
export async function hasBlob({ session, repository }: Place, digest: Digest): Promise<boolean> {
  const path = `/v2/${repository}/blobs/${digest}`;
  const answer = await session.ask({ method: "HEAD", path, repository, scopes: ["pull"] });
  dropBody(answer.message);
  if (answer.status === 200) return true;
  if (answer.status === 404) return false;
  throw unexpected(session, answer.status, "a blob's head");
}

/** Shows a blob of another repository of the same registry in this one; false when the registry wants it sent instead. */
export async function mountBlob({ session, repository }: Place, digest: Digest, from: string): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from });
  const answer = await session.ask({
    method: "POST",
    path: `/v2/${repository}/blobs/uploads/?${query.toString()}`,
    repository,
    scopes: ["pull", "push"],
    alsoPull: from,
  });
  dropBody(answer.message);
  if (answer.status === 201) return true;
  if (answer.status !== 202) return false;
  // An upload was opened instead; nobody wants it, and who cannot cancel forgets it in time.
  const location = uploadLocation(answer, await session.origin());
  await session
    .ask({ method: "DELETE", path: location, repository, scopes: ["pull", "push"], once: true })
    .then(({ message }) => dropBody(message))
    .catch(() => {});
  return false;
}

/** Bytes that were taken from the source so far, by which a broken transfer is told from one that never began. */
type Sent = (bytes: number) => void;

/**
 * Sends a blob in one request; when the connection breaks, asks how far it came, and sends the rest. A registry that
 * forgot it gets the whole again. @throws OCI_CLIENT_… | OCI_TRANSFER_SOURCE_CHANGED; SPEC C9
 */
export async function pushBlob(
  place: Place,
  descriptor: Pick<Descriptor, "digest" | "size">,
  open: () => AsyncIterable<Uint8Array>,
  patience: ClientPatience,
  options: { readonly pause: (ms: number) => Promise<void>; readonly onSent: Sent },
): Promise<void> {
  let location: URL | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      location ??= await beginUpload(place);
      const offset = attempt === 1 ? 0 : await received(place, location, descriptor.size);
      if (offset === undefined) location = await beginUpload(place);
      else if (offset > 0) location = await sendRest(place, descriptor, open, location, offset, options.onSent);
      const whole = offset === undefined || offset === 0;
      await finish(
        place,
        descriptor,
        whole ? () => counted(open(), 0, descriptor.size, options.onSent) : undefined,
        location,
      );
      return;
    } catch (error) {
      if (!mayPass(error) || attempt >= patience.attempts) throw error;
      await options.pause(Math.min(patience.pauseMs * 2 ** attempt, patience.longestPauseMs));
    }
  }
}

async function beginUpload({ session, repository }: Place): Promise<URL> {
  const path = `/v2/${repository}/blobs/uploads/`;
  const answer = await session.ask({ method: "POST", path, repository, scopes: ["pull", "push"] });
  dropBody(answer.message);
  if (answer.status === 404)
    throw clientErrors.make(
      "OCI_CLIENT_NOT_FOUND",
      `expected ${session.registry} to know ${repository}, found that it does not`,
    );
  if (answer.status !== 202) throw unexpected(session, answer.status, "an upload");
  return uploadLocation(answer, await session.origin());
}

/** Where an upload goes on. Nobody else's address: content and credentials would go there. */
function uploadLocation(answer: Followed, origin: URL): URL {
  const location = answer.headers.location ?? "";
  const to =
    location !== "" && location.length <= 8192 && /^[\x21-\x7e]+$/.test(location)
      ? URL.parse(location, answer.url.href)
      : null;
  if (to === null || to.origin !== origin.origin || to.username !== "") {
    throw clientErrors.make(
      "OCI_CLIENT_UPLOAD_LOCATION",
      `expected an address of ${origin.host} to upload to, found ${JSON.stringify(location.slice(0, 80))}`,
    );
  }
  return to;
}

/** How many bytes of an upload arrived; undefined when it is not known any more. */
async function received({ session, repository }: Place, location: URL, size: number): Promise<number | undefined> {
  const answer = await session.ask({ method: "GET", path: location, repository, scopes: ["pull", "push"] });
  dropBody(answer.message);
  if (answer.status === 404) return undefined;
  if (answer.status !== 204 && answer.status !== 202 && answer.status !== 200)
    throw unexpected(session, answer.status, "an upload's state");
  return receivedOf(answer, size);
}

function receivedOf({ headers }: Followed, size: number): number {
  // Nothing yet: no range, or the one that some registries say for it.
  if (headers.range === undefined || headers.range === "0-0" || headers.range === "0--1") return 0;
  const [, end] = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(headers.range) ?? [];
  if (end === undefined || Number(end) >= size) {
    throw clientErrors.make(
      "OCI_CLIENT_RANGE_WRONG",
      `expected a part of ${size} bytes to be there, found ${JSON.stringify(headers.range.slice(0, 40))}`,
    );
  }
  return Number(end) + 1;
}

async function sendRest(
  { session, repository }: Place,
  { size }: Pick<Descriptor, "size">,
  open: () => AsyncIterable<Uint8Array>,
  location: URL,
  offset: number,
  onSent: Sent,
): Promise<URL> {
  if (offset === size) return location;
  const answer = await session.ask({
    method: "PATCH",
    path: location,
    repository,
    scopes: ["pull", "push"],
    once: true,
    headers: {
      "content-type": "application/octet-stream",
      "content-range": `${offset}-${size - 1}`,
      "content-length": String(size - offset),
    },
    body: () => counted(open(), offset, size, onSent),
  });
  dropBody(answer.message);
  if (answer.status !== 202 && answer.status !== 201) throw unexpected(session, answer.status, "a place for the rest");
  return uploadLocation(answer, await session.origin());
}

async function finish(
  { session, repository }: Place,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  body: (() => AsyncIterable<Uint8Array>) | undefined,
  location: URL,
): Promise<void> {
  const to = new URL(location);
  to.searchParams.set("digest", digest);
  const answer = await session.ask({
    method: "PUT",
    path: to,
    repository,
    scopes: ["pull", "push"],
    once: true,
    headers: {
      "content-length": body === undefined ? "0" : String(size),
      ...(body === undefined ? {} : { "content-type": "application/octet-stream" }),
    },
    ...(body === undefined ? {} : { body }),
  });
  dropBody(answer.message);
  if (answer.status !== 201 && answer.status !== 204) throw unexpected(session, answer.status, "a receipt for a blob");
  const said = answer.headers["docker-content-digest"];
  if (said !== undefined && said !== digest) throw mismatch(session, digest, said);
}

/** Content from an offset on, as long as it was announced. */
async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  offset: number,
  size: number,
  onSent: Sent,
): AsyncGenerator<Uint8Array> {
  const changed = (found: string) =>
    transferErrors.make("OCI_TRANSFER_SOURCE_CHANGED", `expected ${size} bytes to send, found ${found}`);
  let position = 0;
  for await (const chunk of chunks) {
    const from = Math.max(offset - position, 0);
    position += chunk.length;
    if (position > size) throw changed("more");
    if (from >= chunk.length) continue;
    onSent(chunk.length - from);
    yield from === 0 ? chunk : chunk.subarray(from);
  }
  if (position < size) throw changed(String(position));
}

/** A manifest as a registry took it. */
export interface TakenManifest {
  readonly descriptor: Descriptor;
  /** What the registry says it noted as the subject (distribution-spec 1.1); undefined when it knows no referrers. */
  readonly subject: string | undefined;
}

/** Sends a manifest, under its tag or its digest. @throws OCI_CLIENT_… | OCI_…; SPEC C10 */
export async function pushManifest(
  { session, repository }: Place,
  bytes: Uint8Array,
  mediaType: string,
  tag?: string,
): Promise<TakenManifest> {
  if (manifestKind(mediaType) === undefined) {
    throw ociErrors.make(
      "OCI_MEDIA_TYPE_UNSUPPORTED",
      `expected a manifest to send, found ${JSON.stringify(mediaType.slice(0, 80))}`,
    );
  }
  parseManifest(bytes, { mediaType });
  const digest = sha256(bytes);
  const send = (): Promise<Followed> =>
    session.ask({
      method: "PUT",
      path: `/v2/${repository}/manifests/${tag === undefined ? digest : fallbackOrTag(tag)}`,
      repository,
      scopes: ["pull", "push"],
      headers: { "content-type": mediaType, "content-length": String(bytes.length) },
      body: bytes,
    });
  // distribution 2 says so when it reads a blob's link that another upload is just writing: the digest is ours, and right.
  const answer = await send().catch(async (error: unknown) => {
    if (!isFactoryError(error) || (error.cause as { code?: string } | undefined)?.code !== "DIGEST_INVALID")
      throw error;
    await sleep(100);
    return send();
  });
  dropBody(answer.message);
  if (answer.status === 404)
    throw clientErrors.make(
      "OCI_CLIENT_NOT_FOUND",
      `expected ${session.registry} to know ${repository}, found that it does not`,
    );
  if (answer.status !== 201 && answer.status !== 200)
    throw unexpected(session, answer.status, "a receipt for a manifest");
  const said = answer.headers["docker-content-digest"];
  if (said !== undefined && said !== digest) throw mismatch(session, digest, said);
  return { descriptor: { mediaType, digest, size: bytes.length }, subject: answer.headers["oci-subject"] };
}
