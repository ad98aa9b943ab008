import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { repositoryRoot } from "../repository.ts";
import type { Finding } from "./finding.ts";

const link = /\]\(([^)\s]+)\)/g;

/** Every link from a page to a file of the repository leads to one. */
export function checkLinks(pages = documentationPages()): Finding[] {
  const findings: Finding[] = [];
  for (const path of pages) {
    for (const [index, text] of readFileSync(join(repositoryRoot, path), "utf8").split("\n").entries()) {
      for (const [, target = ""] of text.matchAll(link)) {
        if (/^([a-z][a-z0-9+.-]*:|#)/i.test(target)) continue;
        const file = posix.normalize(posix.join(posix.dirname(path), target.replace(/#.*$/, "")));
        if (file.startsWith("..") || !existsSync(join(repositoryRoot, file))) {
          findings.push({ path, line: index + 1, message: `links to ${target}, which does not exist` });
        }
      }
    }
  }
  return findings;
}

/** Markdown pages at the root, below docs/ and in each package. */
export function documentationPages(): string[] {
  const below = (directory: string): string[] =>
    readdirSync(join(repositoryRoot, directory), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md") && !/(^|\/)(node_modules|testdata)\//.test(name))
      .map((name) => `${directory}/${name}`.replace(/^\.\//, ""));
  const top = readdirSync(repositoryRoot).filter((name) => name.endsWith(".md"));
  return [...top, ...["docs", "packages", "bench", "tools", "attacks"].flatMap(below)].sort();
}
