import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { treeDigest } from "@touchmark/core";
import {
  hashDirectory,
  openContentStore,
  openHome,
  openIndex,
  openRunStore,
  openTreeStore,
  removeTree,
} from "@touchmark/store";

/**
 * What the store costs, in milliseconds: `node bench/store/store.ts [FILES] [ROUNDS]`, JSON on standard output, each
 * figure the median of the rounds, beside `sha256sum` over the same files in the same session.
 */
const files = Number(process.argv[2] ?? 20_000);
const rounds = Number(process.argv[3] ?? 5);

function plant(directory: string): void {
  for (let i = 0; i < files; i++) {
    const parent = join(directory, `package-${i % 400}`);
    if (i < 400) mkdirSync(parent);
    writeFileSync(join(parent, `file-${i}.js`), `${i} `.repeat(1000).slice(0, 2000 + (i % 7) * 2000));
  }
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 100) / 100;
}

const base = mkdtempSync(join(tmpdir(), "touchmark-bench-"));
const home = await openHome(join(base, "home"), { create: true });
const content = await openContentStore(home);
const trees = await openTreeStore(home);
const figures = new Map<string, number[]>();
const note = (name: string, value: number) => figures.set(name, [...(figures.get(name) ?? []), value]);

const source = join(base, "source");
mkdirSync(source);
plant(source);
for (let round = 0; round < rounds; round++) {
  note(
    "sha256sum of all files",
    await timed(() =>
      spawnSync("sh", ["-c", "find . -type f -print0 | xargs -0 sha256sum"], { cwd: source, maxBuffer: 1e9 }),
    ),
  );
  note("hash directory, one thread", await timed(() => hashDirectory(source, { threads: "never" })));
  note("hash directory, threads", await timed(() => hashDirectory(source)));
  const entries = await hashDirectory(source);
  note("tree digest of the entries", await timed(() => treeDigest(entries)));
  const out = await home.scratch("out");
  plant(out);
  let digest = treeDigest(entries);
  note("ingest (check, normalise, hash, move)", await timed(async () => ({ digest } = await trees.ingest(out))));
  note("verify a stored tree", await timed(() => trees.verify(digest)));
  note(
    "tree to tar",
    await timed(async () => {
      for await (const part of trees.toTar(digest)) void part;
    }),
  );
  await trees.delete(digest);
  note(
    "put 1,000 blobs of 8 KB",
    await timed(async () => {
      for (let i = 0; i < 1000; i++) await content.put(Buffer.alloc(8192, `${round} ${i}`));
    }),
  );
  note("flush them (durable)", await timed(() => content.durable()));
  note(
    "begin and finish a run",
    await timed(async () => (await openRunStore(home).create({ project: "p", pipeline: "d" })).finish("succeeded")),
  );
  note("open the index", await timed(async () => (await openIndex(home)).close()));
  note("open the home", await timed(() => openHome(home.path)));
}
await home.close();
removeTree(base);
const result = {
  files,
  rounds,
  node: process.version,
  milliseconds: Object.fromEntries([...figures].map(([name, values]) => [name, median(values)])),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
