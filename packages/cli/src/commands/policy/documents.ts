import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import {
  type Layout,
  type Policy,
  type PolicyDocumentKind,
  type PolicyReading,
  readPolicyDocument,
} from "@touchmark/formats/policy";
import type { Pinned } from "@touchmark/policy";
import { readNamedFile } from "../../output/file.ts";
import type { Terminal } from "../../terminal.ts";

/** How many files beside a policy are looked at for its layout, and how large one may be. */
const beside = { files: 1000, bytes: 1024 * 1024 } as const;

/** Reads a document of one kind, or of any. @throws CLI_FILE_UNREADABLE | POLICY_DOCUMENT_… */
export function readDocument<Kind extends PolicyDocumentKind>(
  terminal: Terminal,
  path: string,
  kind?: Kind,
): PolicyReading<Kind> {
  const bytes = readNamedFile(terminal, path, "a readable policy document");
  return readPolicyDocument<Kind>(bytes, { name: path, ...(kind === undefined ? {} : { kind }) });
}

/** The layout that a policy names by digest, from the files beside it; none where it names none or nothing fits. */
export function layoutsBeside(policyPath: string, policy: Policy): readonly Pinned<Layout>[] {
  const { layout } = policy;
  if (layout === undefined) return [];
  const bytes = findByDigest(dirname(policyPath), layout);
  if (bytes === undefined) return [];
  return [{ digest: layout, document: readPolicyDocument(bytes, { name: "layout", kind: "layout" }).document }];
}

function findByDigest(directory: string, digest: Digest): Uint8Array | undefined {
  for (const name of readdirSync(directory).slice(0, beside.files)) {
    if (!/\.(ya?ml|json)$/.test(name)) continue;
    const path = join(directory, name);
    const { size } = statSync(path);
    if (size > beside.bytes) continue;
    const bytes = readFileSync(path);
    if (sha256(bytes) === digest) return bytes;
  }
  return undefined;
}
