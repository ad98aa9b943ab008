import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { fixedClock, isFactoryError, sha256 } from "@touchmark/core";
import { asStoreError, openContentStore, openHome, openRunStore, openTreeStore } from "@touchmark/store";
import type { MaterialRecord } from "../../material.ts";
import { exportMirror } from "../export-mirror.ts";
import { importMirror } from "../import-mirror.ts";
import { type MirrorOptions, openMirror } from "../open-mirror.ts";
import { pruneMirror } from "../prune-mirror.ts";
import { recordKey } from "../record-key.ts";
import { verifyMirror } from "../verify-mirror.ts";

/** What a child process does until it is killed: `node scenario.ts NAME HOME`. Imported by nothing. */
const [, , name = "", path = ""] = process.argv;

/** Tells the parent what was acknowledged: whatever is printed must be true after any crash. */
function acknowledge(what: string): void {
  writeSync(1, `${what}\n`);
}

function recordOf(word: string): MaterialRecord {
  const url = `http://127.0.0.1:4873/pewter/-/pewter-1.0.0.tgz`;
  const hash = createHash("sha512").update(word).digest("hex");
  return {
    key: recordKey("GET", url, {}),
    method: "GET",
    url,
    redirects: [],
    status: 200,
    headers: {},
    digest: sha256(word),
    size: word.length,
    facts: {
      ecosystem: "npm",
      kind: "archive",
      upstream: "main",
      name: "pewter",
      version: "1.0.0",
      purl: "pkg:npm/pewter@1.0.0",
      fileName: "pewter-1.0.0.tgz",
      immutable: true,
    },
    expected: [{ algorithm: "sha512", value: hash, source: "lockfile", from: "package-lock.json" }],
    fetchedAt: "2026-11-21T10:00:00Z",
  };
}

async function commit(options: MirrorOptions, words: readonly string[]): Promise<void> {
  const mirror = await openMirror(options);
  for (const word of words) {
    const lease = await mirror.lease("pewter");
    const incoming = await mirror.incoming();
    await incoming.write(Buffer.from(word));
    const record = recordOf(word);
    await mirror.commit(incoming, record);
    await lease.release();
    acknowledge(`record ${record.key} ${record.digest}`);
  }
  await mirror.close();
}

try {
  const home = await openHome(path, { create: true });
  const content = await openContentStore(home);
  const options: MirrorOptions = {
    directory: home.paths.materials,
    content,
    clock: fixedClock(new Date(Date.now() + 86_400_000)),
  };
  const archive = join(path, "..", "archive.tar");
  const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
    prepare: () => commit(options, ["pewter"]),
    commit: () => commit(options, ["pewter", "lead"]),
    export: async () => {
      await exportMirror(options, { file: archive });
      acknowledge("file archive.tar");
    },
    import: async () => {
      const { records } = await importMirror(options, { file: archive });
      const { key, digest } = recordOf("pewter");
      if (records > 0) acknowledge(`record ${key} ${digest}`);
    },
    repair: () => verifyMirror(options, { repair: true }),
    prune: async () => {
      const stores = { home, content, trees: await openTreeStore(home), runs: openRunStore(home) };
      await pruneMirror(stores, options, { unused: true, graceSeconds: 0 });
    },
  };
  await scenarios[name]?.();
  await home.close();
  acknowledge("done");
} catch (cause) {
  const ours = asStoreError(cause, "playing a scenario");
  acknowledge(`error ${isFactoryError(ours) ? ours.code : String(ours)}`);
  process.exitCode = 3;
}
