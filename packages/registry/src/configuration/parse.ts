import { dirname, resolve } from "node:path";
import { type FactoryError, isFactoryError, sha256 } from "@touchmark/core";
import { isRepositoryName } from "@touchmark/formats/oci";
import {
  PipelineFileError,
  Problems,
  parseBytes,
  parseDuration,
  readYaml,
  type YamlReading,
} from "@touchmark/formats/pipeline";
import { type RegistryDocument, registryDocument } from "@touchmark/formats/registry";
import { parsePasswordHash } from "../authority/password.ts";
import {
  anonymousRead,
  defaultRegistryConfiguration as base,
  type Grant,
  type MirrorChoice,
  type ObjectStorageChoice,
  type RegistryConfiguration,
  type RegistryUser,
} from "./configuration.ts";
import { type RegistryConfigurationCode, registryConfigurationErrors } from "./errors.ts";
import { isLocal, parseListen } from "./listen.ts";
import { registryUrl } from "./url.ts";

/** Longest life of a token that a client gets by asking, seconds. */
const TOKEN_SECONDS = { least: 60, most: 3600 } as const;

/**
 * Reads `registry.yaml` strictly: line and column of each problem, and the nearest valid name. Paths in it are relative
 * to the file. SPEC A1-A2.
 * @throws REGISTRY_CONFIG_*
 */
export function parseRegistryConfiguration(text: string, fileName: string): RegistryConfiguration {
  const { document, reading } = readDocument(text, fileName);
  const fail: Fail = (path, message, code = "REGISTRY_CONFIG_VALUE_INVALID") => {
    const { line, column } = reading.locate(path);
    throw registryConfigurationErrors.make(code, `${fileName}:${line}:${column}: ${path.join(".")}: ${message}`);
  };
  const { quotas, rates, uploads, tokens, audit, tags } = document;
  const tls = tlsOf(document, dirname(fileName), fail);
  const url = document.url === undefined ? undefined : registryUrl(document.url);
  if (document.url !== undefined && url === undefined) {
    fail(["url"], "expected https://HOST[:PORT] without user information, path, query or fragment");
  }
  return {
    fileName,
    digest: sha256(text),
    listen:
      document.listen === undefined ? base.listen : at(["listen"], fail, () => parseListen(document.listen ?? "")),
    ...(url === undefined ? {} : { url }),
    ...(tls === undefined ? {} : { tls }),
    insecurePlainHttp: document["insecure-plain-http"] ?? false,
    ...optional("storage", storageOf(document, fail)),
    ...optional("mirror", mirrorOf(document, fail)),
    anonymous: anonymousOf(document.anonymous),
    users: usersOf(document, fail),
    tags: { immutable: tags?.immutable ?? [], promotionOnly: tags?.["promotion-only"] ?? [] },
    quotas: {
      ...optional("totalBytes", bytesOf(quotas?.total)),
      repositories: (quotas?.repositories ?? []).map(({ repositories, bytes, manifests, tags: most }) => ({
        repositories,
        ...optional("bytes", bytesOf(bytes)),
        ...optional("manifests", manifests),
        ...optional("tags", most),
      })),
    },
    rates: { caller: rateOf(rates?.caller), remote: rateOf(rates?.remote) },
    uploads: {
      blobBytes: bytesOf(uploads?.blob) ?? base.uploads.blobBytes,
      manifestBytes: Math.min(bytesOf(uploads?.manifest) ?? base.uploads.manifestBytes, base.uploads.manifestBytes),
    },
    tokens: {
      service: tokens?.service ?? base.tokens.service,
      lifetimeSeconds: lifetimeOf(tokens?.lifetime, fail),
    },
    audit: {
      ...optional("file", audit?.file === undefined ? undefined : resolve(dirname(fileName), audit.file)),
      fileBytes: bytesOf(audit?.size) ?? base.audit.fileBytes,
      keep: audit?.keep ?? base.audit.keep,
    },
  };
}

type Path = readonly (string | number)[];
type Fail = (path: Path, message: string, code?: RegistryConfigurationCode) => never;

function readDocument(text: string, fileName: string): { document: RegistryDocument; reading: YamlReading } {
  try {
    const reading = readYaml(text, fileName);
    const problems = new Problems(fileName, reading);
    const checked = registryDocument.safeParse(reading.value);
    if (checked.success) return { document: checked.data, reading };
    problems.addIssues(checked.error.issues);
    problems.throwIfAny();
    throw checked.error;
  } catch (cause) {
    throw cause instanceof PipelineFileError ? ownError(cause) : cause;
  }
}

/** The same lines under a code of this document. */
function ownError(error: PipelineFileError): FactoryError {
  const codes: Readonly<Record<string, RegistryConfigurationCode>> = {
    PIPELINE_KEY_UNKNOWN: "REGISTRY_CONFIG_KEY_UNKNOWN",
    PIPELINE_VALUE_INVALID: "REGISTRY_CONFIG_VALUE_INVALID",
    PIPELINE_NAME_INVALID: "REGISTRY_CONFIG_VALUE_INVALID",
    PIPELINE_VERSION_UNKNOWN: "REGISTRY_CONFIG_VALUE_INVALID",
  };
  const code = codes[error.code] ?? "REGISTRY_CONFIG_MALFORMED";
  return registryConfigurationErrors.make(code, error.message, { cause: error });
}

/** What a part says of its text, with the place where the text stands. */
function at<T>(path: Path, fail: Fail, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return fail(path, isFactoryError(error) ? error.message : String(error));
  }
}

function tlsOf(document: RegistryDocument, directory: string, fail: Fail): RegistryConfiguration["tls"] {
  if (document.tls === undefined) return undefined;
  const { certificate, key, names } = document.tls;
  if ((names === undefined) === (certificate === undefined) || (certificate === undefined) !== (key === undefined)) {
    fail(["tls"], "expected either certificate and key, or names");
  }
  if (names !== undefined) return { names };
  return { certificate: resolve(directory, certificate ?? ""), key: resolve(directory, key ?? "") };
}

function storageOf({ storage }: RegistryDocument, fail: Fail): ObjectStorageChoice | undefined {
  if (storage === undefined) return undefined;
  const endpoint = registryUrl(storage.endpoint);
  const { protocol, hostname } = new URL(endpoint ?? "https://none");
  // Keys sign requests and are not sent; what the registry holds would be read on the way.
  if (
    endpoint === undefined ||
    (protocol === "http:" && !isLocal({ host: hostname.replace(/^\[|\]$/g, ""), port: 0 }))
  ) {
    return fail(["storage", "endpoint"], "expected https://HOST[:PORT], or http on this host");
  }
  const { bucket, region = "us-east-1", prefix = "" } = storage;
  return { endpoint, bucket, region, prefix };
}

function mirrorOf({ mirror }: RegistryDocument, fail: Fail): MirrorChoice | undefined {
  if (mirror === undefined) return undefined;
  const slash = mirror.of.indexOf("/");
  const registry = slash === -1 ? mirror.of : mirror.of.slice(0, slash);
  const prefix = slash === -1 ? "" : mirror.of.slice(slash + 1);
  const isSound = registryUrl(`https://${registry}`) !== undefined && (slash === -1 || isRepositoryName(prefix));
  if (!isSound) return fail(["mirror", "of"], "expected HOST[:PORT], or HOST[:PORT]/PREFIX");
  return {
    registry,
    prefix: prefix === "" ? "" : `${prefix}/`,
    tagSeconds: parseDuration(mirror.tags ?? "60s") ?? 60,
    insecurePlainHttp: mirror["insecure-plain-http"] ?? false,
  };
}

function anonymousOf(written: RegistryDocument["anonymous"]): readonly Grant[] {
  if (written === undefined || written === "none") return [];
  if (written === "read") return anonymousRead;
  return written.map((repositories) => ({ repositories, actions: ["pull"] }));
}

function usersOf(document: RegistryDocument, fail: Fail): ReadonlyMap<string, RegistryUser> {
  const users = new Map<string, RegistryUser>();
  for (const [name, { password, grants }] of Object.entries(document.users ?? {})) {
    const path = ["users", name];
    for (const [repositories, actions] of Object.entries(grants ?? {})) {
      // The catalog names every repository, so that it cannot be of some.
      if (actions.includes("catalog") && repositories !== "**") {
        fail([...path, "grants", repositories], 'expected catalog for "**" alone');
      }
    }
    users.set(name, {
      name,
      password: at([...path, "password"], fail, () => parsePasswordHash(password)),
      grants: Object.entries(grants ?? {}).map(([repositories, actions]) => ({ repositories, actions })),
    });
  }
  return users;
}

function lifetimeOf(written: string | undefined, fail: Fail): number {
  const seconds = written === undefined ? base.tokens.lifetimeSeconds : (parseDuration(written) ?? 0);
  const { least, most } = TOKEN_SECONDS;
  if (seconds < least || seconds > most) fail(["tokens", "lifetime"], `expected ${least}s to ${most / 60}m`);
  return seconds;
}

const bytesOf = (written: string | undefined): number | undefined =>
  written === undefined ? undefined : parseBytes(written);

function rateOf(written: { requests?: number | undefined; bytes?: string | undefined } | undefined) {
  return {
    ...optional("requestsPerSecond", written?.requests),
    ...optional("bytesPerSecond", bytesOf(written?.bytes)),
  };
}

/** A member that is only there with a value. */
function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value });
}
