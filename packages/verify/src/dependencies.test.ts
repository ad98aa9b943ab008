import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const here = dirname(fileURLToPath(import.meta.url));
const specifier = /^(?:import|export)\b[^;]*?from\s+"([^"]+)"/gms;

function importsOf(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(specifier)].map((match) => match[1] as string);
}

/** Everything that a module loads at run time, type-only imports counted as well. */
function reach(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const name of importsOf(file)) {
    if (name.startsWith(".")) reach(resolve(dirname(file), name), seen);
    else if (name === "@touchmark/core") reach(join(here, "../../core/src/index.ts"), seen);
    else if (name.startsWith("@touchmark/formats/")) {
      const manifest = JSON.parse(readFileSync(join(here, "../../formats/package.json"), "utf8"));
      const target = manifest.exports[name.replace("@touchmark/formats", ".")];
      reach(join(here, "../../formats", target), seen);
    } else seen.add(name);
  }
  return seen;
}

test("V14: the package depends on core and formats, and imports exactly these", () => {
  const manifest = JSON.parse(readFileSync(join(here, "../package.json"), "utf8"));
  expect(Object.keys(manifest.dependencies).sort()).toEqual(["@touchmark/core", "@touchmark/formats"]);
  expect(manifest.devDependencies ?? manifest.optionalDependencies ?? manifest.peerDependencies).toBeUndefined();
  const names = readdirSync(here)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .flatMap((file) => importsOf(join(here, file)))
    .filter((name) => !name.startsWith("."));
  expect([...new Set(names)].sort()).toEqual([
    "@touchmark/core",
    "@touchmark/formats/evidence",
    "@touchmark/formats/predicates",
    "node:crypto",
  ]);
});

test("V14: verifying loads nothing but this project and two parts of Node", () => {
  for (const entry of ["index.ts", "chain.ts"]) {
    const foreign = [...reach(join(here, entry))].filter((name) => !name.endsWith(".ts"));
    expect(foreign.sort()).toEqual(["node:buffer", "node:crypto"]);
  }
});
