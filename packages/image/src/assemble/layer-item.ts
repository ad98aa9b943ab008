import type { Digest } from "@touchmark/core";
import { imageErrors } from "../errors.ts";

/** One entry of a layer, ready to be written. */
export interface LayerItem {
  /** Path in the image, without the leading slash. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "hard-link";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds of the epoch. */
  readonly mtime: number;
  readonly size: number;
  readonly target?: string;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
  /** Where a file's bytes are; with a digest they are verified. */
  readonly content?: { readonly file: string; readonly digest?: Digest } | { readonly bytes: Uint8Array };
  /** Device and inode of a file with several names that shall stay one file. */
  readonly inode?: string;
  /** A whiteout: written before its siblings (image-spec 1.1, layer.md). */
  readonly isWhiteout?: boolean;
}

/** What holds for all entries of a layer. */
export interface ItemRules {
  /** Seconds of the epoch. */
  readonly epoch: number;
  /** Files may keep setuid and setgid bits. */
  readonly allowSetuid?: boolean;
}

/** Most bytes of a path in an image: what Linux takes. */
const MAX_PATH_BYTES = 4096;
const WHITEOUT_PREFIX = ".wh.";

// An empty part, `.` or `..`, or a control character anywhere.
const badPath = /(?:^|\/)\.{0,2}(?:\/|$)|[\0-\x1f\x7f]/;

/** Checks an absolute path of the image, and gives it without its slash; `/` gives "". @throws IMAGE_LAYER_PATH */
export function imagePath(path: string): string {
  if (path === "/") return "";
  const relative = path.startsWith("/") ? path.slice(1) : "";
  checkPath(relative, path);
  return relative;
}

/** @throws IMAGE_LAYER_PATH */
export function checkPath(relative: string, shown = relative): string {
  if (badPath.test(relative) || !relative.isWellFormed() || relative.includes("\ufffd")) {
    throw imageErrors.make(
      "IMAGE_LAYER_PATH",
      `expected a normalised path of printable UTF-8, found ${JSON.stringify(shown.slice(0, 200))}`,
    );
  }
  if (relative.length * 3 > MAX_PATH_BYTES && Buffer.byteLength(relative) > MAX_PATH_BYTES) {
    throw imageErrors.make("IMAGE_LAYER_PATH", `expected a path of at most ${MAX_PATH_BYTES} bytes`);
  }
  // A file of such a name would delete its namesake when the layer is unpacked.
  if (relative.includes(WHITEOUT_PREFIX) && relative.split("/").some((part) => part.startsWith(WHITEOUT_PREFIX))) {
    throw imageErrors.make(
      "IMAGE_LAYER_PATH",
      `expected no name that begins with ${WHITEOUT_PREFIX}, which stands for a deletion, found ${JSON.stringify(shown)}`,
    );
  }
  return relative;
}

/** Path of the file that stands for a deletion. */
export function whiteoutPath(path: string, kind: "whiteout" | "opaque"): string {
  if (kind === "opaque") return `${path}/.wh..wh..opq`;
  const cut = path.lastIndexOf("/") + 1;
  return `${path.slice(0, cut)}${WHITEOUT_PREFIX}${path.slice(cut)}`;
}

/** Refuses bits that give a program another user's rights. @throws IMAGE_SETUID */
export function checkMode(mode: number, path: string, kind: LayerItem["kind"], rules: ItemRules): number {
  const bits = mode & 0o7777;
  if ((bits & 0o6000) === 0 || rules.allowSetuid === true) return bits;
  const named = (bits & 0o4000) === 0 ? "setgid" : "setuid";
  throw imageErrors.make("IMAGE_SETUID", `expected no such bit in the image, found a ${named} ${kind} /${path}`);
}
