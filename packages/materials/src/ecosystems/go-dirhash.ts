import { createHash } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import type { RequestFacts } from "../material.ts";
import { materialErrors } from "./errors.ts";
import { zipEntryDigest } from "./zip-content.ts";
import { malformed, readZipDirectory, tooLarge } from "./zip-directory.ts";

/** Bounds of golang.org/x/mod/zip: MaxZipFile, MaxGoMod. */
const limits = { entries: 65_000, bytes: 500 << 20 };
const maxGoMod = 16 << 20;

/** Go's `h1` of a module zip or of a `go.mod` file, as go.sum and the checksum database have it. */
export async function goDigests(facts: RequestFacts, path: string): Promise<readonly AnnouncedDigest[]> {
  const { name, version, fileName } = facts;
  if (name === undefined || version === undefined) return [];
  if (facts.kind === "archive") return [h1(await moduleFiles(path, `${name}@${version}/`))];
  if (facts.kind !== "metadata" || fileName?.endsWith(".mod") !== true) return [];
  const { size } = await stat(path);
  if (size > maxGoMod) {
    throw materialErrors.make(
      "MATERIAL_ARCHIVE_TOO_LARGE",
      `expected a go.mod of at most ${maxGoMod} bytes, found ${size}`,
    );
  }
  return [
    h1([
      [
        "go.mod",
        createHash("sha256")
          .update(await readFile(path))
          .digest("hex"),
      ],
    ]),
  ];
}

/** golang.org/x/mod/sumdb/dirhash.Hash1: SHA-256 over `HEX  NAME` lines, sorted by name. */
function h1(files: readonly (readonly [name: string, digest: string])[]): AnnouncedDigest {
  const sorted = [...files].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const hash = createHash("sha256");
  for (const [name, digest] of sorted) hash.update(`${digest}  ${name}\n`);
  return { algorithm: "h1", value: hash.digest("hex") };
}

/** Every file of a module zip; each lies below `MODULE@VERSION/`, and no two differ by case alone. */
async function moduleFiles(path: string, prefix: string): Promise<[string, string][]> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size > limits.bytes) tooLarge(`${limits.bytes} bytes`, size);
    const entries = await readZipDirectory(file, size, limits);
    const folded = new Set<string>();
    const files: [string, string][] = [];
    for (const entry of entries) {
      checkName(entry.name, prefix);
      const fold = entry.name.toLowerCase();
      if (folded.has(fold)) malformed(`names that differ by more than case, found ${JSON.stringify(entry.name)} twice`);
      folded.add(fold);
      files.push([entry.name, await zipEntryDigest(file, entry)]);
    }
    return files;
  } finally {
    await file.close();
  }
}

function checkName(name: string, prefix: string): void {
  const inside = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  const parts = inside.split("/");
  const clean = parts.every((part) => part !== "" && part !== "." && part !== "..") && !/[\\:]/.test(inside);
  if (!clean) malformed(`names below ${prefix}, found ${JSON.stringify(name.slice(0, 200))}`);
}
