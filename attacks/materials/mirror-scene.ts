import { mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, fixedClock, sha256 } from "@touchmark/core";
import { type MaterialRecord, type MirrorOptions, openMirror } from "@touchmark/materials";
import { openContentStore, openHome, padding, removeTree, tarEnd, tarHeader } from "@touchmark/store";
import { onTestFinished } from "vitest";

/** A directory that is deleted when the test is done. */
export function freshDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-mirror-attack-")));
  onTestFinished(() => {
    removeTree(directory);
  });
  return directory;
}

/** A mirror to attack. */
export async function victim() {
  const home = await openHome(join(freshDirectory(), "home"), { create: true });
  const content = await openContentStore(home);
  const options: MirrorOptions = {
    directory: home.paths.materials,
    content,
    clock: fixedClock("2026-11-22T12:00:00Z"),
  };
  return { home, content, options, mirror: await openMirror(options) };
}

/** One member of an archive that somebody made by hand. */
export interface Member {
  readonly path: string;
  readonly content?: string;
  /** Size in the header, when it lies. */
  readonly size?: number;
  readonly kind?: "file" | "directory" | "symlink";
  readonly target?: string;
}

/** The member of a record's body. */
export function bodyOf(word: string): Member {
  return { path: `bodies/sha256/${sha256(word).slice(7)}`, content: word };
}

/** Writes an archive as nobody's exporter does. */
export function craft(members: readonly Member[], end: Uint8Array = tarEnd()): string {
  const parts = members.flatMap(({ path, content = "", size, kind = "file", target = "" }) => {
    const bytes = Buffer.from(content);
    const header = tarHeader({ path, kind, size: size ?? bytes.length, mode: 0o644, mtime: 0, target });
    return [header, bytes, padding(bytes.length)];
  });
  const file = join(freshDirectory(), "archive.tar");
  writeFileSync(file, Buffer.concat([...parts, end]));
  return file;
}

/** An index as an exporter writes it, checksum and all, of whatever records. */
export function indexOf(records: readonly unknown[], format = "touchmark mirror archive v1"): Member {
  return { path: "index.json", content: sealed({ format, records }) };
}

/** Bytes of a document with its checksum: whoever can write files can compute it. */
export function sealed(document: object): string {
  const checksum = sha256(canonicalJson(document)).slice(7);
  return `${canonicalJson({ ...document, checksum })}\n`;
}

/** The code that the defence answers with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (cause) {
    return String((cause as { code?: unknown }).code ?? cause);
  }
  return "accepted";
}

/** Where the document of a record lies. */
export function documentOf(options: MirrorOptions, record: MaterialRecord): string {
  return join(options.directory, "records", record.key.slice(0, 2), `${record.key}.json`);
}
