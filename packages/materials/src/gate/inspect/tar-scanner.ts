import { createHash, type Hash } from "node:crypto";
import { type ArchiveLedger, isTelling, type Member } from "./ledger.ts";
import { readPax, readTarHeader, TAR_RECORD, type TarHeader, utf8 } from "./tar-header.ts";

/** Most bytes of a pax or GNU header. */
const longestHeader = 2 ** 20;

/** What stands before the next entry. */
interface Pending {
  pax?: Map<string, string>;
  longName?: string;
  longTarget?: string;
}

/** Reads a tar archive as it streams by, in flat memory. */
export class TarScanner {
  readonly #ledger: ArchiveLedger;
  #rest: Buffer = Buffer.alloc(0);
  #state: "header" | "content" | "padding" | "meta" | "end" = "header";
  #left = 0;
  #padding = 0;
  #zeros = 0;
  #headers = 0;
  #pending: Pending = {};
  #meta: { type: string; parts: Buffer[] } = { type: "", parts: [] };
  #file: { path: string; hash: Hash; kept?: Buffer[] } | undefined;
  readonly #dialects = new Set<"pax" | "gnu">();

  constructor(ledger: ArchiveLedger) {
    this.#ledger = ledger;
  }

  /** Headers that were read; none: this is no tar archive. */
  get headers(): number {
    return this.#headers;
  }

  take(chunk: Uint8Array): void {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (bytes.length > 0) {
      if (this.#state === "header" || this.#state === "end") bytes = this.#record(bytes);
      else bytes = this.#content(bytes);
    }
  }

  /** The stream is over. */
  end(): void {
    if (this.#state === "end" || (this.#state === "header" && this.#rest.length === 0)) {
      if (this.#headers === 0 && this.#zeros === 0) this.#ledger.fault("ARCHIVE_TRUNCATED", "an empty archive");
      if (hasPending(this.#pending)) this.#ledger.fault("ARCHIVE_TRUNCATED", "a pax or GNU header without an entry");
      return;
    }
    this.#ledger.fault("ARCHIVE_TRUNCATED", "the archive ends inside an entry");
  }

  #record(bytes: Buffer): Buffer {
    const need = TAR_RECORD - this.#rest.length;
    const block =
      this.#rest.length === 0 ? bytes.subarray(0, need) : Buffer.concat([this.#rest, bytes.subarray(0, need)]);
    if (block.length < TAR_RECORD) {
      this.#rest = Buffer.from(block);
      return bytes.subarray(bytes.length);
    }
    this.#rest = Buffer.alloc(0);
    this.#ledger.bytes(TAR_RECORD);
    const isZero = block.every((byte) => byte === 0);
    if (this.#state === "end") {
      if (!isZero) this.#ledger.stop("ARCHIVE_TRAILING_BYTES", "bytes behind the end of the archive");
    } else if (isZero) {
      if (++this.#zeros === 2) this.#state = "end";
    } else {
      if (this.#zeros > 0) this.#ledger.stop("ARCHIVE_TRAILING_BYTES", "an entry behind a zero record");
      this.#entry(readTarHeader(block, this.#ledger));
    }
    return bytes.subarray(need);
  }

  #entry(header: TarHeader): void {
    this.#headers++;
    if (/[xgLK]/.test(header.type)) {
      if (header.size > longestHeader) this.#ledger.stop("ARCHIVE_HEADER_BAD", "a pax or GNU header of many bytes");
      this.#meta = { type: header.type, parts: [] };
      this.#begin("meta", header.size);
      return;
    }
    const { pax, longName, longTarget } = this.#pending;
    this.#pending = {};
    const size = this.#sizeOf(header, pax?.get("size"));
    if ((pax?.has("path") && longName !== undefined) || (pax?.has("linkpath") && longTarget !== undefined)) {
      this.#ledger.fault("ARCHIVE_HEADER_CONFLICT", `a pax and a GNU path for ${header.name}`);
    }
    const path = pax?.get("path") ?? longName ?? header.name;
    const kind = this.#kindOf(header, path);
    const target = pax?.get("linkpath") ?? longTarget ?? header.target;
    const place =
      kind === undefined
        ? path
        : this.#ledger.member({ path, kind, mode: header.mode, ...(/link/.test(kind) ? { target } : {}) });
    if (kind !== "file" && size > 0)
      this.#ledger.fault("ARCHIVE_HEADER_CONFLICT", `${path} has content and is no file`);
    if (kind === "file") {
      const kept = isTelling(place, size) ? { kept: [] } : {};
      this.#file = { path: place, hash: createHash("sha256"), ...kept };
    }
    this.#begin("content", size);
  }

  #sizeOf(header: TarHeader, written: string | undefined): number {
    if (written === undefined) return header.size;
    if (!/^(?:0|[1-9][0-9]{0,14})$/.test(written)) {
      const code = written.startsWith("-") ? "ARCHIVE_SIZE_NEGATIVE" : "ARCHIVE_HEADER_BAD";
      return this.#ledger.stop(code, "a pax size that is no number");
    }
    // A reader that does not know pax takes the other one, and finds other entries.
    if (header.size !== 0 && header.size !== Number(written)) {
      this.#ledger.fault("ARCHIVE_HEADER_CONFLICT", `two sizes of ${header.name}: ${header.size} and ${written}`);
    }
    if (header.size === 0 && Number(written) > 0 && Number(written) < 8 * 2 ** 30) {
      this.#ledger.fault("ARCHIVE_HEADER_CONFLICT", `two sizes of ${header.name}: 0 and ${written}`);
    }
    return Number(written);
  }

  #kindOf(header: TarHeader, path: string): Member["kind"] | undefined {
    switch (header.type) {
      case "0":
      case "\0":
        return path.endsWith("/") && header.dialect === "old" ? "directory" : "file";
      case "1":
        return "hardlink";
      case "2":
        return "symlink";
      case "5":
        return "directory";
      case "3":
      case "4":
      case "6":
        this.#ledger.fault("ARCHIVE_DEVICE", path);
        return undefined;
      case "S":
        this.#ledger.stop("ARCHIVE_SPARSE", path);
        return undefined;
      default:
        this.#ledger.fault("ARCHIVE_ENTRY_KIND", `${path} is of type ${JSON.stringify(header.type)}`);
        return undefined;
    }
  }

  #begin(state: "content" | "meta", size: number): void {
    this.#state = state;
    this.#left = size;
    this.#padding = (TAR_RECORD - (size % TAR_RECORD)) % TAR_RECORD;
    if (size === 0) this.#finish();
  }

  #content(bytes: Buffer): Buffer {
    if (this.#state === "padding") {
      const skipped = Math.min(this.#padding, bytes.length);
      this.#padding -= skipped;
      if (this.#padding === 0) this.#state = "header";
      return bytes.subarray(skipped);
    }
    const part = bytes.subarray(0, Math.min(this.#left, bytes.length));
    this.#ledger.bytes(part.length);
    if (this.#state === "meta") this.#meta.parts.push(Buffer.from(part));
    this.#file?.hash.update(part);
    this.#file?.kept?.push(Buffer.from(part));
    this.#left -= part.length;
    if (this.#left === 0) this.#finish();
    return bytes.subarray(part.length);
  }

  #finish(): void {
    if (this.#state === "meta") this.#meaning(Buffer.concat(this.#meta.parts));
    if (this.#file) {
      this.#ledger.digests.set(this.#file.path, this.#file.hash.digest("hex"));
      if (this.#file.kept) this.#ledger.captured.set(this.#file.path, Buffer.concat(this.#file.kept));
      this.#file = undefined;
    }
    this.#state = this.#padding > 0 ? "padding" : "header";
  }

  #meaning(body: Buffer): void {
    const { type } = this.#meta;
    if (type === "g") {
      const keys = [...readPax(body, this.#ledger).keys()].filter((key) => /^(?:path|linkpath|size)$/.test(key));
      // A comment is harmless; a path for every entry that follows is not, and many readers ignore it.
      if (keys.length > 0) this.#ledger.fault("ARCHIVE_HEADER_CONFLICT", `a global pax header with ${keys.join(", ")}`);
      return;
    }
    this.#dialects.add(type === "x" ? "pax" : "gnu");
    if (this.#dialects.size === 2) this.#ledger.fault("ARCHIVE_HEADER_CONFLICT", "pax and GNU headers in one archive");
    const name = type === "x" ? "pax" : type === "L" ? "longName" : "longTarget";
    if (this.#pending[name] !== undefined) this.#ledger.fault("ARCHIVE_HEADER_CONFLICT", "two headers for one entry");
    if (type === "x") this.#pending.pax = readPax(body, this.#ledger);
    else {
      const end = body.indexOf(0);
      const value = utf8(end === -1 ? body : body.subarray(0, end), this.#ledger);
      if (type === "L") this.#pending.longName = value;
      else this.#pending.longTarget = value;
    }
  }
}

function hasPending(pending: Pending): boolean {
  return Object.values(pending).some((each) => each !== undefined);
}
