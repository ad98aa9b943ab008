import { closeSync, fstatSync, readSync } from "node:fs";
import { posix } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { imageErrors } from "../errors.ts";
import { entryOf, type Prelude } from "../unpack/layer-header.ts";
import { unpackLimits } from "../unpack/limits.ts";
import { readPax } from "../unpack/pax.ts";
import { TAR_RECORD } from "../unpack/tar-field.ts";
import { readHeader } from "../unpack/tar-header.ts";
import { openPlain } from "./file-chunks.ts";

/** Where a file of an archive lies in it. */
export interface ArchiveMember {
  readonly offset: number;
  readonly size: number;
}

/** The files of a tar archive by name, with links resolved when asked for. */
export interface ArchiveIndex {
  find(name: string): ArchiveMember | undefined;
}

const MAX_MEMBERS = 50_000;
const MAX_META_BYTES = 1024 * 1024;

type Row = ArchiveMember | { readonly link: string };

/** Reads the headers of a tar archive, once, without its content. @throws IMAGE_ARCHIVE_INVALID */
export function indexArchive(file: string): ArchiveIndex {
  const descriptor = openPlain(file);
  if (descriptor === undefined) throw invalid(file, "no such file");
  const rows = new Map<string, Row>();
  try {
    readRows(descriptor, file, rows);
  } catch (cause) {
    if (isFactoryError(cause) && cause.code.startsWith("UNPACK_")) throw invalid(file, cause.message, cause);
    throw cause;
  } finally {
    closeSync(descriptor);
  }
  return {
    find(name) {
      const row = rows.get(name);
      if (row === undefined || !("link" in row)) return row;
      // One step: older writers of such archives link layers to each other, never links to links.
      const target = rows.get(row.link);
      return target === undefined || "link" in target ? undefined : target;
    },
  };
}

function readRows(descriptor: number, file: string, rows: Map<string, Row>): void {
  const end = fstatSync(descriptor).size;
  let prelude: Prelude = {};
  for (let at = 0; at < end; ) {
    const block = read(descriptor, at, TAR_RECORD, file);
    at += TAR_RECORD;
    if (block.every((byte) => byte === 0)) return;
    const raw = readHeader(block);
    if (/[xgLK]/.test(raw.type)) {
      if (raw.size > MAX_META_BYTES) throw invalid(file, `a header of ${raw.size} bytes`);
      const body = read(descriptor, at, raw.size, file);
      at += padded(raw.size);
      const text = () => body.toString("utf8").replace(/\0+$/, "");
      if (raw.type === "x") prelude = { ...prelude, pax: readPax(body) };
      else if (raw.type === "L") prelude = { ...prelude, longName: text() };
      else if (raw.type === "K") prelude = { ...prelude, longTarget: text() };
      continue;
    }
    const { header, stored } = entryOf(raw, prelude, undefined, unpackLimits);
    prelude = {};
    if (at + stored > end) throw invalid(file, `the end inside ${JSON.stringify(header.path)}`);
    if (header.kind !== "directory") {
      if (rows.has(header.path)) throw invalid(file, `two files named ${JSON.stringify(header.path)}`);
      if (rows.size >= MAX_MEMBERS) throw invalid(file, `more than ${MAX_MEMBERS} files`);
      const row = rowOf(header.kind, header.path, header.target ?? "", { offset: at, size: stored });
      if (row !== undefined) rows.set(header.path, row);
    }
    at += padded(stored);
  }
}

function rowOf(kind: string, path: string, target: string, member: ArchiveMember): Row | undefined {
  if (kind === "file") return member;
  if (kind === "hardlink") return { link: target };
  // Outside the archive there is nothing that it could mean.
  if (kind === "symlink") return { link: posix.join(posix.dirname(path), target) };
  return undefined;
}

function read(descriptor: number, at: number, size: number, file: string): Buffer {
  const bytes = Buffer.alloc(size);
  for (let done = 0; done < size; ) {
    const count = readSync(descriptor, bytes, done, size - done, at + done);
    if (count === 0) throw invalid(file, "the end inside a header");
    done += count;
  }
  return bytes;
}

function padded(size: number): number {
  return Math.ceil(size / TAR_RECORD) * TAR_RECORD;
}

function invalid(file: string, found: string, cause?: unknown): Error {
  return imageErrors.make("IMAGE_ARCHIVE_INVALID", `expected a docker archive at ${file}, found ${found}`, { cause });
}
