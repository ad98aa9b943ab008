import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The licences of the packages whose code is in the bundle, which ask to be carried along. */
export function licensesOf(modules: readonly string[]): string {
  const directories = new Set<string>();
  for (const module of modules) {
    const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1];
    if (found !== undefined) directories.add(found);
  }
  const parts = [...directories].sort().map((directory) => {
    const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
      name: string;
      version: string;
      license?: string;
    };
    const file = readdirSync(directory).find((entry) => /^licen[sc]e(\.(md|txt))?$/i.test(entry));
    if (license === undefined || file === undefined || !existsSync(join(directory, file))) {
      throw new Error(`expected ${name} to state its licence in package.json and to carry its text`);
    }
    return `${name} ${version} (${license})\n\n${readFileSync(join(directory, file), "utf8").trim()}\n`;
  });
  return parts.length === 0 ? "No code of other projects is in this bundle.\n" : parts.join(`\n${"-".repeat(80)}\n\n`);
}
