const longestPath = 4096;

/** The one spelling of an archive's name: without leading and final slashes, empty and `.` parts. Undefined if `..` leads out. */
export function plainName(written: string): string | undefined {
  const parts: string[] = [];
  for (const part of written.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") return undefined;
    parts.push(part);
  }
  return parts.join("/");
}

/** True for a name that can stand in a tree: bounded, UTF-8, without control characters. */
export function isArchiveName(path: string): boolean {
  return path.length <= longestPath && !/[\u0000-\u001f\u007f\ufffd]/.test(path);
}
