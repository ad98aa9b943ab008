import { readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Plugin, rolldown } from "rolldown";
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
 * Writes the bundle into an empty directory: `main.js`, and beside it one file for each part that is loaded on demand
 * or in a worker thread. The same sources give the same bytes, wherever the repository lies.
 */
export async function bundle(directory: string): Promise<BundledFile[]> {
  const build = await rolldown({
    cwd: repositoryRoot,
    input: { main: join(repositoryRoot, entrySource) },
    platform: "node",
    plugins: [threadEntries()],
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

const threadUrl = /new URL\(\s*"(\.\.?\/[^"]+)\.ts"\s*,\s*import\.meta\.url\s*,?\s*\)/g;

/**
 * A worker thread is started by `new URL("./name.ts", import.meta.url)`. Each such file becomes an entry of its own,
 * `name.js`, and since all files of the bundle lie side by side, the address is `./name.js` from everywhere.
 */
function threadEntries(): Plugin {
  return {
    name: "thread-entries",
    transform(code, id) {
      if (!id.endsWith(".ts") || !code.includes("import.meta.url")) return null;
      return code.replace(threadUrl, (_, path: string) => {
        const name = basename(path);
        this.emitFile({ type: "chunk", id: join(dirname(id), `${path}.ts`), fileName: `${name}.js` });
        return `new URL("./${name}.js", import.meta.url)`;
      });
    },
  };
}
