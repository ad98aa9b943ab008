// Makes the npm package, touchmark-VERSION.tgz: the same bytes in any directory at any time.
//
//   pack.ts [--dist DIR] [--out PATH]     DIR of the bundle (default: dist), and the directory or the .tgz file that the
//                                         package goes to (default: here)

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { publishedManifest } from "./pack/manifest.ts";
import { type PackedFile, tarball } from "./pack/tarball.ts";
import { repositoryRoot, repositoryVersion } from "./repository.ts";

const { values } = parseArgs({ options: { dist: { type: "string" }, out: { type: "string" } } });
const dist = resolve(values.dist ?? join(repositoryRoot, "dist"));
const version = repositoryVersion();
const out = resolve(values.out ?? ".");
const target = out.endsWith(".tgz") ? out : join(out, `touchmark-${version}.tgz`);

const bytes = tarball([...packageFiles()]);
writeFileSync(target, bytes);
const digest = createHash("sha256").update(bytes).digest("hex");
console.log(`${relative(process.cwd(), target)} sha256:${digest}`);

function* packageFiles(): Generator<PackedFile> {
  yield { path: "package.json", content: Buffer.from(publishedManifest(version)), executable: false };
  for (const name of ["LICENSE", "NOTICE", "README.md"]) {
    yield { path: name, content: readFileSync(join(repositoryRoot, name)), executable: false };
  }
  yield { path: "bin/touchmark", content: readFileSync(join(repositoryRoot, "bin/touchmark")), executable: true };
  const names = readdirSync(dist).filter((name) => !name.startsWith("."));
  if (!names.includes("main.js")) throw new Error(`expected a bundle in ${dist}; run: npm run build`);
  for (const name of names) yield { path: `dist/${name}`, content: readFileSync(join(dist, name)), executable: false };
}
