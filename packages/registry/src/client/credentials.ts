import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { decodeBase64, isFactoryError, type Json, parseJson } from "@touchmark/core";
import { clientErrors } from "./errors.ts";

/** What a user shows to one registry. None of it is ever shown elsewhere. */
export type Credential =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  /** A refresh token for the registry's token service. */
  | { readonly kind: "identity"; readonly token: string }
  /** A bearer token for the registry itself. */
  | { readonly kind: "bearer"; readonly token: string };

/** Finds the credential for a repository; undefined for none, then the client asks anonymously. */
export type CredentialSource = (registry: string, repository: string) => Promise<Credential | undefined>;

type Environment = Readonly<Record<string, string | undefined>>;
const MAX_FILE = 1024 * 1024;
const helperPatience = 20_000;

/**
 * Credentials as docker's and the container tools' clients keep them: REGISTRY_AUTH_FILE, or DOCKER_CONFIG/config.json,
 * or ~/.docker/config.json; a helper for this registry first, then the written ones, then the helper for all.
 * Files are read when a registry first asks. @throws OCI_CLIENT_CONFIG_MALFORMED | OCI_CLIENT_HELPER_NAME | OCI_CLIENT_HELPER_FAILED; SPEC C3
 */
export function userCredentials(environment: Environment = process.env): CredentialSource {
  const file =
    environment.REGISTRY_AUTH_FILE ||
    join(environment.DOCKER_CONFIG || join(homeOf(environment), ".docker"), "config.json");
  let read: ClientConfiguration | undefined;
  return async (registry, repository) => {
    read ??= readConfiguration(file);
    const helper = read.credHelpers.get(registry);
    if (helper !== undefined) return askHelper(helper, registry, environment);
    const written = writtenFor(read.auths, registry, repository);
    if (written !== undefined) return written;
    return read.credsStore === undefined ? undefined : askHelper(read.credsStore, registry, environment);
  };
}

const homeOf = (environment: Environment): string => environment.HOME || homedir();

interface ClientConfiguration {
  readonly auths: ReadonlyMap<string, Credential>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

const nothing: ClientConfiguration = { auths: new Map(), credHelpers: new Map(), credsStore: undefined };

function readConfiguration(path: string): ClientConfiguration {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return nothing;
  const malformed = (what: string, cause?: unknown) =>
    // Neither content nor parser message is shown: both may hold secrets.
    clientErrors.make("OCI_CLIENT_CONFIG_MALFORMED", `expected ${what} in ${path}, found something else`, { cause });
  if (!stat.isFile() || stat.size > MAX_FILE) throw malformed(`a file of at most ${MAX_FILE} bytes`);
  let parsed: Json;
  try {
    parsed = parseJson(readFileSync(path), { maxBytes: MAX_FILE, maxDepth: 16 });
  } catch (error) {
    throw malformed("JSON", isFactoryError(error) ? undefined : error);
  }
  const members = (value: Json | undefined, what: string): [string, Json][] => {
    if (value === undefined || value === null) return [];
    if (typeof value !== "object" || Array.isArray(value)) throw malformed(what);
    return Object.entries(value);
  };
  const top = Object.fromEntries(members(parsed, "an object"));
  const auths = new Map<string, Credential>();
  for (const [key, value] of members(top.auths, "an object as auths")) {
    const credential = readCredential(Object.fromEntries(members(value, "objects as auths")));
    if (credential === "malformed") throw malformed(`base64 of USER:PASSWORD for ${key}`);
    if (credential !== undefined) auths.set(key.replace(/^https?:\/\//, "").replace(/\/(v[12]\/?)?$/, ""), credential);
  }
  const credHelpers = new Map<string, string>();
  for (const [key, value] of members(top.credHelpers, "an object as credHelpers"))
    credHelpers.set(key, helperName(value));
  const store = top.credsStore;
  return { auths, credHelpers, credsStore: store === undefined || store === "" ? undefined : helperName(store) };
}

function readCredential(entry: Readonly<Record<string, Json>>): Credential | "malformed" | undefined {
  const { registrytoken, identitytoken, username, password, auth } = entry;
  if (typeof registrytoken === "string" && registrytoken !== "") return { kind: "bearer", token: registrytoken };
  if (typeof identitytoken === "string" && identitytoken !== "") return { kind: "identity", token: identitytoken };
  if (typeof auth === "string" && auth !== "") {
    try {
      const text = Buffer.from(decodeBase64(auth)).toString("utf8");
      const colon = text.indexOf(":");
      if (colon < 1) return "malformed";
      return { kind: "password", user: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
    } catch {
      return "malformed";
    }
  }
  if (typeof username !== "string" || username === "") return undefined;
  return { kind: "password", user: username, password: typeof password === "string" ? password : "" };
}

/** The longest key that names the repository or what it lies in: `HOST/a/b`, `HOST/a`, `HOST`. */
function writtenFor(
  auths: ReadonlyMap<string, Credential>,
  registry: string,
  repository: string,
): Credential | undefined {
  const parts = [registry, ...repository.split("/")];
  for (let length = parts.length; length > 0; length--) {
    const found = auths.get(parts.slice(0, length).join("/"));
    if (found !== undefined) return found;
  }
  return undefined;
}

function helperName(value: Json): string {
  if (typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value)) return value;
  throw clientErrors.make(
    "OCI_CLIENT_HELPER_NAME",
    `expected the name of a credential helper, found ${JSON.stringify(value).slice(0, 80)}`,
  );
}

/** docker-credential-NAME get: the registry on standard input, JSON on standard output. */
function askHelper(name: string, registry: string, environment: Environment): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  const failed = (why: string) =>
    clientErrors.make(
      "OCI_CLIENT_HELPER_FAILED",
      `expected credentials for ${registry} of ${program}, found that it ${why}`,
    );
  return new Promise((resolve, reject) => {
    const options = { env: { ...environment }, timeout: helperPatience, maxBuffer: 65_536, windowsHide: true };
    const child = execFile(program, ["get"], options, (error, stdout) => {
      if (error === null) {
        const answer = readAnswer(stdout);
        return answer === undefined
          ? reject(failed("printed something else"))
          : resolve(answer === "none" ? undefined : answer);
      }
      // The protocol's own words for "I have none".
      if (/credentials not found/i.test(stdout)) return resolve(undefined);
      const { code, killed } = error as { code?: string | number; killed?: boolean };
      // What it printed is not shown: it may hold the secret.
      reject(
        failed(
          code === "ENOENT" ? "is not on this host" : killed ? "took too long or said too much" : `failed (${code})`,
        ),
      );
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(registry);
  });
}

function readAnswer(stdout: string): Credential | "none" | undefined {
  try {
    const { Username, Secret } = parseJson(stdout, { maxBytes: 65_536, maxDepth: 4 }) as { [name: string]: Json };
    if (typeof Username !== "string" || typeof Secret !== "string") return undefined;
    if (Secret === "") return "none";
    return Username === "<token>"
      ? { kind: "identity", token: Secret }
      : { kind: "password", user: Username, password: Secret };
  } catch {
    return undefined;
  }
}
