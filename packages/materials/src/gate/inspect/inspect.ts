import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { InspectedArchive } from "../decision.ts";
import { readDeb } from "./deb-reader.ts";
import { type Packing, unpack } from "./decompress.ts";
import { type Allowances, ArchiveLedger, InspectionEnd, type InspectLimits } from "./ledger.ts";
import { readTelling } from "./programs.ts";
import { TarScanner } from "./tar-scanner.ts";
import { readZip } from "./zip-reader.ts";

type Format = InspectedArchive["format"];

const packings: Readonly<Partial<Record<Format, Packing>>> = {
  tar: "plain",
  "tar.gz": "gz",
  "tar.xz": "xz",
  "tar.bz2": "bz2",
  "tar.zst": "zst",
};

/** Formats that a file name promises. */
const promised: readonly (readonly [RegExp, Format])[] = [
  [/\.(?:tgz|tar\.gz|crate)$/i, "tar.gz"],
  [/\.(?:tar\.xz|txz)$/i, "tar.xz"],
  [/\.(?:tar\.bz2|tbz2?)$/i, "tar.bz2"],
  [/\.(?:tar\.zst|tzst)$/i, "tar.zst"],
  [/\.tar$/i, "tar"],
  [/\.(?:whl|zip|jar|war|ear|aar|egg|nupkg)$/i, "zip"],
  [/\.u?deb$/i, "deb"],
];

/**
 * Reads an archive whole, in flat memory, and says what it holds: digests, counts, install-time programs, licence, and
 * faults that no honest archive has. Never throws for what the archive holds. SPEC G10-G16.
 * @param fileName name under which it was published; its ending promises a format
 */
export async function inspectArchive(path: string, fileName: string, limits: InspectLimits): Promise<InspectedArchive> {
  const { size } = await stat(path);
  const name = basename(fileName);
  const wanted = promised.find(([pattern]) => pattern.test(name))?.[1];
  const found = await formatOf(path);
  const ledger = new ArchiveLedger(limits, allowances(name, found), size);
  if (wanted !== undefined && found !== wanted) {
    ledger.fault("ARCHIVE_FORMAT_UNEXPECTED", `expected ${wanted}, as the name ${name} says, found ${found}`);
  }
  if (found === "none") return { ...ledger.answer("none"), installScripts: [] };
  let programs: readonly string[] = [];
  let isTar = true;
  try {
    if (found === "zip") await readZip(path, size, limits.files, ledger);
    else if (found === "deb") programs = await readDeb(path, size, limits, ledger);
    else {
      const scanner = new TarScanner(ledger);
      try {
        await unpack({ path, start: 0, length: size }, packings[found] ?? "plain", ledger, (chunk) =>
          scanner.take(chunk),
        );
        scanner.end();
      } finally {
        isTar = scanner.headers > 0;
      }
    }
  } catch (cause) {
    if (!(cause instanceof InspectionEnd)) throw cause;
  }
  // A packed file that never claimed to be an archive: a single file.
  if (!isTar && wanted === undefined && ledger.faults.every((each) => /HEADER_BAD|TRUNCATED/.test(each.code))) {
    return { ...new ArchiveLedger(limits, allowances(name, found), size).answer("none"), installScripts: [] };
  }
  const telling = readTelling(name, ledger.captured, ledger.digests.keys());
  return { ...ledger.answer(found), ...telling, installScripts: [...programs, ...telling.installScripts] };
}

function allowances(name: string, found: Format): Allowances {
  return {
    system: found === "deb",
    inPlace: /\.(?:jar|war|ear|aar)$/i.test(name),
    stripped: /\.tgz$/i.test(name),
  };
}

async function formatOf(path: string): Promise<Format> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await file.read(head, 0, 512, 0);
    const begins = (hex: string) => head.subarray(0, bytesRead).toString("hex").startsWith(hex);
    if (begins("1f8b")) return "tar.gz";
    if (begins("504b0304") || begins("504b0506")) return "zip";
    if (begins("213c617263683e0a")) return "deb";
    if (begins("fd377a585a00")) return "tar.xz";
    if (begins("28b52ffd")) return "tar.zst";
    if (begins("425a68")) return "tar.bz2";
    // Before POSIX gave it a magic, only the checksum told a tar header.
    if (bytesRead === 512 && (head.toString("latin1", 257, 262) === "ustar" || sumHolds(head))) return "tar";
    return "none";
  } finally {
    await file.close();
  }
}

function sumHolds(head: Buffer): boolean {
  const written = /^ *([0-7]+)[\0 ]*$/.exec(head.toString("latin1", 148, 156))?.[1];
  let sum = 8 * 0x20;
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += head[i] as number;
  return written !== undefined && Number.parseInt(written, 8) === sum;
}
