import { type Digest, isFactoryError } from "@touchmark/core";
import type { OciReader, OciWriter } from "@touchmark/formats/oci";
import { type ImageReference, imageReferenceText } from "@touchmark/formats/pipeline";
import { copyImage, openRegistryClient, type RegistryClient } from "@touchmark/registry";
import type { Factory } from "../factory.ts";
import { runImageErrors } from "./errors.ts";
import type { ImagesConfiguration } from "./images-configuration.ts";
import { type OwnRegistry, openOwnRegistry } from "./own-registry.ts";

/** Repository of the factory's own registry in which images of others are kept. */
const mirrorPrefix = "mirror/";

/** Where images come from and artifacts go to. */
export interface ImagePlaces {
  readonly own: () => Promise<OwnRegistry>;
  /** The repository that a reference names, wherever it is. */
  repository(reference: ImageReference): Promise<OciReader & OciWriter>;
  /** The same image in the factory's own registry, brought there with its evidence, and what the name means now. */
  bring(reference: ImageReference): Promise<{ readonly reader: OciReader; readonly digest: Digest }>;
  close(): Promise<void>;
}

/** What registries are asked with. */
export interface PlaceSettings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly configuration: ImagesConfiguration;
  /** Nothing but the factory's own registry is asked. */
  readonly offline: boolean;
}

/** Opens nothing before it is used. */
export function imagePlaces(factory: Factory, settings: PlaceSettings): ImagePlaces {
  let opened: Promise<OwnRegistry> | undefined;
  let client: RegistryClient | undefined;
  const own = (): Promise<OwnRegistry> => {
    opened ??= openOwnRegistry(factory);
    return opened;
  };
  const remote = (registry: string, repository: string) => {
    const { environment, configuration } = settings;
    client ??= openRegistryClient({ environment, mirrors: configuration.mirrors, clock: factory.clock });
    return client.repository({ registry, repository });
  };
  return {
    own,
    repository: async ({ registry, repository }) =>
      registry === undefined ? (await own()).repository(repository) : remote(registry, repository),
    async bring(reference) {
      const { registry, repository } = reference;
      const named = reference.digest ?? reference.tag ?? "latest";
      if (registry === undefined) return found((await own()).repository(repository), named, reference);
      const mirror = (await own()).repository(mirrorName(registry, repository));
      if (settings.offline) return found(mirror, named, reference);
      // By digest, what is here is what is there; a tag is asked of the registry, each time.
      const known = reference.digest === undefined ? undefined : await present(mirror, reference.digest);
      if (known !== undefined) return { reader: mirror, digest: known };
      const from = remote(registry, repository);
      const report = await copyImage({
        ...{ from, to: mirror, reference: named, referrers: true },
        ...(reference.digest === undefined && reference.tag !== undefined ? { tag: reference.tag } : {}),
      });
      await copySignature(from, mirror, report.digest);
      return { reader: mirror, digest: report.digest };
    },
    async close() {
      client?.close();
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}

/** Signatures of cosign before version 3 are no referrers: they lie under a tag made of the digest. */
async function copySignature(from: OciReader, to: OciReader & OciWriter, digest: Digest): Promise<void> {
  const tag = `${digest.replace(":", "-")}.sig`;
  try {
    await copyImage({ from, to, reference: tag, referrers: false, tag });
  } catch (error) {
    if (!isFactoryError(error) || error.code !== "OCI_CLIENT_NOT_FOUND") throw error;
  }
}

/** `mirror/HOST/NAME` with a host as a repository may spell it. */
function mirrorName(registry: string, repository: string): string {
  return `${mirrorPrefix}${registry.toLowerCase().replace(/[^a-z0-9.]+/g, "-")}/${repository}`;
}

async function present(repository: OciReader, digest: Digest): Promise<Digest | undefined> {
  try {
    return (await repository.manifest(digest)).descriptor.digest;
  } catch (error) {
    if (isFactoryError(error) && error.code === "REGISTRY_CONTENT_MISSING") return undefined;
    throw error;
  }
}

async function found(reader: OciReader, named: string, reference: ImageReference) {
  try {
    return { reader, digest: (await reader.manifest(named)).descriptor.digest };
  } catch (cause) {
    if (!isFactoryError(cause) || cause.code !== "REGISTRY_CONTENT_MISSING") throw cause;
    const name = imageReferenceText(reference);
    throw reference.registry === undefined
      ? runImageErrors.make("STEP_IMAGE_UNKNOWN", `expected ${name} in this factory's registry, found nothing`, {
          cause,
        })
      : runImageErrors.make("STEP_IMAGE_OFFLINE", `expected ${name} among the images kept here, found nothing`, {
          cause,
        });
  }
}
