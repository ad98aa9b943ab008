import { mkdirSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { openTreeStore } from "../backends/directory-tree-store.ts";
import { openContentStore } from "../backends/file-content-store.ts";
import { backup } from "../backup.ts";
import { type Home, openHome } from "../home.ts";
import { prune } from "../prune.ts";
import { restore } from "../restore.ts";
import { openRunStore } from "../run-store.ts";
import { asStoreError } from "../system-failure.ts";

/** What a child process does until it is killed: `node scenario.ts NAME HOME`. Imported by nothing. */
const [, , name = "", path = ""] = process.argv;

/** Tells the parent what was acknowledged: whatever is printed must be true after any crash. */
function acknowledge(what: string): void {
  writeSync(1, `${what}\n`);
}

const scenarios: Readonly<Record<string, (home: Home) => Promise<void>>> = {
  open: async () => {},
  put: async (home) => {
    const content = await openContentStore(home);
    for (const text of ["one", "two", "one"]) {
      const { digest } = await content.put(Buffer.from(text));
      acknowledge(`blob ${digest}`);
    }
    await content.durable();
  },
  ingest: async (home) => {
    const trees = await openTreeStore(home);
    for (let round = 0; round < 2; round++) {
      const out = await home.scratch("out");
      mkdirSync(join(out, "lib"));
      writeFileSync(join(out, "lib", "file"), "content");
      const { digest } = await trees.ingest(out, { epoch: 5, durable: true });
      acknowledge(`tree ${digest}`);
    }
  },
  run: async (home) => {
    const run = await openRunStore(home).create({ project: "p", pipeline: "default" });
    acknowledge(`run ${run.id} running`);
    const log = run.log("build");
    log.write(Buffer.from("line\n"));
    log.close();
    await run.update({ details: { at: "work" } });
    await run.finish("succeeded");
    acknowledge(`run ${run.id} succeeded`);
  },
  prune: async (home) => {
    const stores = {
      home,
      content: await openContentStore(home),
      trees: await openTreeStore(home),
      runs: openRunStore(home),
    };
    const clock = { now: () => new Date(Date.now() + 1e9) };
    await prune(stores, { olderThanSeconds: 1, clock });
  },
  backup: async (home) => {
    await backup(home, join(home.path, "..", "backup.tar"));
    acknowledge("file backup.tar");
  },
  restore: async (home) => {
    await restore(join(home.path, "..", "given.tar"), join(home.path, "..", "restored"));
    acknowledge("file restored");
  },
};

try {
  const home = await openHome(path, { create: true });
  await scenarios[name]?.(home);
  await home.close();
  acknowledge("done");
} catch (cause) {
  // The scenario writes files of its own too, as a step would.
  const ours = asStoreError(cause, "playing a step");
  acknowledge(`error ${isFactoryError(ours) ? ours.code : String(ours)}`);
  process.exitCode = 3;
}
