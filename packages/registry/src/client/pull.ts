import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Digest, isDigest, sha256 } from "@touchmark/core";
import {
  checkTag,
  type Descriptor,
  type FoundManifest,
  maxManifestBytes,
  mediaTypes,
  parseManifest,
  readManifestReference,
} from "@touchmark/formats/oci";
import { brokenOff, dropBody, moving, readBody } from "./body.ts";
import { clientErrors } from "./errors.ts";
import { mayPass, type RegistrySession } from "./session.ts";
import type { ClientPatience } from "./settings.ts";

/** A repository as it is asked: the registry's session and the name there. */
export interface Place {
  readonly session: RegistrySession;
  readonly repository: string;
}

const accepted = [mediaTypes.index, mediaTypes.manifest, mediaTypes.dockerIndex, mediaTypes.dockerManifest].join(", ");

/** A manifest by tag or digest; undefined when the registry does not have it. Verified and read. @throws OCI_CLIENT_… | OCI_…; SPEC C7 */
export async function pullManifest(
  { session, repository }: Place,
  reference: string,
): Promise<FoundManifest | undefined> {
  const named = reference.includes(":") ? readManifestReference(reference) : { tag: fallbackOrTag(reference) };
  const answer = await session.ask({
    method: "GET",
    path: `/v2/${repository}/manifests/${reference}`,
    repository,
    scopes: ["pull"],
    headers: { accept: accepted },
  });
  if (answer.status !== 200) {
    dropBody(answer.message);
    if (answer.status === 404) return undefined;
    throw unexpected(session, answer.status, "a manifest");
  }
  const bytes = await readBody(answer.message, maxManifestBytes, "a manifest");
  const digest = sha256(bytes);
  const said = answer.headers["docker-content-digest"];
  const expected = "digest" in named ? named.digest : said !== undefined && isDigest(said) ? said : digest;
  if (digest !== expected) throw mismatch(session, expected, digest);
  const type = answer.headers["content-type"]?.split(";")[0]?.trim();
  const announced = type === undefined || type === "application/json" || type === "" ? {} : { mediaType: type };
  const { mediaType } = parseManifest(bytes, announced);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

/** The tag schema's own tags look like digests to people, and are tags to registries. */
export const fallbackOrTag = (text: string): string =>
  /^sha256-[0-9a-f]{64}(\.[a-z]{1,8})?$/.test(text) ? text : checkTag(text);

/** Begun and not finished reading of a blob. */
interface Progress {
  received: number;
}

/**
 * A blob in chunks, hashed as it comes; the last one comes only once size and digest are right. When the connection
 * breaks, it goes on where it was; when a place fails for good, at the next.
 * @throws OCI_CLIENT_NOT_FOUND | _DIGEST_MISMATCH | _SIZE_WRONG | _RANGE_WRONG | _TRUNCATED …, of the last place; SPEC C8
 */
export async function* pullBlob(
  places: readonly [...Place[], Place],
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  patience: ClientPatience,
  pause: (ms: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let hash = createHash("sha256");
  let progress: Progress = { received: 0 };
  let handed = false;
  let held: Uint8Array | undefined;
  for (const [index, place] of places.entries()) {
    try {
      for await (const chunk of resumed(place, digest, size, progress, patience, pause)) {
        hash.update(chunk);
        if (held !== undefined) {
          handed = true;
          yield held;
        }
        held = chunk;
      }
      const found: Digest = `sha256:${hash.digest("hex")}`;
      if (found !== digest) throw mismatch(place.session, digest, found);
      break;
    } catch (error) {
      // What was handed on cannot be taken back: then only a break is made good, never wrong content.
      if (index === places.length - 1 || (handed && !mayPass(error))) throw error;
      if (handed) continue;
      hash = createHash("sha256");
      progress = { received: 0 };
      held = undefined;
    }
  }
  if (held !== undefined) yield held;
}

async function* resumed(
  place: Place,
  digest: Digest,
  size: number,
  progress: Progress,
  patience: ClientPatience,
  pause: (ms: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    const before = progress.received;
    try {
      yield* piece(place, digest, size, progress);
      return;
    } catch (error) {
      // What moves forward may break as often as it likes to.
      if (progress.received > before) attempt = 1;
      if (!mayPass(error) || attempt >= patience.attempts) throw error;
      await pause(Math.min(patience.pauseMs * 2 ** attempt, patience.longestPauseMs));
    }
  }
}

async function* piece(
  { session, repository }: Place,
  digest: Digest,
  size: number,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  const start = progress.received;
  if (start === size && size > 0) return;
  const answer = await session.ask({
    method: "GET",
    path: `/v2/${repository}/blobs/${digest}`,
    repository,
    scopes: ["pull"],
    headers: start === 0 ? {} : { range: `bytes=${start}-${size - 1}` },
  });
  const { message, status } = answer;
  let skip = 0;
  try {
    if (status === 404)
      throw clientErrors.make(
        "OCI_CLIENT_NOT_FOUND",
        `expected ${digest} in ${session.registry}/${repository}, found nothing`,
      );
    if (status === 206 && start > 0) checkRange(answer.headers["content-range"], start, size);
    // Ranges are a server's free choice: the whole comes again, and what is known of it is passed over.
    else if (status === 200) skip = start;
    else if (status === 416 || status === 206) throw rangeWrong(`status ${status}`, start, size);
    else throw unexpected(session, status, "a blob");
    const announced = answer.headers["content-length"];
    const expected = size - start + skip;
    if (announced !== undefined && announced !== String(expected)) throw sizeWrong(digest, expected, announced);
    yield* bounded(message, skip, expected, digest, progress);
  } finally {
    if (!message.readableEnded) message.destroy();
  }
}

async function* bounded(
  message: IncomingMessage,
  skip: number,
  expected: number,
  digest: Digest,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  let arrived = 0;
  try {
    for await (const chunk of moving(message)) {
      const from = Math.max(skip - arrived, 0);
      arrived += chunk.length;
      if (arrived > expected) throw sizeWrong(digest, expected, "more");
      if (from >= chunk.length) continue;
      progress.received += chunk.length - from;
      yield from === 0 ? chunk : chunk.subarray(from);
    }
  } catch (error) {
    throw brokenOff(error, digest);
  }
  if (arrived < expected) throw sizeWrong(digest, expected, String(arrived));
}

function checkRange(header: string | undefined, start: number, size: number): void {
  if (header !== `bytes ${start}-${size - 1}/${size}`)
    throw rangeWrong(JSON.stringify(header ?? "").slice(0, 80), start, size);
}

const rangeWrong = (found: string, start: number, size: number) =>
  clientErrors.make("OCI_CLIENT_RANGE_WRONG", `expected bytes ${start}-${size - 1}/${size}, found ${found}`);

const sizeWrong = (digest: Digest, expected: number, found: string) =>
  clientErrors.make("OCI_CLIENT_SIZE_WRONG", `expected ${expected} bytes of ${digest}, found ${found.slice(0, 40)}`);

export const mismatch = (session: RegistrySession, expected: string, found: string) =>
  clientErrors.make(
    "OCI_CLIENT_DIGEST_MISMATCH",
    `expected ${expected} of ${session.registry}, found ${found.slice(0, 80)}`,
  );

export const unexpected = (session: RegistrySession, status: number, what: string) =>
  clientErrors.make("OCI_CLIENT_STATUS", `expected ${session.registry} to give ${what}, found status ${status}`);
