import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assembleImage, hostPlatform, openLayout } from "@touchmark/image";
import { findProgram } from "@touchmark/test-kit";
import { rolldown } from "rolldown";
import { type Contestant, interleave, median, pairRatio } from "../interleave.ts";

/**
 * What unpacking an image costs, beside umoci and beside skopeo with tar in the same session: `node bench/image/unpack.ts
 * [FILES] [ROUNDS] [DIRECTORY]`, JSON on standard output. Whole processes, start included, in turn; ours is bundled as the
 * command is. Every round writes to a directory of its own, and nothing is deleted before the end: a file system without
 * a journal is slow for minutes after many deletions. A directory in memory measures the programs alone.
 *
 * - unpack: about 585 MB in 20,625 files and five layers; ours verifies every digest and writes the listing's hashes
 * - store: the same into the store of unpacked images, and what it costs a step to have it verified again
 */
const files = Number(process.argv[2] ?? 20_625);
const rounds = Number(process.argv[3] ?? 5);
const base = mkdtempSync(join(process.argv[4] ?? tmpdir(), "touchmark-bench-unpack-"));
const layerCount = 5;

/** Text and numbers that pack about as well as programs and documents do; sizes as those of a root file system. */
function content(index: number): Buffer {
  const size = index % 200 === 0 ? 2_000_000 : 2000 + ((index * 7919) % 32_000);
  const bytes = Buffer.alloc(size);
  let state = index + 1;
  for (let at = 0; at < size; at += 4) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes.writeUInt32LE(at % 12 === 0 ? state : state % 61, Math.min(at, size - 4));
  }
  return bytes;
}

async function plant(layout: string): Promise<void> {
  const tree = join(base, "tree");
  for (let index = 0; index < files; index++) {
    const parent = join(tree, `layer-${index % layerCount}`, `package-${index % 997}`);
    mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `file-${index}`), content(index));
  }
  const layers = Array.from({ length: layerCount }, (_, index) => ({
    files: [{ kind: "directory", directory: join(tree, `layer-${index}`), to: `/usr/${index}` }] as const,
  }));
  const out = openLayout(layout);
  await assembleImage(
    { platform: hostPlatform(), layers, epoch: 1_700_000_000, user: "1001:1001" },
    { base: out, out, scratch: join(base, "scratch"), tag: "bench" },
  );
}

async function bundled(): Promise<string> {
  const file = join(base, "subject.mjs");
  const build = await rolldown({ input: join(import.meta.dirname, "unpack-subject.ts"), platform: "node" });
  await build.write({ file, format: "esm", codeSplitting: false });
  return file;
}

async function compare(what: string, contestants: readonly (Contestant | undefined)[]) {
  const timings = await interleave(
    contestants.filter((one) => one !== undefined),
    rounds,
  );
  const [ours] = timings;
  if (ours === undefined) throw new Error("nobody ran");
  return timings.map((timing) => ({
    what,
    name: timing.name,
    seconds: Number((median(timing.wallMs) / 1000).toFixed(2)),
    peakMiB: timing.peakMiB,
    ratio: timing === ours ? 1 : Number(pairRatio(ours, timing).toFixed(2)),
  }));
}

const layout = join(base, "layout");
await plant(layout);
const program = await bundled();
/** Runs a program with a directory of its own as last word. */
const fresh = (name: string, ...argv: string[]): Contestant => ({
  name,
  argv: ["/bin/sh", "-c", 'exec "$@" "$(mktemp -d "$0")/root"', join(base, "round-XXXXXX"), ...argv],
});
const umoci = findProgram("umoci");
const skopeo = findProgram("skopeo");
const byHand = `set -e; to=$(mktemp -d "$0"); "$1" --insecure-policy copy -q "oci:$2:bench" "dir:$to/image"; mkdir "$to/root"
  for layer in $("$3" -e 'for (const l of JSON.parse(require("fs").readFileSync(process.argv[1])).layers) console.log(l.digest.slice(7))' "$to/image/manifest.json"); do tar -xzf "$to/image/$layer" -C "$to/root"; done`;
const store = join(base, "store");
const stored = (name: string, what: string): Contestant => ({
  name,
  argv: [process.execPath, program, what, layout, store],
});
const rows = [
  ...(await compare(`unpack of ${files} files`, [
    fresh("touchmark", process.execPath, program, "unpack", layout),
    umoci === undefined ? undefined : fresh("umoci", umoci, "unpack", "--image", `${layout}:bench`),
    skopeo === undefined
      ? undefined
      : {
          name: "skopeo and tar",
          argv: ["/bin/sh", "-c", byHand, join(base, "round-XXXXXX"), skopeo, layout, process.execPath],
        },
  ])),
  ...(await compare(`store of unpacked images, ${files} files`, [
    stored("found, not verified", "ensure"),
    stored("verified by listing", "verify-listing"),
    stored("every byte hashed", "verify-rehash"),
    stored("derived from the layers", "derive"),
  ])),
];
rmSync(base, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify({ files, rounds, node: process.version, rows }, null, 2)}\n`);
