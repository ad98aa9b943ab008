import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type Digest, digestHex } from "@touchmark/core";
import { openTreeStore } from "./backends/directory-tree-store.ts";
import { openContentStore } from "./backends/file-content-store.ts";
import type { FileContentStore } from "./content-store.ts";
import type { Home } from "./home.ts";
import { type Index, openIndex } from "./index-database.ts";
import type { RunRecord } from "./run-record.ts";
import { openRunStore, type RunStore } from "./run-store.ts";
import type { TreeStore } from "./tree-store.ts";

/** All stores of a home. For tests. */
export interface Stores {
  readonly home: Home;
  readonly content: FileContentStore;
  readonly trees: TreeStore;
  readonly runs: RunStore;
  readonly index: Index;
}

export async function openStores(home: Home, clock?: Clock): Promise<Stores> {
  const content = await openContentStore(home);
  return {
    home,
    content,
    trees: await openTreeStore(home),
    runs: openRunStore(home, clock),
    index: await openIndex(home),
  };
}

/** Bytes of a bundle as the index reads them; its signature is of no matter here. */
export function bundleAbout(
  subject: Digest,
  options: { type?: string; logIndex?: number; mentions?: string[] } = {},
): Buffer {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "artifact", digest: { sha256: digestHex(subject) } }],
    predicateType: options.type ?? "https://slsa.dev/provenance/v1",
    predicate: { mentions: options.mentions ?? [] },
  };
  return Buffer.from(
    JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { tlogEntries: [{ logIndex: String(options.logIndex ?? 0) }] },
      dsseEnvelope: {
        payloadType: "application/vnd.in-toto+json",
        payload: Buffer.from(JSON.stringify(statement)).toString("base64"),
        signatures: [],
      },
    }),
  );
}

/** A finished run with one step, one artifact and two chained bundles. For tests. */
export async function sampleRun(stores: Stores, word: string, project = "sample"): Promise<RunRecord> {
  const { content, trees, runs, index, home } = stores;
  const run = await runs.create({ project, pipeline: "default", details: { parameters: { word } } });
  const out = await home.scratch("out");
  mkdirSync(join(out, "lib"));
  writeFileSync(join(out, "lib", "file"), word.repeat(100));
  const tree = await trees.ingest(out);
  const log = run.log("build");
  log.write(Buffer.from(`building ${word}\n`));
  log.close();
  const artifact = await content.put(Buffer.from(`artifact ${word} `.repeat(50)));
  const material = await content.put(Buffer.from(`material ${word}`));
  // Only the first bundle mentions the material: it is reached through the second one alone.
  const first = await content.put(
    bundleAbout(tree.digest, { type: "https://in-toto.io/attestation/link/v0.3", mentions: [material.digest] }),
  );
  const second = await content.put(bundleAbout(artifact.digest, { logIndex: 1, mentions: [first.digest] }));
  await content.durable();
  const record = await run.finish("succeeded", {
    steps: [{ name: "build", status: "succeeded", cached: false, durationMs: 12, output: tree.digest }],
    artifacts: [
      { name: `${word}.tgz`, kind: "file", digest: artifact.digest, size: artifact.size, bundles: [second.digest] },
    ],
    bundles: [{ digest: second.digest, predicateType: "https://slsa.dev/provenance/v1", step: null, logIndex: 1 }],
  });
  index.putRun(record);
  for (const { digest } of [first, second]) {
    const { readBundle } = await import("./bundle-subjects.ts");
    const read = readBundle(await content.get(digest));
    if (read !== undefined) index.putBundle(digest, read, { run: record.id, step: null });
  }
  return record;
}
