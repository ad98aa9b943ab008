import { javaErrors } from "./errors.ts";

const longest = 4 * 1024 * 1024;
const longestValue = 64 * 1024;

/**
 * Main section of a META-INF/MANIFEST.MF (JAR file specification): attributes by lower-case name. Lines are at most 72
 * bytes and go on behind one space; what stands twice counts once, the first time.
 * @throws SBOM_JAVA_MANIFEST_MALFORMED
 */
export function readManifest(bytes: Uint8Array, where: string): ReadonlyMap<string, string> {
  if (bytes.length > longest) {
    throw javaErrors.make("SBOM_JAVA_MANIFEST_MALFORMED", `${where}: expected a manifest of at most ${longest} bytes`);
  }
  const found = new Map<string, string>();
  let name: string | undefined;
  let value: string[] = [];
  const keep = (): void => {
    if (name !== undefined && !found.has(name)) found.set(name, value.join("").trim().slice(0, longestValue));
    name = undefined;
  };
  const text = Buffer.from(bytes)
    .toString("utf8")
    .replace(/^\ufeff/, "");
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith(" ")) {
      if (name !== undefined) value.push(line.slice(1));
      continue;
    }
    keep();
    // Sections on single files follow behind an empty line.
    if (line.trim() === "") {
      if (found.size > 0) return found;
      continue;
    }
    const colon = line.indexOf(":");
    const [, written] = /^([A-Za-z0-9][\w-]{0,200})\s*$/.exec(line.slice(0, Math.max(colon, 0))) ?? [];
    if (written === undefined) {
      throw javaErrors.make(
        "SBOM_JAVA_MANIFEST_MALFORMED",
        `${where}: expected NAME: VALUE, found ${JSON.stringify(line.slice(0, 80))}`,
      );
    }
    name = written.toLowerCase();
    value = [line.slice(colon + 1)];
  }
  keep();
  return found;
}
