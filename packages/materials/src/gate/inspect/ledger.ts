import type { InspectedArchive } from "../decision.ts";

/** Bounds of an inspection. */
export interface InspectLimits {
  /** Bytes of all content together. */
  readonly unpackedBytes: number;
  readonly files: number;
  /** How many times larger the content may be than the archive, from 16 MiB of content on. */
  readonly ratio: number;
}

/** Codes of what no honest archive holds. They stand in faults, not in errors. */
export type ArchiveFault =
  | "ARCHIVE_FORMAT_UNEXPECTED"
  | "ARCHIVE_UNREADABLE"
  | "ARCHIVE_TRUNCATED"
  | "ARCHIVE_HEADER_BAD"
  | "ARCHIVE_HEADER_CONFLICT"
  | "ARCHIVE_PATH_OUTSIDE"
  | "ARCHIVE_NAME_INVALID"
  | "ARCHIVE_LINK_OUTSIDE"
  | "ARCHIVE_LINK_FOLLOWED"
  | "ARCHIVE_ENTRY_TWICE"
  | "ARCHIVE_ENTRY_COLLIDES"
  | "ARCHIVE_ENTRY_KIND"
  | "ARCHIVE_DEVICE"
  | "ARCHIVE_SETUID"
  | "ARCHIVE_SPARSE"
  | "ARCHIVE_SIZE_NEGATIVE"
  | "ARCHIVE_TRAILING_BYTES"
  | "ARCHIVE_PREFIX_BYTES"
  | "ARCHIVE_HIDDEN_BYTES"
  | "ARCHIVE_ENTRIES_OVERLAP"
  | "ARCHIVE_CONTENT_DIFFERS"
  | "ARCHIVE_DESCRIPTOR"
  | "ARCHIVE_ENCRYPTED"
  | "ARCHIVE_METHOD_UNKNOWN"
  | "ARCHIVE_TOO_LARGE"
  | "ARCHIVE_TOO_MANY_ENTRIES"
  | "ARCHIVE_RATIO";

/** One entry of an archive, whatever its format. */
export interface Member {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "hardlink";
  readonly mode: number;
  /** Of a link. */
  readonly target?: string;
}

/** What the format of a package allows that others may not. */
export interface Allowances {
  /** Installed at the root of a system: links may be absolute, programs setuid, names differ by case alone. */
  readonly system: boolean;
  /** Read in place and never unpacked: names may differ by case alone. */
  readonly inPlace: boolean;
  /** Unpacked without its first directory, as npm does. */
  readonly stripped: boolean;
}

/** Thrown inside an inspection when reading on makes no sense; the fault is noted before. */
export class InspectionEnd extends Error {}

/** Takes down what an archive holds, and what it should not. */
export class ArchiveLedger {
  readonly digests = new Map<string, string>();
  readonly faults: { code: ArchiveFault; message: string }[] = [];
  /** Small files that say something about the package, by path. */
  readonly captured = new Map<string, Uint8Array>();
  files = 0;
  unpackedBytes = 0;
  readonly #limits: InspectLimits;
  readonly #allow: Allowances;
  readonly #archiveBytes: number;
  readonly #seen = new Map<string, Member["kind"]>();
  readonly #folded = new Map<string, string>();
  readonly #links = new Set<string>();

  constructor(limits: InspectLimits, allow: Allowances, archiveBytes: number) {
    this.#limits = limits;
    this.#allow = allow;
    this.#archiveBytes = archiveBytes;
  }

  fault(code: ArchiveFault, message: string): void {
    // Enough for any person; a hostile archive could have millions.
    if (this.faults.length < 100) this.faults.push({ code, message: shown(message) });
  }

  /** Notes a fault and ends the inspection. */
  stop(code: ArchiveFault, message: string): never {
    this.fault(code, message);
    throw new InspectionEnd(code);
  }

  /** Counts content before it is unpacked further. */
  bytes(count: number): void {
    this.unpackedBytes += count;
    const { unpackedBytes, ratio } = this.#limits;
    if (this.unpackedBytes > unpackedBytes) {
      this.stop("ARCHIVE_TOO_LARGE", `expected at most ${unpackedBytes} bytes of content, found more`);
    }
    if (this.unpackedBytes > 16 * 2 ** 20 && this.unpackedBytes > this.#archiveBytes * ratio) {
      this.stop("ARCHIVE_RATIO", `expected at most ${ratio} times the size of the archive, found more`);
    }
  }

  /** Checks and counts an entry; answers its path in the one spelling. */
  member(entry: Member): string {
    if (++this.files > this.#limits.files) {
      this.stop("ARCHIVE_TOO_MANY_ENTRIES", `expected at most ${this.#limits.files} entries, found more`);
    }
    const path = this.#checkPath(entry.path);
    this.#checkTwice(path, entry.kind);
    this.#checkLink(path, entry);
    if ((entry.mode & 0o6000) !== 0 && entry.kind === "file" && !this.#allow.system) {
      this.fault("ARCHIVE_SETUID", `${path} has mode ${entry.mode.toString(8)}`);
    }
    return path;
  }

  #checkPath(written: string): string {
    const text = written.replace(/\\/g, "/");
    if (text.startsWith("/") || /^[A-Za-z]:/.test(text) || text.split("/").includes("..")) {
      this.fault("ARCHIVE_PATH_OUTSIDE", written);
    }
    if (/[\u0000-\u001f\u007f\ufffd]/.test(written)) this.fault("ARCHIVE_NAME_INVALID", written);
    const path = text
      .split("/")
      .filter((part) => part !== "" && part !== ".")
      .join("/");
    return path === "" ? "." : path;
  }

  #checkTwice(path: string, kind: Member["kind"]): void {
    const places = this.#allow.stripped ? [path, `\0${path.split("/").slice(1).join("/")}`] : [path];
    for (const place of places) {
      const other = this.#seen.get(place);
      if (other !== undefined && !(other === "directory" && kind === "directory")) {
        this.fault("ARCHIVE_ENTRY_TWICE", path);
        break;
      }
      if (place !== "\0") this.#seen.set(place, kind);
    }
    if (this.#allow.system || this.#allow.inPlace) return;
    const folded = path.normalize("NFKC").toLowerCase();
    const twin = this.#folded.get(folded);
    if (twin !== undefined && twin !== path) this.fault("ARCHIVE_ENTRY_COLLIDES", `${twin} and ${path}`);
    this.#folded.set(folded, path);
  }

  #checkLink(path: string, { kind, target }: Member): void {
    const parts = path.split("/");
    for (let i = 1; i < parts.length; i++) {
      if (this.#links.has(parts.slice(0, i).join("/"))) {
        this.fault("ARCHIVE_LINK_FOLLOWED", `${path} lies behind a link of the archive`);
        break;
      }
    }
    if (target === undefined) return;
    if (kind === "symlink") this.#links.add(path);
    if (this.#allow.system && kind === "symlink") return;
    const text = target.replace(/\\/g, "/");
    const base = kind === "symlink" ? parts.slice(0, -1) : [];
    const isOutside = text.startsWith("/") || /^[A-Za-z]:/.test(text) || leaves(base, text);
    const isDangling = kind === "hardlink" && !this.#seen.has(this.#plain(text));
    if (isOutside || isDangling) this.fault("ARCHIVE_LINK_OUTSIDE", `${path} leads to ${target}`);
  }

  #plain(text: string): string {
    return text
      .split("/")
      .filter((part) => part !== "" && part !== ".")
      .join("/");
  }

  answer(format: InspectedArchive["format"]): Omit<InspectedArchive, "installScripts" | "licence"> {
    const { files, unpackedBytes, digests, faults } = this;
    return { format, files, unpackedBytes, digests, faults };
  }
}

function leaves(base: readonly string[], target: string): boolean {
  let depth = base.length;
  for (const part of target.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return true;
  }
  return false;
}

function shown(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "?").slice(0, 200);
}

/** Names of files whose content says something about the package; read when they lie near the root. */
const telling = new Set([
  "package.json",
  "binding.gyp",
  "setup.py",
  "pyproject.toml",
  "PKG-INFO",
  "METADATA",
  "Cargo.toml",
  "build.rs",
]);
const longestTelling = 2 ** 20;

/** True when a file's content is kept for a look. */
export function isTelling(path: string, size: number): boolean {
  const parts = path.split("/");
  return size <= longestTelling && parts.length <= 2 && telling.has(parts.at(-1) ?? "");
}
