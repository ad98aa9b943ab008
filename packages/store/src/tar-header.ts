/** One entry of a ustar/pax archive as this project writes them: no owner names, uid and gid 0. */
export interface TarEntry {
  /** Relative path with `/`; a directory's without the final one. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  /** Bytes of a file. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Seconds of the epoch. */
  readonly mtime: number;
  /** Target of a symlink. */
  readonly target?: string;
}

/** What a header can say beyond that, as layers of images need it. */
export interface TarHeaderEntry extends Omit<TarEntry, "kind"> {
  /** `hard-link`: one more name of the file at `target`, a path of the same archive that came before. */
  readonly kind: TarEntry["kind"] | "hard-link";
  /** Numeric owner. Default 0. */
  readonly uid?: number;
  /** Numeric group. Default 0. */
  readonly gid?: number;
  /** Extended attributes by name; written in byte order of names. Default none. */
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

/** Size of a tar record. */
export const TAR_BLOCK = 512;
// Eleven octal digits.
const MAX_OCTAL_SIZE = 0o77777777777;
// Seven octal digits.
const MAX_OCTAL_OWNER = 0o7777777;
const typeFlags = { file: "0", "hard-link": "1", directory: "5", symlink: "2" } as const;
const ascii = /^[\x20-\x7e]*$/;

/**
 * Header blocks of an entry: ustar (POSIX.1-1988), preceded by a pax header (POSIX.1-2001) only where ustar cannot
 * say it: paths over 100 bytes or not ASCII, sizes of 8 GiB and more, owners over 2,097,151, extended attributes.
 */
export function tarHeader(entry: TarHeaderEntry): Buffer {
  const path = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  const target = entry.target ?? "";
  const records: [string, string | Uint8Array][] = [];
  if (!fits(path)) records.push(["path", path]);
  if (!fits(target)) records.push(["linkpath", target]);
  if (entry.size > MAX_OCTAL_SIZE) records.push(["size", String(entry.size)]);
  if ((entry.uid ?? 0) > MAX_OCTAL_OWNER) records.push(["uid", String(entry.uid)]);
  if ((entry.gid ?? 0) > MAX_OCTAL_OWNER) records.push(["gid", String(entry.gid)]);
  for (const name of Object.keys(entry.xattrs ?? {}).sort()) {
    records.push([`SCHILY.xattr.${name}`, entry.xattrs?.[name] as Uint8Array]);
  }
  const header = ustar(fits(path) ? path : "pax", fits(target) ? target : "", entry, typeFlags[entry.kind]);
  if (records.length === 0) return header;
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const pax = ustar("PaxHeader", "", { size: body.length, mode: 0o644, mtime: entry.mtime }, "x");
  return Buffer.concat([pax, body, padding(body.length), header]);
}

/** Zeros that fill content up to a whole record. */
export function padding(size: number): Buffer {
  return Buffer.alloc((TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK);
}

/** The two zero records that end an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * TAR_BLOCK);
}

function fits(text: string): boolean {
  return text.length <= 100 && ascii.test(text);
}

function ustar(name: string, target: string, entry: Omit<TarHeaderEntry, "path" | "kind">, flag: string): Buffer {
  // From the pool of small buffers: a tree has many headers.
  const block = Buffer.allocUnsafe(TAR_BLOCK).fill(0);
  block.write(name, 0, 100, "latin1");
  octal(block, entry.mode & 0o7777, 100, 8);
  octal(block, ownerNumber(entry.uid), 108, 8);
  octal(block, ownerNumber(entry.gid), 116, 8);
  octal(block, entry.size > MAX_OCTAL_SIZE ? 0 : entry.size, 124, 12);
  octal(block, entry.mtime, 136, 12);
  block.write(flag, 156, 1, "latin1");
  block.write(target, 157, 100, "latin1");
  block.write("ustar\u000000", 257, 8, "latin1");
  octal(block, 0, 329, 8);
  octal(block, 0, 337, 8);
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  return block;
}

function octal(block: Buffer, value: number, offset: number, length: number): void {
  block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, offset, length, "latin1");
}

function ownerNumber(id = 0): number {
  return id > MAX_OCTAL_OWNER ? 0 : id;
}

function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const record = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
  let length = record.length;
  // The length counts its own digits.
  while (String(length).length + record.length !== length) length = String(length).length + record.length;
  return Buffer.concat([Buffer.from(String(length)), record]);
}
