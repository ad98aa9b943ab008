// Bundles the command into dist/: one small entry, and files that are loaded only by the commands that need them.
//
//   build.ts [--if-needed] [--out DIR]

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./build/bundle.ts";
import { isFresh } from "./build/freshness.ts";
import { repositoryRoot } from "./repository.ts";

const { values } = parseArgs({ options: { "if-needed": { type: "boolean" }, out: { type: "string" } } });
const out = resolve(values.out ?? join(repositoryRoot, "dist"));
if (!(values["if-needed"] === true && isFresh(out))) await build();

async function build(): Promise<void> {
  // The stamp bears the time at which reading began: a source that changes during the build counts as newer.
  const begun = new Date();
  mkdirSync(dirname(out), { recursive: true });
  const stage = mkdtempSync(join(dirname(out), `.touchmark-stage-${process.pid}-`));
  try {
    const fresh = join(stage, "dist");
    const files = await bundle(fresh);
    writeFileSync(join(fresh, ".stamp"), "");
    utimesSync(join(fresh, ".stamp"), begun, begun);
    if (existsSync(out)) renameSync(out, join(stage, "old"));
    renameSync(fresh, out);
    const kibibytes = Math.round(files.reduce((sum, file) => sum + file.bytes, 0) / 1024);
    const took = Date.now() - begun.getTime();
    console.error(
      `build: ${files.length} files, ${kibibytes} KiB, in ${relative(process.cwd(), out) || "."} (${took} ms)`,
    );
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
