import {
  consistencyProof,
  inclusionProof,
  isFactoryError,
  leafHash,
  type SubtreeReader,
  verifyConsistency,
  verifyInclusion,
} from "@touchmark/core";
import {
  type Checkpoint,
  openCheckpoint,
  parseTile,
  subtreesOfTiles,
  type TileCoordinate,
  tilePath,
  tilesNeeded,
} from "@touchmark/formats/log";
import { h1Value } from "../ecosystems/go-checksums.ts";
import { goDigests } from "../ecosystems/go-dirhash.ts";
import { escapeCase } from "../ecosystems/go-module.ts";
import { coversName } from "../gate/package-pattern.ts";
import { upstreamErrors } from "./errors.ts";
import type { Asking, EvidenceQuestion, Found } from "./evidence.ts";
import type { SeenState } from "./seen-state.ts";
import type { ChecksumDatabase, KindTrust } from "./trust.ts";

/** First line of the tree heads of Go's checksum databases (golang.org/x/mod/sumdb/tlog). */
const ORIGIN = "go.sum database tree";

/**
 * Looks a module version up in the checksum database: the record stands in the signed tree, the tree continues every
 * tree that was seen, and the digest is that of the bytes that are here.
 * @throws UPSTREAM_RECORD_MISMATCH | UPSTREAM_LOG_FORKED | NOTE_* | CHECKPOINT_*
 */
export async function checkGoDatabase(
  question: EvidenceQuestion,
  asking: Asking,
  trust: KindTrust,
  seen: SeenState,
): Promise<Found | string> {
  const { name, version } = question.facts;
  const [database] = trust.databases;
  if (name === undefined || version === undefined || database === undefined) return "no module version is asked about";
  if (trust.rules.private.some((pattern) => coversName(pattern, name, "golang"))) {
    return "the configuration keeps this module's name from the database";
  }
  const base = database.url ?? new URL(`sumdb/${database.verifier.name}/`, question.facts.upstream.url).href;
  const lookup = await asking.file(new URL(`lookup/${escapeCase(name)}@${escapeCase(version)}`, base));
  if (lookup === undefined) return "the database does not know this module version";
  const { id, text, note } = readLookup(lookup);
  const head = openCheckpoint(note, { log: database.verifier, origin: ORIGIN });
  await checkTree({ id, text, head, note }, database, base, asking, seen);
  await checkDigest(text, question, name, version);
  return {
    signer: database.verifier.name,
    message: `record ${id} of ${head.size}, in a tree that continues every one seen before`,
  };
}

interface Lookup {
  readonly id: number;
  /** The record: what is hashed. */
  readonly text: string;
  readonly note: string;
}

/** A record's number, its lines, an empty line, and a signed tree head. */
function readLookup(bytes: Uint8Array): Lookup {
  const whole = Buffer.from(bytes).toString("utf8");
  const [, id, text, note] = /^(0|[1-9]\d{0,14})\n((?:[^\n]+\n){1,16})\n([^]+)$/.exec(whole) ?? [];
  if (bytes.length > 65_536 || id === undefined || text === undefined || note === undefined) {
    throw upstreamErrors.make(
      "UPSTREAM_ANSWER_MALFORMED",
      "expected a record and a signed tree head of a checksum database",
    );
  }
  return { id: Number(id), text, note };
}

async function checkTree(
  { id, text, head, note }: Lookup & { readonly head: Checkpoint },
  database: ChecksumDatabase,
  base: string,
  asking: Asking,
  seen: SeenState,
): Promise<void> {
  if (id >= head.size) {
    throw upstreamErrors.make("UPSTREAM_RECORD_MISMATCH", `expected a record below ${head.size}, found ${id}`);
  }
  const included = await provenBy(base, asking, head.size, (read) => inclusionProof(id, head.size, read));
  refuseAs("UPSTREAM_RECORD_MISMATCH", () =>
    verifyInclusion(id, head.size, leafHash(Buffer.from(text)), included, head.root),
  );
  const name = `go ${database.verifier.name}`;
  const before = seen.read(name);
  const known = before === undefined ? undefined : knownHead(before, database, name);
  if (known !== undefined) {
    const [from, to] = known.size <= head.size ? [known, head] : [head, known];
    const proof = await provenBy(base, asking, to.size, (read) => consistencyProof(from.size, to.size, read));
    refuseAs("UPSTREAM_LOG_FORKED", () => verifyConsistency(from.size, to.size, proof, from.root, to.root));
  }
  if (known === undefined || head.size > known.size) seen.write(name, note);
}

/** The tree head that was kept: by the same key, or it is no memory of this database. */
function knownHead(note: string, database: ChecksumDatabase, name: string): Checkpoint {
  try {
    return openCheckpoint(note, { log: database.verifier, origin: ORIGIN });
  } catch (cause) {
    throw upstreamErrors.make("UPSTREAM_STATE_DAMAGED", `expected the tree head that was seen of ${name}`, { cause });
  }
}

function refuseAs(code: "UPSTREAM_RECORD_MISMATCH" | "UPSTREAM_LOG_FORKED", check: () => void): void {
  try {
    check();
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw upstreamErrors.make(code, cause.message, { cause });
  }
}

/** Computes a proof over the tiles that it needs. What they hold is not trusted: the proof has to lead to a signed root. */
async function provenBy(
  base: string,
  asking: Asking,
  size: number,
  compute: (read: SubtreeReader) => Uint8Array[],
): Promise<Uint8Array[]> {
  const tiles = new Map<string, readonly Uint8Array[]>();
  for (const tile of tilesNeeded(size, compute)) tiles.set(tilePath(tile), await tileOf(base, asking, tile));
  return compute(subtreesOfTiles(size, (tile) => tiles.get(tilePath(tile)) ?? []));
}

async function tileOf(base: string, asking: Asking, tile: TileCoordinate): Promise<readonly Uint8Array[]> {
  const address = (each: TileCoordinate): URL => new URL(tilePath(each).replace(/^tile\//, "tile/8/"), base);
  const bytes = await asking.file(address(tile));
  if (bytes !== undefined) return hashesOf(bytes, tile.width);
  // A partial tile may be gone once the full one is there; its first hashes are the same.
  const full = tile.width === 256 ? undefined : await asking.file(address({ ...tile, width: 256 }));
  if (full !== undefined) return hashesOf(full, 256).slice(0, tile.width);
  throw upstreamErrors.make(
    "UPSTREAM_ANSWER_MALFORMED",
    `expected the tile ${tilePath(tile)} of the checksum database`,
  );
}

function hashesOf(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  return parseTile(bytes, width);
}

/** The record's line for this file must have its `h1`. */
async function checkDigest(text: string, question: EvidenceQuestion, name: string, version: string): Promise<void> {
  const { facts, path } = question;
  const [found] = await goDigests(facts, path);
  const start = facts.kind === "archive" ? `${name} ${version} ` : `${name} ${version}/go.mod `;
  const lines = text.split("\n").filter((line) => line.startsWith(start));
  const expected = lines.length === 1 ? h1Value(lines[0]?.slice(start.length) ?? "") : undefined;
  if (expected === undefined || found?.value !== expected) {
    const has = expected === undefined ? "no such line" : `h1 ${expected}`;
    throw upstreamErrors.make(
      "UPSTREAM_RECORD_MISMATCH",
      `expected h1 ${found?.value ?? "of a module"} for ${start.trim()}, found ${has} in the database`,
    );
  }
}
