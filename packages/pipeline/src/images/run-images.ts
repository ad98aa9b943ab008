import { arch } from "node:os";
import type { Digest } from "@touchmark/core";
import type { Platform } from "@touchmark/formats/oci";
import { type ImageReference, imageReferenceText, parseImageReference } from "@touchmark/formats/pipeline";
import { type LeasedRootfs, openRootfsStore, type Rootfs, type RootfsStore } from "@touchmark/image";
import { findEvidence } from "@touchmark/registry";
import type { Factory } from "../factory.ts";
import type { Plan } from "../plan.ts";
import { type ArtifactVerdict, verifyArtifact } from "../verify-artifact.ts";
import { type AdmittedImage, admitImage, type WantedImage } from "./admit-image.ts";
import { type ImagePlaces, imagePlaces } from "./image-places.ts";
import { readImagesConfiguration } from "./images-configuration.ts";

/** The image that a step runs in, unpacked. */
export interface StepImage {
  readonly manifest: Digest;
  readonly rootfs: Rootfs;
}

/** The images of one run, looked up and judged before its first step. */
export interface RunImages {
  readonly admitted: readonly AdmittedImage[];
  readonly unpacked: ReadonlyMap<Digest, Rootfs>;
  /** What a step runs in; undefined for the host's files. */
  ofStep(step: string): StepImage | undefined;
  /** What an artifact stands on. */
  baseOf(artifact: string, platform: string): AdmittedImage | undefined;
  /** Checks the unpacked files of a step's image again, right before it runs. @throws ROOTFS_* */
  verify(image: StepImage): Promise<void>;
  readonly places: ImagePlaces;
  /** Lets go of the unpacked files. */
  close(): Promise<void>;
}

/** How images are opened. */
export interface RunImageOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly offline: boolean;
  readonly insecureImage: boolean;
  readonly note: (text: string) => void;
}

/** The platform of this host, in the words of OCI. */
export function hostPlatform(): Platform {
  const architecture = { x64: "amd64", ia32: "386" }[arch() as string] ?? arch();
  return { os: "linux", architecture };
}

/** `linux/arm64/v8` as its parts. */
export function platformOf(text: string): Platform {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Every image that a plan names, each once for a use and platform. */
export function wantedImages(plan: Plan): readonly WantedImage[] {
  const wanted = new Map<string, WantedImage>();
  const add = (text: string, use: WantedImage["use"], user: string, platform: Platform, insecure: boolean): void => {
    const key = JSON.stringify([text, use, platform, insecure]);
    const reference: ImageReference = parseImageReference(text);
    const users = [...(wanted.get(key)?.users ?? []), user];
    wanted.set(key, { reference, use, users, platform, insecure });
  };
  for (const { name, definition } of plan.steps) {
    if (definition.image === undefined) continue;
    add(definition.image, "step", name, hostPlatform(), definition.insecureImage);
  }
  for (const { name, base, platforms } of plan.pipeline.images) {
    if (base === "scratch") continue;
    const all = platforms.length === 0 ? [hostPlatform()] : platforms.map(platformOf);
    for (const platform of all) add(base, "base", name, platform, false);
  }
  return [...wanted.values()];
}

/** Looks up, judges and unpacks every image of a plan. @throws STEP_IMAGE_*, ROOTFS_*, UNPACK_* */
export async function openRunImages(factory: Factory, plan: Plan, options: RunImageOptions): Promise<RunImages> {
  const configuration = readImagesConfiguration(factory);
  const places = imagePlaces(factory, { ...options, configuration });
  try {
    const admitted: AdmittedImage[] = [];
    const unpacked = new Map<Digest, LeasedRootfs>();
    const store = rootfsStore(factory);
    const verified = new Map<Digest, Promise<ArtifactVerdict>>();
    const verify = (digest: Digest): Promise<ArtifactVerdict> => {
      const verdict = verified.get(digest) ?? verifyArtifact(factory, { digest });
      verified.set(digest, verdict);
      return verdict;
    };
    for (const wanted of wantedImages(plan)) {
      const { reader, digest } = await places.bring(wanted.reference);
      const judge = { factory, configuration, find: findEvidence, verify, insecureAllowed: options.insecureImage };
      // What a tag meant a moment ago is what is judged.
      const image = await admitImage(judge, { ...wanted, reference: { ...wanted.reference, digest } }, reader);
      admitted.push({ ...image, wanted });
      if (wanted.use !== "step" || unpacked.has(image.manifest)) continue;
      const name = imageReferenceText(wanted.reference);
      let isTold = false;
      const onLayer = (): void => {
        if (!isTold) options.note(`unpacking ${name}, once`);
        isTold = true;
      };
      unpacked.set(image.manifest, await store.ensure(reader, image.manifest, wanted.platform, { onLayer }));
    }
    return {
      admitted,
      unpacked,
      places,
      ofStep(step) {
        const image = admitted.find(({ wanted }) => wanted.use === "step" && wanted.users.includes(step));
        const rootfs = image === undefined ? undefined : unpacked.get(image.manifest);
        return image === undefined || rootfs === undefined ? undefined : { manifest: image.manifest, rootfs };
      },
      baseOf: (artifact, platform) =>
        admitted.find(
          ({ wanted }) =>
            wanted.use === "base" && wanted.users.includes(artifact) && samePlatform(wanted.platform, platform),
        ),
      verify: ({ rootfs }) => store.verify(rootfs.image, "listing"),
      close: async () => {
        for (const rootfs of unpacked.values()) rootfs.release();
        await places.close();
      },
    };
  } catch (error) {
    await places.close();
    throw error;
  }
}

function samePlatform(platform: Platform, text: string): boolean {
  return JSON.stringify(platform) === JSON.stringify(platformOf(text));
}

/** Where unpacked images lie. */
export function rootfsStore(factory: Factory): RootfsStore {
  return openRootfsStore({ directory: factory.home.paths.rootfs, clock: factory.clock });
}
