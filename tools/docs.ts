// Writes the documents that are made from code.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkDocuments, generatedDocuments } from "./checks/documents.ts";
import { repositoryRoot } from "./repository.ts";

const documents = await generatedDocuments();
const stale = new Set(checkDocuments(documents).map((finding) => finding.path));
for (const { path, text } of documents) {
  if (!stale.has(path)) continue;
  mkdirSync(dirname(join(repositoryRoot, path)), { recursive: true });
  writeFileSync(join(repositoryRoot, path), text);
  console.log(`wrote ${path}`);
}
if (stale.size === 0) console.log("all generated documents are up to date");
