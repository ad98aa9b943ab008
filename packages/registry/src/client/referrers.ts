import { type Digest, digestHex } from "@touchmark/core";
import {
  type Descriptor,
  type ImageIndex,
  type Manifest,
  maxDescriptors,
  mediaTypes,
  parseReferrers,
  serializeIndex,
} from "@touchmark/formats/oci";
import { clientErrors } from "./errors.ts";
import { pages } from "./lists.ts";
import { type Place, pullManifest } from "./pull.ts";
import { pushManifest } from "./push.ts";

/** The tag under which registries without the referrers API list them (distribution-spec 1.1, "Referrers Tag Schema"). */
export const fallbackTag = (subject: Digest): string => `sha256-${digestHex(subject)}`;

/**
 * What refers to a manifest, as the registry says: by the API, and only where there is none (404), by the fallback tag.
 * Nothing is verified. Filtered here too, whatever the registry says of its filter. @throws OCI_CLIENT_… | OCI_…; SPEC C12
 */
export async function* listReferrers(place: Place, subject: Digest, artifactType?: string): AsyncGenerator<Descriptor> {
  const wanted = (each: Descriptor): boolean => artifactType === undefined || each.artifactType === artifactType;
  const query = artifactType === undefined ? "" : `?${new URLSearchParams({ artifactType }).toString()}`;
  let hasApi = false;
  for await (const { answer, bytes } of pages(place, `/v2/${place.repository}/referrers/${subject}${query}`)) {
    hasApi = true;
    const type = answer.headers["content-type"]?.split(";")[0]?.trim();
    if (type !== undefined && type !== mediaTypes.index && type !== "application/json") {
      throw clientErrors.make(
        "OCI_CLIENT_LIST_MALFORMED",
        `expected an index of referrers of ${place.session.registry}, found ${type.slice(0, 80)}`,
      );
    }
    yield* parseReferrers(bytes).descriptors.filter(wanted);
  }
  if (hasApi) return;
  const found = await pullManifest(place, fallbackTag(subject));
  if (found !== undefined && found.descriptor.mediaType === mediaTypes.index) {
    yield* parseReferrers(found.bytes).descriptors.filter(wanted);
  }
}

/** How a manifest shows in a list of referrers. */
export function shownReferrer(manifest: Manifest, descriptor: Descriptor): Descriptor {
  const artifactType = manifest.artifactType ?? (manifest.kind === "manifest" ? manifest.config.mediaType : undefined);
  const { mediaType, digest, size } = descriptor;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
}

/** Updates of one fallback tag in this process, one after the other. */
const updating = new Map<string, Promise<void>>();
const MAX_UPDATES = 8;

/**
 * Lists a referrer under the fallback tag. Others may do the same at the same time, and nothing locks them out: what was
 * written is read again, and written again when it got lost. @throws OCI_CLIENT_FALLBACK_CONTENDED; SPEC C13
 */
export async function noteReferrer(
  place: Place,
  subject: Digest,
  shown: Descriptor,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  await inTurn(place, subject, () => update(place, subject, shown, pause));
}

/** Takes a deleted referrer out of the list under the fallback tag, where there is one. @throws OCI_CLIENT_LIST_MALFORMED */
export async function forgetReferrer(place: Place, subject: Digest, referrer: Digest): Promise<void> {
  await inTurn(place, subject, async () => {
    const tag = fallbackTag(subject);
    const listed = await readFallback(place, tag);
    const manifests = listed.filter((each) => each.digest !== referrer);
    if (manifests.length === listed.length) return;
    await pushManifest(
      place,
      serializeIndex({ kind: "index", mediaType: mediaTypes.index, manifests }),
      mediaTypes.index,
      tag,
    );
  });
}

async function inTurn(place: Place, subject: Digest, work: () => Promise<void>): Promise<void> {
  const key = `${place.session.registry}/${place.repository}@${subject}`;
  const before = updating.get(key) ?? Promise.resolve();
  const mine = before.catch(() => {}).then(work);
  updating.set(key, mine);
  try {
    await mine;
  } finally {
    if (updating.get(key) === mine) updating.delete(key);
  }
}

async function update(
  place: Place,
  subject: Digest,
  shown: Descriptor,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const tag = fallbackTag(subject);
  for (let attempt = 1; attempt <= MAX_UPDATES; attempt++) {
    const listed = await readFallback(place, tag);
    if (listed.some((each) => each.digest === shown.digest)) {
      // Whoever read before us and writes after us would take it out: looked at once more, a little later.
      if (attempt === 1) return;
      await pause(20 + Math.random() * 60);
      if ((await readFallback(place, tag)).some((each) => each.digest === shown.digest)) return;
      continue;
    }
    if (listed.length >= maxDescriptors) {
      throw clientErrors.make(
        "OCI_CLIENT_LIST_TOO_LONG",
        `expected fewer than ${maxDescriptors} referrers under ${tag}, found ${listed.length}`,
      );
    }
    const index: ImageIndex = { kind: "index", mediaType: mediaTypes.index, manifests: [...listed, shown] };
    await pushManifest(place, serializeIndex(index), mediaTypes.index, tag);
    if (attempt > 1) await pause(Math.random() * 50 * attempt);
  }
  throw clientErrors.make(
    "OCI_CLIENT_FALLBACK_CONTENDED",
    `expected ${shown.digest} under ${tag}, found it gone ${MAX_UPDATES} times`,
  );
}

async function readFallback(place: Place, tag: string): Promise<readonly Descriptor[]> {
  const found = await pullManifest(place, tag);
  if (found === undefined) return [];
  if (found.descriptor.mediaType === mediaTypes.index) return parseReferrers(found.bytes).descriptors;
  throw clientErrors.make(
    "OCI_CLIENT_LIST_MALFORMED",
    `expected an index under ${tag}, found ${found.descriptor.mediaType}`,
  );
}
