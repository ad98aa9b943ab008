import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { repositoryRoot } from "../repository.ts";
import { licensesOf } from "./licenses.ts";

/** One file of the bundle. */
export interface BundledFile {
  readonly name: string;
  readonly bytes: number;
}

const sources = join(repositoryRoot, "packages/");

/** Source file of the command's entry, relative to the repository. */
export const entrySource = "packages/cli/src/main.ts";

/**
 * Writes the bundle into an empty directory: `main.js`, and beside it one file for each part that is loaded on
 * demand. The same sources give the same bytes, wherever the repository lies.
 */
export async function bundle(directory: string): Promise<BundledFile[]> {
  const build = await rolldown({
    cwd: repositoryRoot,
    input: { main: join(repositoryRoot, entrySource) },
    platform: "node",
    // No module of ours does anything by being imported; so what a command alone needs stays out of the entry.
    treeshake: { moduleSideEffects: (id) => !id.startsWith(sources) && !id.startsWith("node:") },
    onLog(level, log, handle) {
      // A warning of the bundler is a defect of the sources: nothing is bundled around it.
      if (level === "warn") throw new Error(`bundle: ${log.message}`);
      handle(level, log);
    },
  });
  try {
    const { output } = await build.write({
      dir: directory,
      format: "esm",
      entryFileNames: "[name].js",
      chunkFileNames: "[name]-[hash].js",
      // What every start needs comes in one file: each further one costs a start half a millisecond.
      codeSplitting: {
        groups: [
          { name: "start", test: /\/packages\/(cli\/src\/(terminal|errors|help|nearest)|core\/src\/error)\.ts$/ },
        ],
      },
      sourcemap: false,
      minify: false,
      comments: { legal: true, annotation: false, jsdoc: false },
    });
    const modules = output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
    writeFileSync(join(directory, "LICENSES.txt"), licensesOf(modules));
    return readdirSync(directory).map((name) => ({ name, bytes: statSync(join(directory, name)).size }));
  } finally {
    await build.close();
  }
}
