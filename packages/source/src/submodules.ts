import { sourceErrors } from "./errors.ts";
import { parseLocation, type SourceLocation } from "./location.ts";

/**
 * Locations of submodules by path, read from `.gitmodules`. Only `path` and `url` are looked at: `update`, which can
 * hold a command, and everything else mean nothing here.
 */
export function parseGitmodules(text: string): Map<string, string> {
  const urls = new Map<string, string>();
  let path: string | undefined;
  let url: string | undefined;
  const close = () => {
    if (path !== undefined && url !== undefined) urls.set(path, url);
    path = undefined;
    url = undefined;
  };
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line.startsWith("[")) {
      close();
      continue;
    }
    const match = /^([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*)$/.exec(line);
    if (!match) continue;
    const value = (match[2] ?? "").replace(/^"(.*)"$/, "$1");
    if (match[1]?.toLowerCase() === "path") path = value;
    if (match[1]?.toLowerCase() === "url") url = value;
  }
  close();
  return urls;
}

/**
 * Where a submodule is fetched from. Relative locations start at the superproject; a remote superproject cannot name
 * a directory of this host.
 *
 * @throws SOURCE_SUBMODULE_UNSAFE, SOURCE_TRANSPORT_REFUSED
 */
export function submoduleLocation(url: string | undefined, path: string, parent: SourceLocation): string {
  const unsafe = (why: string) =>
    sourceErrors.make(
      "SOURCE_SUBMODULE_UNSAFE",
      `expected a usable location for the submodule ${JSON.stringify(path)}: ${why}`,
    );
  if (url === undefined) throw unsafe(".gitmodules names none");
  if (url.startsWith("-")) throw unsafe("it begins with a dash");
  let absolute = url;
  if (/^\.{1,2}\//.test(url)) absolute = join(parent.kind === "local" ? parent.path : parent.url, url);
  else if (!url.includes(":") && !url.startsWith("/")) throw unsafe("it is no location");
  let location: SourceLocation;
  try {
    location = parseLocation(absolute);
  } catch (cause) {
    if ((cause as { code?: string }).code === "SOURCE_TRANSPORT_REFUSED") throw cause;
    throw sourceErrors.make(
      "SOURCE_SUBMODULE_UNSAFE",
      `the location of the submodule ${JSON.stringify(path)} is refused`,
      { cause },
    );
  }
  if (location.kind === "local" && parent.kind === "remote")
    throw unsafe("a remote repository names a directory of this host");
  return location.kind === "local" ? location.path : location.url;
}

function join(base: string, relative: string): string {
  const parts = base.replace(/\/+$/, "").split("/");
  for (const part of relative.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}
