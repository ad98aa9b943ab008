import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import { type Digest, isDigest } from "@touchmark/core";
import { isTag, type OciReader, type OciWriter, parseRegistryReference } from "@touchmark/formats/oci";
import { parseImageReference } from "@touchmark/formats/pipeline";
import { type Invocation, texts } from "./command.ts";
import { cliErrors } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

export { registryOptions } from "./registry-options.ts";

/** An image that the command line names. */
export interface ImageSource {
  readonly reader: OciReader;
  /** Of the manifest; a tag was resolved once, here. */
  readonly digest: Digest;
  /** The tag that was resolved; undefined when a digest was given, or nothing. */
  readonly tag?: string;
  /** For people and records: the place with the digest. */
  readonly name: string;
  close(): void;
}

/** A place that the command line names to write to. */
export interface ImageTarget {
  readonly place: OciReader & OciWriter;
  readonly tag?: string;
  readonly name: string;
  close(): void;
}

/** A place and what is named in it, as it was written. */
type Named = RegistryPlace | OwnPlace | LocalPlace;

/** A repository of this factory's own registry. */
interface OwnPlace {
  readonly kind: "factory";
  readonly repository: string;
  readonly reference?: string;
}

interface RegistryPlace {
  readonly kind: "registry";
  readonly registry: string;
  readonly repository: string;
  readonly reference?: string;
}

interface LocalPlace {
  readonly kind: "oci-dir" | "docker-archive";
  readonly path: string;
  readonly reference?: string;
}

/** True for text that names something in a registry: `registry:…`, or HOST/NAME with a tag or digest. */
export function isRegistryText(words: string): boolean {
  if (words.startsWith("registry:")) return true;
  try {
    const { tag, digest } = parseRegistryReference(words);
    return tag !== undefined || digest !== undefined;
  } catch {
    return false;
  }
}

/**
 * Opens `registry:HOST/NAME:TAG@DIGEST`, the same without `registry:`, `factory:NAME:TAG@DIGEST`,
 * `oci-dir:PATH[:TAG|@DIGEST]`, or `docker-archive:PATH[:NAME:TAG]`. Who opens it closes it. @throws CLI_USAGE | OCI_… | OCI_CLIENT_… | IMAGE_…
 */
export async function openImageSource(words: string, invocation: Invocation, terminal: Terminal): Promise<ImageSource> {
  const named = parseNamed(words);
  if (named.kind === "registry") {
    if (named.reference === undefined) {
      throw cliErrors.make(
        "CLI_USAGE",
        `expected a tag or digest of ${named.registry}/${named.repository}, found none`,
      );
    }
    const { openRegistryClient } = await import("@touchmark/registry");
    const client = openRegistryClient(clientOptions(invocation, terminal));
    try {
      return await resolved(client.repository(named), named.reference, () => client.close());
    } catch (error) {
      client.close();
      throw error;
    }
  }
  if (named.kind === "factory") {
    if (named.reference === undefined) {
      throw cliErrors.make("CLI_USAGE", `expected a tag or digest of factory:${named.repository}, found none`);
    }
    const { place, close } = await ownPlace(named.repository);
    try {
      return await resolved(place, named.reference, close);
    } catch (error) {
      close();
      throw error;
    }
  }
  const { openDockerArchive, openLayout } = await import("@touchmark/image");
  const path = resolve(terminal.directory, named.path);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    throw cliErrors.make("CLI_FILE_UNREADABLE", `expected an image at ${path}, found nothing`);
  }
  const reader = named.kind === "docker-archive" ? openDockerArchive(path) : openLayout(path);
  return resolved(reader, named.reference ?? (await reader.only()), () => {}, named.reference === undefined);
}

/** A repository of the factory's own registry, opened with its home. */
async function ownPlace(repository: string): Promise<{ place: OciReader & OciWriter; close: () => void }> {
  const { openFactory } = await import("@touchmark/pipeline");
  const { openOwnRegistry } = await import("@touchmark/pipeline/images");
  const factory = await openFactory();
  const own = await openOwnRegistry(factory);
  const close = (): void => void own.close().then(() => factory.close());
  return { place: own.repository(repository), close };
}

async function resolved(reader: OciReader, reference: string, close: () => void, isOnly = false): Promise<ImageSource> {
  const digest = isDigest(reference) ? reference : (await reader.manifest(reference)).descriptor.digest;
  const tag = isDigest(reference) || isOnly ? {} : { tag: reference };
  return { reader, digest, ...tag, name: `${reader.name}@${digest}`, close };
}

/**
 * Opens `registry:HOST/NAME[:TAG]`, the same without `registry:`, `factory:NAME[:TAG]`, or `oci-dir:PATH[:TAG]` to
 * write to.
 * @throws CLI_USAGE | OCI_… | OCI_CLIENT_SETTINGS_INVALID
 */
export async function openImageTarget(words: string, invocation: Invocation, terminal: Terminal): Promise<ImageTarget> {
  const named = parseNamed(words);
  if (named.reference !== undefined && isDigest(named.reference)) {
    throw cliErrors.make(
      "CLI_USAGE",
      `expected a tag or nothing after the place to write to, found ${named.reference}`,
    );
  }
  const tag = named.reference === undefined ? {} : { tag: named.reference };
  if (named.kind === "docker-archive") {
    throw cliErrors.make(
      "CLI_USAGE",
      "expected registry: or oci-dir: to write to; `touchmark image export` writes archives",
    );
  }
  if (named.kind === "factory") {
    const { place, close } = await ownPlace(named.repository);
    return { place, ...tag, name: place.name, close };
  }
  if (named.kind !== "registry") {
    const { openLayout } = await import("@touchmark/image");
    const place = openLayout(resolve(terminal.directory, named.path));
    return { place, ...tag, name: place.name, close: () => {} };
  }
  const { openRegistryClient } = await import("@touchmark/registry");
  const client = openRegistryClient(clientOptions(invocation, terminal));
  const place = client.repository(named);
  return { place, ...tag, name: place.name, close: () => client.close() };
}

function parseNamed(words: string): Named {
  const [, kind, rest = ""] = /^(oci-dir|docker-archive|registry):(.*)$/s.exec(words) ?? [];
  if (kind === "oci-dir" || kind === "docker-archive") {
    const { path, reference } = kind === "oci-dir" ? splitLayout(rest) : splitArchive(rest);
    if (path === "")
      throw cliErrors.make("CLI_USAGE", `expected ${kind}:PATH, found ${JSON.stringify(words.slice(0, 80))}`);
    return { kind, path, ...(reference === undefined ? {} : { reference }) };
  }
  const { registry, repository, tag, digest } = parseImageReference(kind === undefined ? words : rest);
  const reference = digest ?? tag;
  if (registry === undefined) return { kind: "factory", repository, ...(reference === undefined ? {} : { reference }) };
  return { kind: "registry", registry, repository, ...(reference === undefined ? {} : { reference }) };
}

function splitLayout(rest: string): { path: string; reference?: string } {
  const at = rest.lastIndexOf("@");
  if (at > 0 && isDigest(rest.slice(at + 1))) return { path: rest.slice(0, at), reference: rest.slice(at + 1) };
  const colon = rest.lastIndexOf(":");
  if (colon > 0 && isTag(rest.slice(colon + 1)))
    return { path: rest.slice(0, colon), reference: rest.slice(colon + 1) };
  return { path: rest };
}

/** An archive names its images as docker does, `NAME:TAG`; a path has no colon. */
function splitArchive(rest: string): { path: string; reference?: string } {
  const colon = rest.indexOf(":");
  return colon < 0 ? { path: rest } : { path: rest.slice(0, colon), reference: rest.slice(colon + 1) };
}

/** What the options say of registries. */
export function clientOptions(invocation: Invocation, terminal: Terminal) {
  const mirrors: Record<string, string[]> = {};
  for (const words of texts(invocation, "mirror")) {
    const [, registry, place] = /^([^=]+)=(.+)$/.exec(words) ?? [];
    if (registry === undefined || place === undefined) {
      throw cliErrors.make("CLI_USAGE", `expected --mirror REGISTRY=HOST, found ${JSON.stringify(words.slice(0, 80))}`);
    }
    mirrors[registry] = [...(mirrors[registry] ?? []), place];
  }
  return {
    mirrors,
    insecurePlainHttp: texts(invocation, "insecurePlainHttp"),
    authorities: texts(invocation, "authority").map((path) => resolve(terminal.directory, path)),
  };
}
