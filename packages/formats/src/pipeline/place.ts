/** Directories of the system inside a sandbox: nothing is mounted at, above or below them. */
const reservedPlaces = [
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/home",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/opt",
  "/proc",
  "/root",
  "/run",
  "/sbin",
  "/sys",
  "/tmp",
  "/usr",
  "/var",
] as const;

/** The reserved directory that a place would cover or enter, or undefined. */
export function reservedPlace(place: string): string | undefined {
  return reservedPlaces.find((reserved) => isInside(place, reserved) || isInside(reserved, place));
}

/** True when `place` is `outer` or lies below it. Both absolute and normalised. */
export function isInside(place: string, outer: string): boolean {
  return place === outer || outer === "/" || place.startsWith(`${outer}/`);
}

/** Why a place is not absolute and normalised, or undefined when it is. */
export function placeFault(place: string): string | undefined {
  if (!place.startsWith("/")) return "expected an absolute path such as /work/source";
  const parts = place.slice(1).split("/");
  if (place === "/") return "expected a directory below /";
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    return "expected a path without `.`, `..`, `//` or a slash at the end";
  }
  return undefined;
}

/** Why a path inside a tree is not relative and normalised, or undefined when it is. `.` is the tree itself. */
export function relativeFault(path: string): string | undefined {
  if (path === ".") return undefined;
  if (path.startsWith("/") || path.startsWith("~")) return "expected a path relative to the output of the step";
  if (path === "" || path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    return "expected a path inside the output, without `.`, `..`, `//` or a slash at the end";
  }
  if (/[*?]/.test(path)) return "expected one exact path, not a pattern; let the step give the file a fixed name";
  return undefined;
}
