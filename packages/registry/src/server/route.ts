import { checkRepositoryName } from "@touchmark/formats/oci";
import { registryServerErrors } from "./errors.ts";

/** What a request's path names. */
export interface Route {
  readonly kind: "check" | "catalog" | "uploads" | "tags" | "blob" | "upload" | "manifest" | "referrers";
  /** Valid; empty where the path has none. */
  readonly repository: string;
  /** Untrusted text: tag, digest or upload; empty where the path has none. */
  readonly reference: string;
}

/**
 * Reads a path of distribution-spec 1.1. A repository name may have parts such as `blobs` or `manifests`, so paths are
 * read from their end. Nothing is normalised; percent-encoding counts in the last part alone.
 * @throws REGISTRY_PATH_UNKNOWN | OCI_NAME_*
 */
export function routeOf(path: string): Route {
  if (path === "/v2/" || path === "/v2") return { kind: "check", repository: "", reference: "" };
  if (path === "/v2/_catalog") return { kind: "catalog", repository: "", reference: "" };
  const lastSlash = path.lastIndexOf("/");
  const before = path.lastIndexOf("/", lastSlash - 1);
  if (!path.startsWith("/v2/") || before < 3) throw unknown(path);
  const last = path.slice(lastSlash + 1);
  const name = path.slice(4, Math.max(before, 4));
  switch (path.slice(before + 1, lastSlash)) {
    case "manifests":
      return { kind: "manifest", repository: checkRepositoryName(name), reference: decoded(last) };
    case "blobs":
      if (last === "uploads") return { kind: "uploads", repository: checkRepositoryName(name), reference: "" };
      return { kind: "blob", repository: checkRepositoryName(name), reference: decoded(last) };
    case "uploads":
      return uploadRoute(path, name, last);
    case "tags":
      if (last !== "list") throw unknown(path);
      return { kind: "tags", repository: checkRepositoryName(name), reference: "" };
    case "referrers":
      return { kind: "referrers", repository: checkRepositoryName(name), reference: decoded(last) };
    default:
      throw unknown(path);
  }
}

function uploadRoute(path: string, name: string, last: string): Route {
  if (!name.endsWith("/blobs") && name !== "blobs") throw unknown(path);
  const repository = checkRepositoryName(name.slice(0, -"/blobs".length));
  return { kind: last === "" ? "uploads" : "upload", repository, reference: decoded(last) };
}

function decoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function unknown(path: string): Error {
  return registryServerErrors.make(
    "REGISTRY_PATH_UNKNOWN",
    `expected a path of distribution-spec 1.1, found ${JSON.stringify(path.slice(0, 120))}`,
  );
}
