import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChunkingContext, rolldown } from "rolldown";
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
 * An import of a part of Node makes Node evaluate all that it exports, streams and web cryptography among it: five
 * milliseconds of each start. The same names taken from the part itself cost nothing more than what is used.
 */
export function takeBuiltins(code: string): string {
  return code.replace(
    /^import \{ ([^}]+) \} from ("node:[a-z/_]+");$/gm,
    (_, names: string, part: string) =>
      `const { ${names.replaceAll(" as ", ": ")} } = process.getBuiltinModule(${part});`,
  );
}

const verifySource = join(sources, "cli/src/commands/verify.ts");

/** True for a module that another one cannot start without. */
function isNeededBy(start: string, id: string, context: ChunkingContext): boolean {
  const seen = new Set<string>();
  const waiting = [start];
  for (const next of waiting) {
    if (next === id) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...(context.getModuleInfo(next)?.importedIds ?? []));
  }
  return false;
}

/**
 * Writes the bundle into an empty directory: `main.js`, and beside it one file for each part that is loaded on
 * demand. The same sources give the same bytes, wherever the repository lies.
 */
export async function bundle(directory: string): Promise<BundledFile[]> {
  const build = await rolldown({
    cwd: repositoryRoot,
    input: { main: join(repositoryRoot, entrySource) },
    platform: "node",
    plugins: [{ name: "builtins", renderChunk: (code) => takeBuiltins(code) }],
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
          {
            name: "start",
            test: /\/packages\/(cli\/src\/(terminal|errors|help|nearest|invoke|plain-words|prepared)|core\/src\/error)\.ts$/,
            priority: 2,
          },
          // Verifying is what is started most often, by gates and scripts: it comes in one more file.
          {
            name: (id, context) => (isNeededBy(verifySource, id, context) ? "verify" : null),
            debugName: "verify",
            priority: 1,
          },
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
