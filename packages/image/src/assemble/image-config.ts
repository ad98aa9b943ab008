import { type Digest, rfc3339 } from "@touchmark/core";
import { annotationKeys, type ContainerConfig, type ImageConfig } from "@touchmark/formats/oci";
import { imageErrors } from "../errors.ts";
import { type ImageSpec, RUN_LABEL } from "./image-spec.ts";
import { secretIn } from "./secret-rules.ts";

/** What the configuration takes from elsewhere. */
export interface ConfigParts {
  readonly base: ImageConfig | undefined;
  /** The spec's user in numbers. */
  readonly user: string;
  /** Of the new layers, from the bottom up. */
  readonly diffIds: readonly Digest[];
}

/**
 * The configuration of an image: the base's, and what the spec says on top.
 * @throws IMAGE_CONFIG_INVALID | IMAGE_SECRET_FOUND
 */
export function imageConfig(spec: ImageSpec, { base, user, diffIds }: ConfigParts): ImageConfig {
  const created = rfc3339(new Date(spec.epoch * 1000));
  const { os, architecture, variant } = spec.platform;
  return {
    created,
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: containerConfig(spec, base?.config ?? {}, user),
    rootfs: { type: "layers", diff_ids: [...(base?.rootfs.diff_ids ?? []), ...diffIds] },
    history: [...baseHistory(base), ...argumentHistory(spec, created), ...layerHistory(spec, created)],
  };
}

/** Labels, and annotations of the manifest: what the image is and stands on. Only what is known. */
export function aboutLabels(spec: ImageSpec): Record<string, string> {
  const { title, version, source, revision, licenses, run } = spec.about ?? {};
  const labels: Record<string, string | undefined> = {
    [annotationKeys.created]: rfc3339(new Date(spec.epoch * 1000)),
    [annotationKeys.title]: title,
    [annotationKeys.version]: version,
    [annotationKeys.source]: source,
    [annotationKeys.revision]: revision,
    [annotationKeys.licenses]: licenses,
    [annotationKeys.baseName]: spec.base?.name,
    [annotationKeys.baseDigest]: spec.base?.digest,
    [RUN_LABEL]: run,
  };
  return Object.fromEntries(Object.entries(labels).filter((row): row is [string, string] => row[1] !== undefined));
}

function containerConfig(spec: ImageSpec, base: ContainerConfig, user: string): ContainerConfig {
  const ports = [...Object.keys(base.ExposedPorts ?? {}), ...(spec.ports ?? []).map(port)];
  const labels = { ...withoutAbout(base.Labels ?? {}), ...spec.labels, ...aboutLabels(spec) };
  for (const [name, value] of Object.entries(labels)) checkText(`the label ${name}`, name, value);
  const entrypoint = spec.entrypoint ?? base.Entrypoint;
  // A command is arguments for the entrypoint that it was written for.
  const command = spec.command ?? (spec.entrypoint === undefined ? base.Cmd : undefined);
  const directory = spec.directory ?? base.WorkingDir;
  if (directory !== undefined && directory !== "" && !/^\/(?:[^\0-\x1f\x7f]*)$/.test(directory)) {
    throw invalid("an absolute working directory", directory);
  }
  const signal = spec.stopSignal ?? base.StopSignal;
  if (signal !== undefined && !/^(?:SIG[A-Z0-9]{2,10}(?:[+-]\d{1,2})?|\d{1,2})$/.test(signal)) {
    throw invalid("a stop signal such as SIGTERM", signal);
  }
  return {
    ...(user === "" ? {} : { User: user }),
    ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries([...new Set(ports)].map((name) => [name, {}])) }),
    ...environment(spec, base),
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
    ...(command === undefined ? {} : { Cmd: command }),
    ...(base.Volumes === undefined ? {} : { Volumes: base.Volumes }),
    ...(directory === undefined ? {} : { WorkingDir: directory }),
    Labels: labels,
    ...(signal === undefined ? {} : { StopSignal: signal }),
  };
}

function environment(spec: ImageSpec, base: ContainerConfig): Pick<ContainerConfig, "Env"> {
  const values = new Map<string, string>();
  for (const row of base.Env ?? []) {
    const equals = row.indexOf("=");
    values.set(equals < 0 ? row : row.slice(0, equals), equals < 0 ? "" : row.slice(equals + 1));
  }
  for (const name of Object.keys(spec.environment ?? {}).sort()) {
    const value = spec.environment?.[name] ?? "";
    if (!/^[^=\0-\x20\x7f]{1,256}$/.test(name)) throw invalid("a name of a variable", name);
    checkText(`the variable ${name}`, name, value);
    values.set(name, value);
  }
  return values.size === 0 ? {} : { Env: [...values].map(([name, value]) => `${name}=${value}`) };
}

/** What a base says of itself is not true of what stands on it. */
function withoutAbout(labels: Readonly<Record<string, string>>): Record<string, string> {
  const own = new Set<string>(
    Object.values(annotationKeys).filter((key) => key.startsWith("org.opencontainers.image.")),
  );
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !own.has(name) && name !== RUN_LABEL));
}

type History = NonNullable<ImageConfig["history"]>;

/** The base's history; where it tells of fewer layers than there are, the others are named. */
function baseHistory(base: ImageConfig | undefined): History {
  const told = base?.history ?? [];
  const missing = (base?.rootfs.diff_ids.length ?? 0) - told.filter((entry) => entry.empty_layer !== true).length;
  return [...told, ...Array.from({ length: Math.max(0, missing) }, () => ({ comment: "a layer of the base" }))];
}

function argumentHistory(spec: ImageSpec, created: string): History {
  return Object.keys(spec.buildArguments ?? {})
    .sort()
    .map((name) => {
      const value = spec.buildArguments?.[name] ?? "";
      checkText(`the build argument ${name}`, name, value);
      return { created, created_by: `ARG ${name}=${value}`, empty_layer: true };
    });
}

function layerHistory(spec: ImageSpec, created: string): History {
  return spec.layers.map(({ createdBy }) => ({
    created,
    created_by: createdBy ?? "files",
    comment: "touchmark layer format 1",
  }));
}

function port(text: string): string {
  const [, number = "", protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (Number(number) < 1 || Number(number) > 65_535) throw invalid("a port such as 8080/tcp", text);
  return `${Number(number)}/${protocol}`;
}

function checkText(what: string, name: string, value: string): void {
  if (name === "" || value.includes("\0")) throw invalid(`text without NUL in ${what}`, value);
  const kind = secretIn(value);
  if (kind === undefined) return;
  throw imageErrors.make("IMAGE_SECRET_FOUND", `expected no secrets in an image, found a ${kind} in ${what}`);
}

function invalid(expected: string, found: string): Error {
  return imageErrors.make("IMAGE_CONFIG_INVALID", `expected ${expected}, found ${JSON.stringify(found.slice(0, 120))}`);
}
