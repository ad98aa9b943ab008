import type { Json } from "@touchmark/core";
import { ociErrors } from "./errors.ts";
import { OciMembers, readDocument } from "./members.ts";
import { readDigest } from "./names.ts";
import type { ContainerConfig, ImageConfig } from "./types.ts";

const code = "OCI_CONFIG_MALFORMED";
const known = ["created", "author", "architecture", "os", "variant", "config", "rootfs", "history"];
const containerMembers = [
  ...["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal"],
];
const historyMembers = ["created", "created_by", "author", "comment", "empty_layer"];
/** As many layers as a manifest may have, and as many steps again that made none. */
const maxHistory = 2000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads an image configuration (image-spec 1.1, config.md). Unknown members are allowed and left out.
 * @param options.layers number of layers in the manifest; the configuration must name as many
 * @throws OCI_MALFORMED | OCI_CONFIG_MALFORMED | OCI_CONFIG_LAYERS | OCI_TOO_LARGE | OCI_TOO_DEEP | OCI_DUPLICATE_KEY |
 *   OCI_DIGEST_* | OCI_ANNOTATIONS_INVALID
 */
export function parseImageConfig(bytes: Uint8Array, options: { readonly layers?: number } = {}): ImageConfig {
  const document = readDocument(bytes, { maxBytes: 8 * 1024 * 1024, maxDepth: 32 });
  const found = new OciMembers(document, "config", code, known);
  const config: Mutable<ImageConfig> = {
    architecture: found.string("architecture"),
    os: found.string("os"),
    rootfs: readRootfs(found.optional("rootfs")),
  };
  for (const name of ["created", "author", "variant"] as const) {
    const value = found.optionalString(name);
    if (value !== undefined) config[name] = value;
  }
  const container = found.optional("config");
  if (container !== undefined) config.config = readContainer(container);
  if (found.has("history")) config.history = readHistory(found.list("history"));
  checkLayers(config, options.layers);
  return config;
}

function checkLayers(config: ImageConfig, layers: number | undefined): void {
  const named = config.rootfs.diff_ids.length;
  if (layers !== undefined && named !== layers) {
    throw ociErrors.make("OCI_CONFIG_LAYERS", `expected ${layers} layers as in the manifest, found ${named} diff_ids`);
  }
  const made = config.history?.filter((entry) => entry.empty_layer !== true).length;
  if (made !== undefined && made > named) {
    throw ociErrors.make("OCI_CONFIG_LAYERS", `expected a history of ${named} layers at most, found one of ${made}`);
  }
}

function readRootfs(value: Json | undefined): ImageConfig["rootfs"] {
  const found = new OciMembers(value, "config.rootfs", code, ["type", "diff_ids"]);
  const type = found.string("type");
  if (type !== "layers") throw found.wrong(`expected rootfs.type layers, found ${JSON.stringify(type.slice(0, 40))}`);
  const ids = found.list("diff_ids");
  return {
    type,
    diff_ids: ids.map((id) => {
      if (typeof id !== "string") throw found.wrong("expected digests at config.rootfs.diff_ids");
      return readDigest(id);
    }),
  };
}

function readContainer(value: Json): ContainerConfig {
  const found = new OciMembers(value, "config.config", code, containerMembers);
  const config: Mutable<ContainerConfig> = {};
  for (const name of ["User", "WorkingDir", "StopSignal"] as const) {
    const text = found.optionalString(name);
    if (text !== undefined) config[name] = text;
  }
  for (const name of ["Env", "Entrypoint", "Cmd"] as const) {
    const texts = found.optionalStrings(name);
    if (texts !== undefined) config[name] = texts;
  }
  for (const name of ["ExposedPorts", "Volumes"] as const) {
    const set = found.optionalSet(name);
    if (set !== undefined) config[name] = set;
  }
  const labels = found.optionalAnnotations("Labels");
  if (labels !== undefined) config.Labels = labels;
  return config;
}

function readHistory(list: readonly Json[]): NonNullable<ImageConfig["history"]> {
  if (list.length > maxHistory) {
    throw ociErrors.make(
      "OCI_CONFIG_MALFORMED",
      `expected at most ${maxHistory} steps of history, found ${list.length}`,
    );
  }
  return list.map((value, index) => {
    const found = new OciMembers(value, `config.history[${index}]`, code, historyMembers);
    const entry: Mutable<NonNullable<ImageConfig["history"]>[number]> = {};
    for (const name of ["created", "created_by", "author", "comment"] as const) {
      const text = found.optionalString(name);
      if (text !== undefined) entry[name] = text;
    }
    const empty = found.optionalBoolean("empty_layer");
    if (empty !== undefined) entry.empty_layer = empty;
    return entry;
  });
}
