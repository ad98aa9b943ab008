import { javaErrors } from "./errors.ts";

const longest = 1024 * 1024;

/**
 * Reads a file of java.util.Properties: comments, continued lines, escapes. Of a key that stands twice the last counts.
 * @throws SBOM_JAVA_MANIFEST_MALFORMED
 */
export function readProperties(bytes: Uint8Array, where: string): ReadonlyMap<string, string> {
  if (bytes.length > longest) {
    throw javaErrors.make("SBOM_JAVA_MANIFEST_MALFORMED", `${where}: expected at most ${longest} bytes of properties`);
  }
  const found = new Map<string, string>();
  for (const line of logicalLines(Buffer.from(bytes).toString("utf8"))) {
    // The key ends at the first `=`, `:` or blank that is not escaped.
    const [, key = "", rest = ""] = /^((?:[^\\=:\s]|\\.)*)(.*)$/s.exec(line) ?? [];
    if (key !== "") found.set(unescaped(key), unescaped(rest.replace(/^[ \t\f]*[=:]?[ \t\f]*/, "")));
  }
  return found;
}

function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const raw of text.split(/\r\n|\r|\n/)) {
    const line = raw.replace(/^[ \t\f]+/, "");
    if (open === undefined && (line === "" || line.startsWith("#") || line.startsWith("!"))) continue;
    const written: string = (open ?? "") + line;
    let end = line.length;
    while (end > 0 && line[end - 1] === "\\") end--;
    if ((line.length - end) % 2 === 1) open = written.slice(0, -1);
    else {
      lines.push(written);
      open = undefined;
    }
  }
  if (open !== undefined) lines.push(open);
  return lines;
}

const letters: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|(.))/gs, (_, hex: string | undefined, one: string | undefined) =>
    hex === undefined ? (letters[one ?? ""] ?? one ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
