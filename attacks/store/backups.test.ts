import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { sha256 } from "@touchmark/core";
import { backup, openContentStore, openRunStore, restore } from "@touchmark/store";
import { expect, test } from "vitest";
import { codeOf, freshDirectory, freshHome } from "./fixture.ts";

const hasTar = spawnSync("tar", ["--version"]).status === 0;
const head = `${JSON.stringify({ format: "touchmark backup v1", homeVersion: 1 })}\n`;

interface Forged {
  path: string;
  content?: string;
  flag?: string;
  target?: string;
  size?: number;
  mode?: number;
}

/** Writes tar as a hostile hand would: any name, any type, any size. */
function forge(...entries: Forged[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, content = "", flag = "0", target = "", size, mode = 0o600 } of entries) {
    const block = Buffer.alloc(512);
    block.write(path, 0, 100);
    const octal = (value: number, at: number, length: number) =>
      block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, length);
    octal(mode, 100, 8);
    octal(0, 108, 8);
    octal(0, 116, 8);
    octal(size ?? Buffer.byteLength(content), 124, 12);
    octal(0, 136, 12);
    block.write(flag, 156);
    block.write(target, 157, 100);
    block.write("ustar\x0000", 257, 8, "latin1");
    octal(0, 329, 8);
    octal(0, 337, 8);
    block.fill(0x20, 148, 156);
    let sum = 0;
    for (const byte of block) sum += byte;
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
    const bytes = Buffer.from(content);
    blocks.push(block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** The manifest that makes forged files look complete. */
function manifestOf(...files: Forged[]): Forged {
  const entries = files.map(({ path, content = "" }) => ({
    path,
    kind: "file",
    size: Buffer.byteLength(content),
    digest: sha256(content),
  }));
  return { path: "manifest.json", content: JSON.stringify({ format: "touchmark backup manifest v1", entries }) };
}

const first: Forged = { path: "touchmark-backup.json", content: head };
const version: Forged = { path: "home/version", content: "touchmark home 1\n" };

async function restored(archive: Buffer): Promise<{ code: string; left: string[]; directory: string }> {
  const directory = freshDirectory();
  mkdirSync(join(directory, "in"));
  writeFileSync(join(directory, "in", "backup.tar"), archive);
  const options = { maxBytes: 10_000_000, maxEntries: 50 };
  const code = await codeOf(restore(join(directory, "in", "backup.tar"), join(directory, "in", "new"), options));
  return { code, left: [...readdirSync(directory), ...readdirSync(join(directory, "in"))], directory };
}

test("attack: the harness forges archives that restore, when nothing in them is hostile", async () => {
  expect((await restored(forge(first, version, manifestOf(first, version)))).code).toBe("accepted");
});

const paths = [
  "../escaped",
  "home/../../escaped",
  "/tmp/escaped",
  "home/trust/../../../escaped",
  "home//trust/x",
  "home/./x",
  "home/unknown/x",
  "home\\trust",
  "home/trust/a\nb",
];

test("B4: attack: entries that name places outside the home", async () => {
  for (const path of paths) {
    const evil = { path, content: "evil" };
    const { code, left } = await restored(forge(first, version, evil, manifestOf(first, version, evil)));
    expect([path, code]).toEqual([path, "STORE_ARCHIVE_PATH"]);
    expect(left).toEqual(["in", "backup.tar"]);
  }
});

test.skipIf(!hasTar)("attack: tar itself writes such an entry outside", () => {
  const directory = freshDirectory();
  mkdirSync(join(directory, "in"));
  execFileSync("tar", ["-xP", "-C", join(directory, "in")], { input: forge({ path: "../escaped", content: "evil" }) });
  expect(readFileSync(join(directory, "escaped"), "utf8")).toBe("evil");
});

test("B4: attack: a link, and then a file through it", async () => {
  const outside = freshDirectory();
  const tree = `home/trees/sha256/${"0".repeat(64)}/root`;
  const short = `home/trees/sha256/${"0".repeat(64)}/root/l`;
  const link = { path: short.slice(0, 99), flag: "2", target: outside };
  // Naive: the link is made, the file goes through it.
  symlinkSync(outside, join(outside, "l"));
  writeFileSync(join(outside, "l", "evil"), "evil");
  expect(existsSync(join(outside, "evil"))).toBe(true);
  expect(tree.length).toBeLessThan(99);
  const through = { path: `${short}/e`, content: "evil" };
  expect((await restored(forge(first, version, link, through))).code).toBe("STORE_ARCHIVE_PATH");
  expect(existsSync(join(outside, "e"))).toBe(false);
});

test("B4: attack: links where only files belong", async () => {
  const made = freshDirectory();
  symlinkSync("/etc/passwd", join(made, "root.json"));
  expect(lstatSync(join(made, "root.json")).isSymbolicLink()).toBe(true);
  for (const path of ["home/trust/root.json", "home/store/blobs/sha256/x", "home/identity"]) {
    const { code } = await restored(forge(first, version, { path, flag: "2", target: "/etc/passwd" }));
    expect(code).toBe("STORE_ARCHIVE_ENTRY");
  }
});

test("B4: attack: hard links, devices, FIFOs, sparse files and setuid modes", async () => {
  for (const flag of ["1", "3", "4", "6", "7", "S", "g", "L", "\0"]) {
    const { code } = await restored(forge(first, version, { path: "home/trust/x", flag, target: "/etc/passwd" }));
    expect([flag, code]).toEqual([flag, "STORE_ARCHIVE_ENTRY"]);
  }
  const { code } = await restored(forge(first, version, { path: "home/trust/x", content: "x", mode: 0o4755 }));
  expect(code).toBe("STORE_ARCHIVE_ENTRY");
});

test("B4: attack: one path twice, so that the checked file is not the one that stays", async () => {
  const good = { path: "home/trust/root.json", content: "good" };
  const evil = { path: "home/trust/root.json", content: "evil" };
  if (hasTar) {
    const directory = freshDirectory();
    execFileSync("tar", ["-x", "-C", directory], { input: forge(good, evil) });
    expect(readFileSync(join(directory, good.path), "utf8")).toBe("evil");
  }
  expect((await restored(forge(first, version, good, evil, manifestOf(first, version, good)))).code).toBe(
    "STORE_ARCHIVE_DUPLICATE",
  );
});

test("B4: attack: sizes that fill the disk or the memory", async () => {
  const bombs: Forged[][] = [
    [{ path: "home/trust/x", content: "x", size: 0o77777777777 }],
    [{ path: "home/trust/x", content: "x", size: 9_000_000 }],
    Array.from({ length: 60 }, (_, i) => ({ path: `home/trust/${i}`, content: "x" })),
    [{ path: "x", flag: "x", size: 1_000_000_000 }],
  ];
  for (const bomb of bombs)
    expect((await restored(forge(first, version, ...bomb))).code).toBe("STORE_ARCHIVE_TOO_LARGE");
});

test("B4: attack: another dialect, a compressed bomb, noise, half a file", async () => {
  const sound = forge(first, version, manifestOf(first, version));
  const cases = [
    gzipSync(Buffer.alloc(50_000_000)),
    Buffer.alloc(4096, "x"),
    Buffer.alloc(0),
    sound.subarray(0, sound.length - 700),
    Buffer.concat([sound, Buffer.alloc(512)]),
    forge(version, first),
    forge({ path: "touchmark-backup.json", content: '{"format":"touchmark backup v9","homeVersion":1}' }),
    forge(first, version, manifestOf(first, version), { path: "home/trust/late", content: "x" }),
    forge(first, version, { path: "manifest.json", content: '{"entries":[]}' }),
    forge(first, { path: "home/trust", flag: "5" }),
  ];
  for (const [at, archive] of cases.entries()) {
    const { code, left } = await restored(archive);
    expect([at, code, left]).toEqual([at, "STORE_ARCHIVE_MALFORMED", ["in", "backup.tar"]]);
  }
});

test("B4: attack: files altered, added or left out behind the manifest's back", async () => {
  const file = { path: "home/trust/root.json", content: "good" };
  const name = "0".repeat(64);
  const blob = { path: `home/store/blobs/sha256/${name}`, content: "evil" };
  const cases = [
    forge(first, version, { ...file, content: "evil" }, manifestOf(first, version, file)),
    forge(first, version, manifestOf(first, version, file)),
    forge(first, version, file, manifestOf(first, version)),
    forge(first, version),
    // The manifest agrees with the evil blob: the blob's own name does not.
    forge(first, version, blob, manifestOf(first, version, blob)),
  ];
  for (const [at, archive] of cases.entries()) {
    const { code, left } = await restored(archive);
    expect([at, code, left]).toEqual([at, "STORE_ARCHIVE_MISMATCH", ["in", "backup.tar"]]);
  }
});

test("attack: a stored tree inside a backup is not the one of its name", async () => {
  const file = { path: `home/trees/sha256/${"0".repeat(64)}/list`, content: "touchmark tree v1\n" };
  const directory = { path: `home/trees/sha256/${"0".repeat(64)}/root/`, flag: "5" };
  const manifest = manifestOf(first, version, file);
  const entries = JSON.parse(manifest.content ?? "").entries;
  entries.push({ path: directory.path.slice(0, -1), kind: "directory", size: 0, digest: sha256("") });
  manifest.content = JSON.stringify({ format: "touchmark backup manifest v1", entries });
  const { code, left } = await restored(forge(first, version, file, directory, manifest));
  expect([code, left]).toEqual(["STORE_ARCHIVE_MISMATCH", ["in", "backup.tar"]]);
});

test("attack: a backup from the future, and one over a living home", async () => {
  const future = { path: "touchmark-backup.json", content: head.replace(":1}", ":9999}") };
  expect((await restored(forge(future, version, manifestOf(future, version)))).code).toBe("STORE_HOME_NEWER");
  const home = await freshHome();
  await (await openContentStore(home)).put(Buffer.from("mine"));
  const file = join(freshDirectory(), "b.tar");
  await backup(home, file);
  expect(await codeOf(restore(file, home.path))).toBe("STORE_RESTORE_EXISTS");
  expect(await codeOf(backup(home, file))).toBe("STORE_BACKUP_EXISTS");
});

test("attack: a run's record is edited to say that it succeeded", async () => {
  const home = await freshHome();
  const runs = openRunStore(home);
  const run = await runs.create({ project: "p", pipeline: "default" });
  const record = await run.finish("failed");
  const file = join(run.directory, "run.json");
  writeFileSync(
    file,
    JSON.stringify({ ...record, state: "succeeded", artifacts: [{ name: "x", digest: "sha256:0" }] }),
  );
  // Naive: JSON says so.
  expect(JSON.parse(readFileSync(file, "utf8")).state).toBe("succeeded");
  expect(await codeOf(runs.get(run.id))).toBe("STORE_RUN_CORRUPT");
});
