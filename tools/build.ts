// Bundles the command into dist/: one small entry, and files that are loaded only by the commands that need them.
//
//   build.ts [--if-needed] [--out DIR [--prepare]]
//
// Without --out, or with --prepare, the verify command is also compiled beforehand, for the Node that runs this build.
// That is never packed: a package holds nothing but what can be read.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./build/bundle.ts";
import { isFresh } from "./build/freshness.ts";
import { prepare } from "./build/prepare.ts";
import { repositoryRoot } from "./repository.ts";

const { values } = parseArgs({
  options: { "if-needed": { type: "boolean" }, out: { type: "string" }, prepare: { type: "boolean" } },
});
const out = resolve(values.out ?? join(repositoryRoot, "dist"));
if (!(values["if-needed"] === true && isFresh(out))) await build();

async function build(): Promise<void> {
  // The stamp bears the time at which reading began: a source that changes during the build counts as newer.
  const begun = new Date();
  mkdirSync(dirname(out), { recursive: true });
  // An empty directory may be a mount, which cannot be renamed: it is filled as it is.
  const isMount = existsSync(out) && readdirSync(out).length === 0;
  const stage = isMount ? undefined : mkdtempSync(join(dirname(out), `.touchmark-stage-${process.pid}-`));
  try {
    const fresh = stage === undefined ? out : join(stage, "dist");
    const files = await bundle(fresh);
    if (values.out === undefined || values.prepare === true) {
      // Verifying works without, so that a build never fails for it.
      await prepare(fresh).catch((error: Error) => console.error(`build: verify is not prepared: ${error.message}`));
    }
    writeFileSync(join(fresh, ".stamp"), "");
    utimesSync(join(fresh, ".stamp"), begun, begun);
    if (stage !== undefined) {
      if (existsSync(out)) renameSync(out, join(stage, "old"));
      renameSync(fresh, out);
    }
    const kibibytes = Math.round(files.reduce((sum, file) => sum + file.bytes, 0) / 1024);
    const where = relative(process.cwd(), out) || ".";
    console.error(`build: ${files.length} files, ${kibibytes} KiB, in ${where} (${Date.now() - begun.getTime()} ms)`);
  } finally {
    if (stage !== undefined) rmSync(stage, { recursive: true, force: true });
  }
}
