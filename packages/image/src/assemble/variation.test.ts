import { execFileSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { strippedSources } from "./stripped-sources.fixture.ts";

const scratch = mkdtempSync(join(tmpdir(), "touchmark-variation-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const isRoot = process.getuid?.() === 0;

interface Made {
  readonly node: string;
  readonly diffId: string;
  readonly digest: string;
  readonly compressor: string;
}

/** Other Nodes of this host, by their versions. */
const otherNodes = (() => {
  const found = new Map<string, string>();
  for (const directory of [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"]) {
    const path = join(directory, "node");
    try {
      accessSync(path, constants.X_OK);
      const version = execFileSync(path, ["--version"], { encoding: "utf8" }).trim();
      // Before 20 there is not all of the language that the sources use.
      if (version !== process.version && Number(version.slice(1).split(".")[0]) >= 20) found.set(version, path);
    } catch {
      // No Node there.
    }
  }
  return [...found.values()];
})();

let script = "";

beforeAll(() => {
  chmodSync(scratch, 0o755);
  const stripped = strippedSources(join(scratch, "stripped"));
  script = join(scratch, "write.mjs");
  writeFileSync(
    script,
    `import { writeLayer } from ${JSON.stringify(stripped("assemble/write-layer.ts"))};
     const [directory, scratch, compression, umask] = process.argv.slice(2);
     process.umask(Number(umask));
     const files = [{ kind: "directory", directory, to: "/opt/größe" }];
     const { diffId, descriptor } = await writeLayer({ files, epoch: 1700000000, scratch, compression });
     const compressor = descriptor.annotations["dev.touchmark.layer.compressor"];
     console.log(JSON.stringify({ node: process.version, diffId, digest: descriptor.digest, compressor }));`,
  );
});

function plant(order: readonly number[], mode: number, isLinked: boolean): string {
  const directory = mkdtempSync(join(scratch, `${"x".repeat(order[0] ?? 0)}-`));
  chmodSync(directory, 0o755);
  for (const i of order) {
    const parent = join(directory, `${"long-name-".repeat(8)}${i % 7}`);
    mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `é${i}`), `${i} `.repeat(4000), { mode: 0o644 | mode });
    utimesSync(join(parent, `é${i}`), order[0] ?? 0, i);
  }
  writeFileSync(join(directory, "a"), "one content");
  if (isLinked) linkSync(join(directory, "a"), join(directory, "b"));
  else writeFileSync(join(directory, "b"), "one content");
  return directory;
}

interface Surroundings {
  readonly node?: string;
  readonly uid?: number;
  readonly umask?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

function make(
  directory: string,
  compression: string,
  { node = process.execPath, uid, umask = 0o22, environment }: Surroundings,
): Made {
  const out = mkdtempSync(join(scratch, "out-"));
  chmodSync(out, 0o777);
  const printed = execFileSync(node, ["--no-warnings", script, directory, out, compression, String(umask)], {
    encoding: "utf8",
    env: { PATH: "/usr/bin", ...environment },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return JSON.parse(printed) as Made;
}

const numbers = Array.from({ length: 60 }, (_, i) => i);

test("I2, I3: user, time zone, locale, umask, order, path, times and hard links on disk change no digest", () => {
  const first = plant(numbers, 0, false);
  const second = plant(numbers.toReversed(), 0o20, true);
  for (const compression of ["gzip", "zstd", "none"]) {
    const one = make(first, compression, { environment: { TZ: "UTC", LC_ALL: "C" } });
    const others: Surroundings[] = [
      {
        umask: 0o77,
        environment: { TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8", HOME: "/nonexistent" },
      },
      { environment: { UV_THREADPOOL_SIZE: "1", SOURCE_DATE_EPOCH: "5" } },
      { umask: 0, ...(isRoot ? { uid: 65_534 } : {}) },
    ];
    for (const surroundings of others) expect(make(second, compression, surroundings)).toEqual(one);
  }
});

test.skipIf(otherNodes.length === 0)(
  "I2, I3: another version of Node makes the same archive, and the same packed bytes with one compressor",
  () => {
    const directory = plant(numbers, 0, false);
    const ours = make(directory, "gzip", {});
    for (const node of otherNodes) {
      const theirs = make(realpathSync(directory), "gzip", { node });
      expect(theirs.node).not.toBe(ours.node);
      expect(theirs.diffId).toBe(ours.diffId);
      if (theirs.compressor === ours.compressor) expect(theirs.digest).toBe(ours.digest);
    }
  },
);
