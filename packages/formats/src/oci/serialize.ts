import type { Descriptor, ImageConfig, ImageIndex, ImageManifest, Manifest, Platform } from "./types.ts";

const encoder = new TextEncoder();

/**
 * The bytes of a manifest or index: members in the order of image-spec 1.1, names of annotations sorted, no white space.
 * One value has one spelling.
 */
export function serializeManifest(manifest: Manifest): Uint8Array {
  return encoder.encode(JSON.stringify(manifest.kind === "index" ? indexMembers(manifest) : imageMembers(manifest)));
}

/** As serializeManifest, for an index. */
export function serializeIndex(index: ImageIndex): Uint8Array {
  return serializeManifest(index);
}

/** The bytes of an image configuration, by the same rules. */
export function serializeImageConfig(config: ImageConfig): Uint8Array {
  const { created, author, architecture, os, variant, rootfs, history } = config;
  const container = config.config;
  return encoder.encode(
    JSON.stringify({
      created,
      author,
      architecture,
      os,
      variant,
      config: container && {
        User: container.User,
        ExposedPorts: sorted(container.ExposedPorts),
        Env: container.Env,
        Entrypoint: container.Entrypoint,
        Cmd: container.Cmd,
        Volumes: sorted(container.Volumes),
        WorkingDir: container.WorkingDir,
        Labels: sorted(container.Labels),
        StopSignal: container.StopSignal,
      },
      rootfs: { type: rootfs.type, diff_ids: rootfs.diff_ids },
      history: history?.map(({ created, created_by, author, comment, empty_layer }) => ({
        created,
        created_by,
        author,
        comment,
        empty_layer,
      })),
    }),
  );
}

function imageMembers(manifest: ImageManifest): object {
  const { mediaType, artifactType, config, layers, subject, annotations } = manifest;
  return {
    schemaVersion: 2,
    mediaType,
    artifactType,
    config: descriptorMembers(config),
    layers: layers.map(descriptorMembers),
    subject: subject && descriptorMembers(subject),
    annotations: sorted(annotations),
  };
}

function indexMembers(index: ImageIndex): object {
  const { mediaType, artifactType, manifests, subject, annotations } = index;
  return {
    schemaVersion: 2,
    mediaType,
    artifactType,
    manifests: manifests.map(descriptorMembers),
    subject: subject && descriptorMembers(subject),
    annotations: sorted(annotations),
  };
}

function descriptorMembers(descriptor: Descriptor): object {
  const { mediaType, digest, size, urls, annotations, data, platform, artifactType } = descriptor;
  return {
    mediaType,
    digest,
    size,
    urls,
    annotations: sorted(annotations),
    data,
    platform: platform && platformMembers(platform),
    artifactType,
  };
}

function platformMembers(platform: Platform): object {
  const { architecture, os, variant } = platform;
  return { architecture, os, "os.version": platform["os.version"], "os.features": platform["os.features"], variant };
}

/** By UTF-16 code units. Names that JavaScript takes for numbers come first whatever the order, which is one order too. */
function sorted<T>(record: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> | undefined {
  return record && Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
