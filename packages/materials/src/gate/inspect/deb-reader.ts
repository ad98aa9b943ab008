import { open } from "node:fs/promises";
import { type Packing, type Region, unpack } from "./decompress.ts";
import { ArchiveLedger, type InspectLimits } from "./ledger.ts";
import { TarScanner } from "./tar-scanner.ts";
import { readAt } from "./zip-directory.ts";

const packings: Readonly<Record<string, Packing>> = {
  "": "plain",
  ".gz": "gz",
  ".xz": "xz",
  ".zst": "zst",
  ".bz2": "bz2",
};

/** Maintainer scripts: dpkg runs them as root. */
const scripts = new Set(["preinst", "postinst", "prerm", "postrm", "config"]);

/** Reads a Debian package: its files into the ledger. Answers the maintainer scripts. */
export async function readDeb(
  path: string,
  size: number,
  limits: InspectLimits,
  ledger: ArchiveLedger,
): Promise<readonly string[]> {
  const members = await arMembers(path, size, ledger);
  const [version, control, content, ...others] = members;
  if (version?.name !== "debian-binary" || control === undefined || content === undefined) {
    return ledger.stop("ARCHIVE_HEADER_BAD", "expected debian-binary, control.tar and data.tar, in this order");
  }
  for (const other of others) ledger.fault("ARCHIVE_ENTRY_KIND", `a further member ${other.name}`);
  const about = new ArchiveLedger(limits, { system: true, inPlace: false, stripped: false }, size);
  await readTarMember(path, control, "control.tar", about, ledger);
  for (const { code, message } of about.faults) ledger.fault(code, `control: ${message}`);
  await readTarMember(path, content, "data.tar", ledger, ledger);
  const names = [...about.digests.keys()].filter((name) => scripts.has(name));
  for (const [name, digest] of about.digests) ledger.digests.set(`DEBIAN/${name}`, digest);
  return names.map((name) => `maintainer script ${name}`).sort();
}

interface ArMember extends Region {
  readonly name: string;
}

async function readTarMember(
  path: string,
  member: ArMember,
  wanted: string,
  into: ArchiveLedger,
  ledger: ArchiveLedger,
): Promise<void> {
  const packing = member.name.startsWith(wanted) ? packings[member.name.slice(wanted.length)] : undefined;
  if (packing === undefined) return ledger.stop("ARCHIVE_HEADER_BAD", `expected ${wanted}, found ${member.name}`);
  const scanner = new TarScanner(into);
  await unpack({ path, start: member.start, length: member.length }, packing, into, (chunk) => scanner.take(chunk));
  scanner.end();
}

async function arMembers(path: string, size: number, ledger: ArchiveLedger): Promise<ArMember[]> {
  const file = await open(path, "r");
  try {
    const members: ArMember[] = [];
    for (let at = 8; at < size; ) {
      const header = await readAt(file, at, Math.min(60, size - at), ledger);
      if (header.length < 60 || header.toString("latin1", 58, 60) !== "`\n") {
        ledger.stop("ARCHIVE_TRAILING_BYTES", "bytes that are no member of the package");
      }
      const name = header.toString("latin1", 0, 16).trimEnd().replace(/\/$/, "");
      const digits = header.toString("latin1", 48, 58).trimEnd();
      if (!/^(?:0|[1-9][0-9]{0,9})$/.test(digits)) ledger.stop("ARCHIVE_HEADER_BAD", `the size of ${name}`);
      const length = Number(digits);
      if (at + 60 + length > size) ledger.stop("ARCHIVE_TRUNCATED", `${name} is cut`);
      if (members.some((each) => each.name === name)) ledger.stop("ARCHIVE_ENTRY_TWICE", name);
      if (members.length >= 16) ledger.stop("ARCHIVE_TOO_MANY_ENTRIES", "more than 16 members");
      members.push({ name, path, start: at + 60, length });
      at += 60 + length + (length % 2);
    }
    return members;
  } finally {
    await file.close();
  }
}
