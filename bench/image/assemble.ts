import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { assembleImage, openLayout } from "@touchmark/image";
import { rolldown } from "rolldown";
import { type Contestant, interleave, median, pairRatio } from "../interleave.ts";

/**
 * What putting an image together costs, beside umoci and crane in the same session: `node bench/image/assemble.ts [FILES]
 * [ROUNDS]`, JSON on standard output. Whole processes, start included, in turn; ours is bundled as the command is.
 *
 * - repack: 20,000 files (about 110 MB) as a layer upon a base, with the default level, against `umoci repack` with its own
 * - append: the same content as one file upon a base, against `crane append`, both with gzip's level 1
 */
const files = Number(process.argv[2] ?? 20_000);
const rounds = Number(process.argv[3] ?? 5);
const peers = join(process.env["TOUCHMARK_PEERS"] ?? join(homedir(), ".cache", "touchmark-peers"), "bin");
const base = mkdtempSync(join(tmpdir(), "touchmark-bench-image-"));

/** Text that packs about as well as sources do. */
function content(i: number): string {
  const words: string[] = [];
  let state = i + 1;
  for (let j = 0; j < 800; j++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    words.push((state % 5 === 0 ? state : state % 997).toString(36));
  }
  return words.join(i % 3 === 0 ? " " : "();\n");
}

function plant(directory: string): void {
  for (let i = 0; i < files; i++) {
    const parent = join(directory, `package-${i % 400}`);
    if (i < 400) mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `file-${i}.js`), content(i));
  }
}

async function plantBase(layout: string): Promise<void> {
  const files = [{ kind: "file", to: "/etc/os-release", content: Buffer.from("ID=bench\n") } as const];
  const platform = { os: "linux", architecture: "amd64" };
  const out = openLayout(layout);
  await assembleImage(
    { platform, layers: [{ files }], epoch: 0, user: "1" },
    { out, scratch: join(base, "scratch"), tag: "base" },
  );
}

async function bundled(): Promise<string> {
  const file = join(base, "subject.mjs");
  const build = await rolldown({ input: join(import.meta.dirname, "subject.ts"), platform: "node" });
  await build.write({ file, format: "esm", codeSplitting: false });
  return file;
}

function find(name: string): string | undefined {
  return [peers, ...(process.env["PATH"] ?? "").split(delimiter)]
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
}

async function compare(what: string, contestants: readonly (Contestant | undefined)[]) {
  const present = contestants.filter((one) => one !== undefined);
  const timings = await interleave(present, rounds);
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

const tree = join(base, "tree");
const single = join(base, "single");
plant(tree);
mkdirSync(single);
writeFileSync(join(single, "all.js"), Array.from({ length: files }, (_, i) => content(i)).join(""));
execFileSync("tar", ["-C", single, "-cf", join(base, "single.tar"), "all.js"]);
const layout = join(base, "layout");
await plantBase(layout);
const program = await bundled();
const ours = (name: string, directory: string, ...more: string[]): Contestant => ({
  name,
  // The target is emptied of the layer, so that each round writes it.
  argv: [
    "/bin/sh",
    "-c",
    `rm -rf "$0.new" && cp -r "$0" "$0.new" && exec "$@"`,
    layout,
    process.execPath,
    program,
    directory,
    `${layout}.new`,
    join(base, "scratch"),
    ...more,
  ],
});
const rows: unknown[] = [];
const umoci = find("umoci");
const bundle = join(base, "bundle");
if (umoci !== undefined) {
  execFileSync(umoci, ["unpack", "--image", `${layout}:base`, bundle], { stdio: "ignore" });
  execFileSync("cp", ["-r", `${tree}/.`, join(bundle, "rootfs", "srv")]);
}
const repack = (path: string): Contestant => ({
  name: "umoci repack",
  argv: [
    "/bin/sh",
    "-c",
    `rm -rf "$0.umoci" && cp -r "$0" "$0.umoci" && exec "$@"`,
    layout,
    path,
    "repack",
    "--image",
    `${layout}.umoci:theirs`,
    bundle,
  ],
});
rows.push(
  ...(await compare(`repack of ${files} files`, [
    ours("touchmark, gzip 4", tree, "gzip", "4"),
    umoci === undefined ? undefined : repack(umoci),
    ours("touchmark, zstd 3", tree, "zstd", "3"),
  ])),
);
const crane = find("crane");
const append = (path: string): Contestant => ({
  name: "crane append",
  argv: [
    "/bin/sh",
    "-c",
    `rm -f "$0" && exec "$@"`,
    join(base, "crane.tar"),
    path,
    "append",
    "--oci-empty-base",
    "--new_layer",
    join(base, "single.tar"),
    "--new_tag",
    "bench:1",
    "--output",
    join(base, "crane.tar"),
  ],
});
rows.push(
  ...(await compare("append of one large file", [
    ours("touchmark, gzip 1", single, "gzip", "1"),
    crane === undefined ? undefined : append(crane),
  ])),
);
rmSync(base, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify({ files, rounds, node: process.version, rows }, null, 2)}\n`);
