import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAbsent } from "@touchmark/store";

/** Where apt of this host keeps its sources. */
const SOURCES = "/etc/apt";

/**
 * Keyrings that the sources of apt on this host name (`Signed-By`), for a configuration that names none. Only absolute
 * paths of files count; fingerprints and keys within the sources are left to apt.
 */
export function hostDebianKeyrings(directory: string = SOURCES): string[] {
  const files = [
    join(directory, "sources.list"),
    ...listed(join(directory, "sources.list.d")).map((name) => join(directory, "sources.list.d", name)),
  ].filter((path) => /\.(?:list|sources)$/.test(path));
  const found = files.flatMap((path) => signedBy(readText(path)));
  // A source whose keyring is gone is one that apt cannot use either; it takes no trust from the others.
  return [...new Set(found)].filter((path) => existsSync(path));
}

function signedBy(text: string): string[] {
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  return lines.flatMap((line) => {
    const value =
      /^Signed-By:\s*(.*)$/i.exec(line)?.[1] ?? /^deb\S*\s+\[[^\]]*\bsigned-by=([^\s\]]+)/.exec(line)?.[1] ?? "";
    return value.split(/[\s,]+/).filter((path) => path.startsWith("/"));
  });
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(0, 1 << 20);
  } catch (error) {
    if (isAbsent(error)) return "";
    throw error;
  }
}
