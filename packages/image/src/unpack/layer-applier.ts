import { createHash, type Hash, hash } from "node:crypto";
import { unpackErrors } from "./errors.ts";
import type { ImageTree } from "./image-tree.ts";
import type { LayerHeader } from "./layer-entry.ts";
import type { LayerSink } from "./layer-parser.ts";
import { shown } from "./tar-field.ts";
import type { TreePlace } from "./tree-disk.ts";
import { type DirectoryNode, type FileFacts, type Original, pathOf } from "./tree-node.ts";

/** What is done with what a file system may hold and a step should not have. Everything that is not kept is listed. */
export interface UnpackPolicy {
  /** Devices and FIFOs. */
  readonly special: "skip" | "refuse";
  /** Setuid and setgid bits. */
  readonly setuid: "strip" | "refuse";
  /**
   * Extended attributes outside `user.`: file capabilities above all. None is ever written to disk, for which Node has no
   * call; those of `user.` are recorded.
   */
  readonly xattrs: "drop" | "refuse";
  /** `readable`: everybody may read every file and enter every directory, and execute what anybody may. */
  readonly modes: "readable" | "keep";
  /** Latest modification time, in seconds of the epoch; later ones become this one. */
  readonly latest?: number;
}

/** What was left out, and what was recorded instead of written. */
export interface UnpackLosses {
  readonly special: readonly { readonly path: string; readonly kind: LayerHeader["kind"] }[];
  readonly setuid: readonly { readonly path: string; readonly mode: number }[];
  readonly xattrs: readonly { readonly path: string; readonly name: string }[];
  /** Attributes of `user.`, in base64. */
  readonly recorded: readonly { readonly path: string; readonly name: string; readonly value: string }[];
}

type Lists = { -readonly [K in keyof UnpackLosses]: UnpackLosses[K][number][] };

/** The file that is being written. */
interface OpenFile {
  readonly header: LayerHeader;
  readonly facts: FileFacts;
  readonly path: string;
  descriptor: number;
  hash: Hash | undefined;
  /** Bytes so far, holes included. */
  at: number;
}

const mostOriginals = 4096;
const hole = Buffer.alloc(64 * 1024);
const noBytes = hash("sha256", "", "hex");

/** Puts the entries of layers into a tree, and their content on disk, with synchronous I/O. */
export class LayerApplier implements LayerSink {
  readonly losses: Lists = { special: [], setuid: [], xattrs: [], recorded: [] };
  readonly #tree: ImageTree;
  readonly #disk: TreePlace;
  readonly #policy: UnpackPolicy;
  readonly #originals = new Map<string, Original>();
  #file: OpenFile | undefined;

  constructor(tree: ImageTree, disk: TreePlace, policy: UnpackPolicy) {
    this.#tree = tree;
    this.#disk = disk;
    this.#policy = policy;
  }

  entry(header: LayerHeader): void {
    const { path, kind, whiteout } = header;
    if (whiteout !== undefined) return this.#tree.whiteout(whiteout);
    const mode = this.#modeOf(header);
    this.#attributes(header);
    const original = this.#originalOf(header);
    const mtime = this.#timeOf(header.mtime);
    switch (kind) {
      case "directory":
        return this.#tree.directory(path, { mode, original, mtime });
      case "symlink":
        this.#tree.symlink(path, header.target as string, original, mtime);
        return;
      case "hardlink":
        return this.#tree.hardlink(path, header.target as string);
      case "file": {
        const facts: FileFacts = { mode, original, mtime, size: header.size, sha256: "" };
        const node = this.#tree.file(path, facts);
        const place = pathOf(node);
        const descriptor = this.#disk.open(place, mode);
        this.#file = { header, facts, path: place, descriptor, hash: undefined, at: 0 };
        return;
      }
      default:
        if (this.#policy.special === "refuse") {
          throw unpackErrors.make("UNPACK_DEVICE", `expected no devices and FIFOs, found the ${kind} ${shown(path)}`);
        }
        this.#tree.skipped(path);
        this.losses.special.push({ path, kind });
    }
  }

  content(bytes: Buffer, offset: number): void {
    const file = this.#file;
    if (file === undefined) return;
    if (bytes.length === file.header.size) {
      file.facts.sha256 = hash("sha256", bytes, "hex");
    } else {
      file.hash ??= createHash("sha256");
      hashHole(file.hash, offset - file.at);
      file.hash.update(bytes);
    }
    file.at = offset + bytes.length;
    this.#disk.write(file.descriptor, bytes, file.header.sparse === undefined ? null : offset);
  }

  done(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    const { facts, header } = file;
    if (header.size === 0) facts.sha256 = noBytes;
    else if (facts.sha256 === "") {
      const digest = file.hash ?? createHash("sha256");
      hashHole(digest, header.size - file.at);
      facts.sha256 = digest.digest("hex");
    }
    const length = header.sparse === undefined ? {} : { length: header.size };
    this.#disk.close(file.descriptor, { mode: facts.mode, mtime: facts.mtime, ...length });
  }

  /** Lets go of a file that was never finished. */
  abandon(): void {
    if (this.#file !== undefined) this.#disk.abandon(this.#file.descriptor);
    this.#file = undefined;
  }

  /** Gives directories their modes and times, which writing below them would have changed. */
  finish(): void {
    const directories: DirectoryNode[] = [];
    for (const node of this.#tree.nodes()) if (node.kind === "directory") directories.push(node);
    // Deepest first: a directory may become one that its owner cannot enter.
    for (const node of directories.reverse()) this.#disk.finishDirectory(pathOf(node), node.mode, node.mtime);
    const { root } = this.#tree;
    this.#disk.finishDirectory("", root.mode, root.mtime);
  }

  /** Nearly all entries of an image share a few owners and modes. */
  #originalOf({ uid, gid, mode }: LayerHeader): Original {
    const key = `${uid} ${gid} ${mode}`;
    const known = this.#originals.get(key);
    if (known !== undefined) return known;
    const original = { uid, gid, mode };
    if (this.#originals.size < mostOriginals) this.#originals.set(key, original);
    return original;
  }

  #modeOf({ path, kind, mode }: LayerHeader): number {
    if (kind !== "file" && kind !== "directory") return mode;
    if ((mode & 0o6000) !== 0) {
      if (this.#policy.setuid === "refuse") {
        throw unpackErrors.make(
          "UNPACK_SETUID",
          `expected permission bits, found mode ${mode.toString(8)}: ${shown(path)}`,
        );
      }
      this.losses.setuid.push({ path, mode });
    }
    if (kind === "directory") {
      const plain = mode & 0o1777;
      return this.#policy.modes === "keep" ? plain : plain | 0o555;
    }
    // The sticky bit of a file means nothing to Linux.
    const plain = mode & 0o777;
    if (this.#policy.modes === "keep") return plain;
    return plain | ((plain & 0o111) === 0 ? 0o444 : 0o555);
  }

  #attributes({ path, xattrs }: LayerHeader): void {
    for (const [name, value] of xattrs) {
      if (name.startsWith("user.")) {
        this.losses.recorded.push({ path, name, value: Buffer.from(value).toString("base64") });
        continue;
      }
      if (this.#policy.xattrs === "refuse") {
        throw unpackErrors.make(
          "UNPACK_XATTR",
          `expected attributes of user. alone, found ${shown(name)}: ${shown(path)}`,
        );
      }
      this.losses.xattrs.push({ path, name });
    }
  }

  /** Whole seconds, which every file system can keep. */
  #timeOf(mtime: number): number {
    const latest = this.#policy.latest ?? 2 ** 33;
    return Math.min(Math.max(0, Math.floor(mtime)), latest);
  }
}

function hashHole(digest: Hash, bytes: number): void {
  for (let left = bytes; left > 0; left -= hole.length) {
    digest.update(left < hole.length ? hole.subarray(0, left) : hole);
  }
}
