import { unpackErrors } from "./errors.ts";
import type { LayerEntryKind, Whiteout } from "./layer-entry.ts";
import type { UnpackLimits } from "./limits.ts";
import { shown } from "./tar-field.ts";

const longestName = 255;
const mark = ".wh.";
const opaque = ".wh..wh..opq";

type PathLimits = Pick<UnpackLimits, "pathBytes" | "depth">;

/**
 * The one spelling of an entry's path: relative, no empty or `.` parts, no final slash; empty for the root.
 * @throws UNPACK_PATH_ABSOLUTE | UNPACK_PATH_OUTSIDE | UNPACK_NAME_INVALID | UNPACK_NAME_TOO_LONG | UNPACK_PATH_TOO_LONG | UNPACK_PATH_TOO_DEEP
 */
export function entryPath(written: string, limits: PathLimits): string {
  if (written === "") throw unpackErrors.make("UNPACK_NAME_INVALID", "expected a path, found an empty one");
  // The root by its other name, which umoci writes; it must be a directory all the same.
  if (written === "/") return "";
  if (written.startsWith("/")) {
    throw unpackErrors.make("UNPACK_PATH_ABSOLUTE", `expected a relative path, found ${shown(written)}`);
  }
  return plainPath(written, limits, "UNPACK_PATH_OUTSIDE");
}

/** The same of a hard link's target. @throws UNPACK_LINK_INVALID | UNPACK_LINK_OUTSIDE and as `entryPath` */
export function linkPath(written: string, limits: PathLimits): string {
  if (written === "") throw unpackErrors.make("UNPACK_LINK_INVALID", "expected the target of a hard link, found none");
  if (written.startsWith("/")) {
    throw unpackErrors.make("UNPACK_LINK_OUTSIDE", `expected a hard link within the layer, found ${shown(written)}`);
  }
  return plainPath(written, limits, "UNPACK_LINK_OUTSIDE");
}

/** Checks where a symbolic link leads to: anywhere, for it is never followed here. @throws UNPACK_LINK_INVALID */
export function symlinkTarget(written: string): string {
  if (written === "" || written.includes("\0") || Buffer.byteLength(written) > 4095) {
    throw unpackErrors.make("UNPACK_LINK_INVALID", `expected the target of a link, found ${shown(written)}`);
  }
  return written;
}

function plainPath(
  written: string,
  limits: PathLimits,
  outside: "UNPACK_PATH_OUTSIDE" | "UNPACK_LINK_OUTSIDE",
): string {
  if (/[\u0000-\u001f\u007f-\u009f]/.test(written)) {
    throw unpackErrors.make("UNPACK_NAME_INVALID", `expected printable names, found ${shown(written)}`);
  }
  const parts: string[] = [];
  for (const part of written.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      throw unpackErrors.make(outside, `expected a path within the layer, found ${shown(written)}`);
    }
    if (part.length > 63 && Buffer.byteLength(part) > longestName) {
      throw unpackErrors.make("UNPACK_NAME_TOO_LONG", `expected names of ${longestName} bytes, found ${shown(part)}`);
    }
    parts.push(part);
  }
  if (parts.length > limits.depth) {
    throw unpackErrors.make("UNPACK_PATH_TOO_DEEP", `expected at most ${limits.depth} parts, found ${parts.length}`);
  }
  const path = parts.join("/");
  if (path.length * 3 > limits.pathBytes && Buffer.byteLength(path) > limits.pathBytes) {
    throw unpackErrors.make(
      "UNPACK_PATH_TOO_LONG",
      `expected paths of at most ${limits.pathBytes} bytes, found ${Buffer.byteLength(path)}`,
    );
  }
  return path;
}

/**
 * What an entry takes away from lower layers, if its name says so (image-spec 1.1, layer.md, "Whiteouts").
 * @throws UNPACK_WHITEOUT_INVALID | UNPACK_WHITEOUT_ROOT
 */
export function whiteoutOf(path: string, kind: LayerEntryKind, size: number): Whiteout | undefined {
  if (!path.includes(mark)) return undefined;
  const slash = path.lastIndexOf("/");
  const directory = path.slice(0, Math.max(slash, 0));
  const name = path.slice(slash + 1);
  if (directory.startsWith(mark) || directory.includes(`/${mark}`)) throw invalid(path, "a directory in its path");
  if (!name.startsWith(mark)) return undefined;
  if (kind !== "file" || size !== 0) throw invalid(path, `a ${kind} of ${size} bytes`);
  if (name === opaque) {
    if (directory === "") throw wipes(path);
    return { kind: "opaque", path: directory };
  }
  const rest = name.slice(mark.length);
  if (rest === "" || rest === "." || rest === "..") throw directory === "" ? wipes(path) : invalid(path, "no name");
  if (rest.startsWith(mark)) throw invalid(path, "a mark twice");
  return { kind: "entry", path: directory === "" ? rest : `${directory}/${rest}` };
}

function invalid(path: string, found: string): Error {
  return unpackErrors.make(
    "UNPACK_WHITEOUT_INVALID",
    `expected a whiteout to be an empty file .wh.NAME, found ${found}: ${shown(path)}`,
  );
}

function wipes(path: string): Error {
  return unpackErrors.make(
    "UNPACK_WHITEOUT_ROOT",
    `expected whiteouts within the tree, found one of the root: ${shown(path)}`,
  );
}
