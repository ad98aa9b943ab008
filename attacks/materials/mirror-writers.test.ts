import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type MirrorOptions, verifyMirror } from "@touchmark/materials";
import { expect, test } from "vitest";
import { freshDirectory, victim } from "./mirror-scene.ts";

const writer = fileURLToPath(new URL("./mirror-writer.ts", import.meta.url));

/** Another process that uses the mirror. */
function start(home: string, ...words: string[]) {
  return spawn(process.execPath, [writer, home, ...words], { stdio: ["ignore", "pipe", "inherit"] });
}

async function all(children: readonly ReturnType<typeof start>[]): Promise<unknown[]> {
  return Promise.all(children.map(async (child) => (await once(child, "close"))[0]));
}

const seenBy = async (
  options: MirrorOptions,
  mirror: { seen(purl: string, name: string): Promise<readonly { digest: string }[]> },
) => [(await mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz")).length, (await verifyMirror(options)).faults];

test("attack: processes that write at once make each other's lines disappear from the ledger", async () => {
  // Naive: read, add, write. Two that read before either wrote lose one line.
  const file = join(freshDirectory(), "ledger");
  writeFileSync(file, "");
  const [left, right] = [readFileSync(file, "utf8"), readFileSync(file, "utf8")];
  writeFileSync(file, `${left}one\n`);
  writeFileSync(file, `${right}two\n`);
  expect(readFileSync(file, "utf8")).toBe("two\n");
  const { home, options, mirror } = await victim();
  const codes = await all(["a", "b", "c"].map((word) => start(home.path, "commit", word, "8")));
  expect(codes).toEqual([0, 0, 0]);
  expect(await seenBy(options, mirror)).toEqual([24, []]);
});

test("attack: two runs fill the mirror with one package at once, and one gets half a file", async () => {
  const { home, options, mirror } = await victim();
  const log = join(freshDirectory(), "downloads");
  appendFileSync(log, "");
  const codes = await all([1, 2, 3, 4].map(() => start(home.path, "fill", log)));
  expect(codes).toEqual([0, 0, 0, 0]);
  expect(readFileSync(log, "utf8")).toBe("download\n");
  expect(await seenBy(options, mirror)).toEqual([1, []]);
});

test("attack: a download is killed while others wait for it", async () => {
  const { home, mirror } = await victim();
  const held = join(freshDirectory(), "held");
  const child = start(home.path, "hold", held);
  while (!existsSync(held)) await new Promise((resolve) => setTimeout(resolve, 10));
  const waiting = mirror.lease("pewter");
  const first = await Promise.race([
    waiting.then(() => "taken"),
    new Promise((resolve) => setTimeout(resolve, 100, "waits")),
  ]);
  expect(first).toBe("waits");
  child.kill("SIGKILL");
  await once(child, "close");
  await (await waiting).release();
});
