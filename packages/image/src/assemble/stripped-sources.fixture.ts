import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../../..", import.meta.url));
const ours = ["core", "formats", "store", "image"];

/**
 * Sources of this package, and of those that it imports, as JavaScript that a Node without types can run, in a directory.
 * Answers where a file of this package lies there.
 */
export function strippedSources(directory: string): (source: string) => string {
  for (const name of ours) {
    const root = join(directory, "node_modules", "@touchmark", name);
    for (const file of sourcesBelow(join(packages, name, "src"))) {
      const target = join(root, relative(join(packages, name), file)).replace(/\.ts$/, ".mjs");
      mkdirSync(dirname(target), { recursive: true });
      const plain = stripTypeScriptTypes(readFileSync(file, "utf8"));
      writeFileSync(target, plain.replace(/((?:from|import\()\s*"\.[^"]*)\.ts"/g, '$1.mjs"'));
    }
    const manifest = readFileSync(join(packages, name, "package.json"), "utf8");
    writeFileSync(join(root, "package.json"), manifest.replaceAll('.ts"', '.mjs"'));
  }
  for (const name of ["zod", "yaml", "smol-toml"]) {
    symlinkSync(join(packages, "..", "node_modules", name), join(directory, "node_modules", name));
  }
  return (source) => join(directory, "node_modules", "@touchmark", "image", "src", source.replace(/\.ts$/, ".mjs"));
}

function sourcesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !/\.(?:test|fixture)\.ts$/.test(name))
    .map((name) => join(directory, name));
}
