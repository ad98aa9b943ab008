import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceErrors } from "./errors.ts";

/** Where a repository is, after all spellings are made one. */
export type SourceLocation =
  | {
      readonly kind: "local";
      /** Absolute path. */
      readonly path: string;
      /** `git+file:///path`. */
      readonly uri: string;
    }
  | {
      readonly kind: "remote";
      /** What git is given: may hold a user name, never a password. */
      readonly url: string;
      /** Without user and password: what statements and caches name. */
      readonly uri: string;
    };

/**
 * Reads a location: a path, `file://`, `https://`, `ssh://`, or `user@host:path`. Credentials in an https URL are
 * refused, because locations end up in logs: an askpass program or an agent gives them.
 *
 * @throws SOURCE_LOCATION_INVALID, SOURCE_TRANSPORT_REFUSED
 */
export function parseLocation(location: string, base = process.cwd()): SourceLocation {
  const invalid = (why: string) =>
    sourceErrors.make("SOURCE_LOCATION_INVALID", `expected a source location, found ${show(location)}: ${why}`);
  if (location === "") throw invalid("it is empty");
  if (location.length > 4096) throw invalid("it is longer than 4096 characters");
  if (/[\u0000-\u001f\u007f]/.test(location)) throw invalid("it holds a control character");
  if (location.startsWith("-")) throw invalid("it begins with a dash");
  const helper = /^([A-Za-z0-9][A-Za-z0-9+.-]*)::/.exec(location)?.[1];
  if (helper) throw refusedTransport(`${helper}::`);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const scp = /^(?:([A-Za-z0-9._~-]+)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)(.+)$/.exec(location);
    if (scp && !isAbsolute(location) && !/^\.{1,2}\//.test(location)) {
      const [, user, host = "", path = ""] = scp;
      return remote("ssh", user, host, "", path.startsWith("/") ? path : `/${path}`, invalid);
    }
    return local(resolve(base, location));
  }
  let url: URL;
  try {
    url = new URL(location);
  } catch {
    throw invalid("it is no URL");
  }
  if (url.search !== "" || url.hash !== "") throw invalid("it has a query or a fragment");
  if (scheme === "file") {
    if (url.host !== "" && url.host !== "localhost") throw invalid("a file URL names another host");
    try {
      return local(resolve(fileURLToPath(new URL(url.pathname, "file:///"))));
    } catch {
      throw invalid("it is no file URL");
    }
  }
  if (scheme !== "https" && scheme !== "ssh") throw refusedTransport(`${scheme}://`);
  if (url.password !== "" || (scheme === "https" && url.username !== "")) {
    throw sourceErrors.make("SOURCE_LOCATION_INVALID", `expected a location without credentials for ${url.host}`, {
      hint: "Give credentials by GIT_ASKPASS or an ssh agent.",
    });
  }
  return remote(scheme, decodeURIComponent(url.username) || undefined, url.hostname, url.port, url.pathname, invalid);
}

function local(path: string): SourceLocation {
  return { kind: "local", path, uri: `git+file://${encodeURI(path)}` };
}

function remote(
  scheme: "https" | "ssh",
  user: string | undefined,
  host: string,
  port: string,
  path: string,
  invalid: (why: string) => Error,
): SourceLocation {
  // ssh would read a leading dash as an option.
  if (host === "" || host.startsWith("-") || user?.startsWith("-") || (user && !/^[A-Za-z0-9._~-]+$/.test(user))) {
    throw invalid("its host or user is malformed");
  }
  const clean = path.replace(/\/+$/, "");
  if (clean === "" || clean.startsWith("/-") || clean.split("/").includes("..")) throw invalid("its path is malformed");
  const authority = `${host.toLowerCase()}${port === "" ? "" : `:${port}`}`;
  return {
    kind: "remote",
    url: `${scheme}://${user === undefined ? "" : `${user}@`}${authority}${clean}`,
    uri: `git+${scheme}://${authority}${clean}`,
  };
}

function refusedTransport(found: string) {
  return sourceErrors.make("SOURCE_TRANSPORT_REFUSED", `expected a path, file, https or ssh, found ${found}`);
}

function show(location: string): string {
  // Never repeats what might be a password.
  return JSON.stringify(location.slice(0, 120).replace(/\/\/[^/@]*@/, "//…@"));
}
