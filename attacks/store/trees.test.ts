import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { hashDirectory, openTreeStore, type TreeLimits } from "@touchmark/store";
import { expect, test } from "vitest";
import { codeOf, freshDirectory, freshHome, plant } from "./fixture.ts";

const linux = process.platform === "linux";
const posix = process.platform !== "win32";
const root = process.geteuid?.() === 0;

async function target() {
  const home = await freshHome();
  const trees = await openTreeStore(home);
  const out = await home.scratch("out");
  return {
    home,
    trees,
    out,
    ingest: (limits?: TreeLimits) => codeOf(trees.ingest(out, limits === undefined ? {} : { limits })),
  };
}

test("attack: a stored tree is altered between two steps", async () => {
  const { trees, out } = await target();
  const { digest } = await trees.ingest(plant(out, { "lib.js": "good" }), { epoch: 1000 });
  const file = join(trees.root(digest), "lib.js");
  const before = statSync(file);
  writeFileSync(file, "evil");
  execFileSync("touch", ["-d", before.mtime.toISOString(), file]);
  // Naive: size and time are what they were.
  expect([statSync(file).size, statSync(file).mtimeMs]).toEqual([before.size, before.mtimeMs]);
  expect(await codeOf(trees.verify(digest))).toBe("STORE_TREE_CORRUPT");
  expect(await trees.has(digest)).toBe(false);
});

test("attack: a stored tree is swapped whole for another one", async () => {
  const { home, trees, out } = await target();
  const { digest } = await trees.ingest(plant(out, { "lib.js": "good" }));
  const other = await trees.ingest(plant(await home.scratch("out"), { "lib.js": "evil" }));
  renameSync(join(trees.root(digest), ".."), join(home.paths.work, "aside"));
  cpSync(join(trees.root(other.digest), ".."), join(trees.root(digest), ".."), { recursive: true });
  expect(readFileSync(join(trees.root(digest), "lib.js"), "utf8")).toBe("evil");
  expect(await codeOf(trees.verify(digest))).toBe("STORE_TREE_CORRUPT");
});

test("attack: an output holds a link to a secret of the host", async () => {
  const { out, ingest } = await target();
  const secret = join(plant(freshDirectory(), { secret: "key" }), "secret");
  plant(out, { artifact: `->${secret}` });
  // Naive: copying the artifact with links followed publishes the secret.
  const copy = freshDirectory();
  cpSync(out, copy, { recursive: true, dereference: true });
  expect(readFileSync(join(copy, "artifact"), "utf8")).toBe("key");
  expect(await ingest()).toBe("STORE_TREE_LINK_ESCAPES");
});

test("attack: an output's link leaves by `..` behind another link, where text alone looks harmless", async () => {
  const { out, ingest } = await target();
  writeFileSync(join(out, "..", "neighbour"), "another step's");
  plant(out, { "sub/up": "->..", "sub/artifact": "->up/../neighbour" });
  // Naive: normalising the text gives sub/neighbour, inside the tree; the kernel goes elsewhere.
  expect(join("sub", readlinkSync(join(out, "sub/artifact")))).toBe("sub/neighbour");
  expect(readFileSync(join(out, "sub/artifact"), "utf8")).toBe("another step's");
  expect(await ingest()).toBe("STORE_TREE_LINK_ESCAPES");
});

test.skipIf(!posix)("attack: an output holds a FIFO on which every reader waits for ever", async () => {
  const { out, ingest } = await target();
  execFileSync("mkfifo", [join(out, "artifact")]);
  // Naive: reading it does not return.
  expect(spawnSync("cat", [join(out, "artifact")], { timeout: 200 }).error?.message).toMatch(/ETIMEDOUT/);
  expect(await ingest()).toBe("STORE_TREE_SPECIAL_FILE");
});

test.skipIf(!posix)("attack: an output holds a socket", async () => {
  const { out, ingest } = await target();
  const server = createServer().listen(join(out, "s"));
  await once(server, "listening");
  expect(lstatSync(join(out, "s")).isSocket()).toBe(true);
  expect(await ingest()).toBe("STORE_TREE_SPECIAL_FILE");
  server.close();
});

// Only root makes devices.
test.skipIf(!linux || !root)("attack: an output holds the host's disk as a device", async () => {
  const { out, ingest } = await target();
  execFileSync("mknod", [join(out, "zero"), "c", "1", "5"]);
  expect(execFileSync("head", ["-c", "4", join(out, "zero")])).toEqual(Buffer.alloc(4));
  expect(await ingest()).toBe("STORE_TREE_SPECIAL_FILE");
});

test.skipIf(!posix)("attack: an output holds a setuid program", async () => {
  const { out, ingest } = await target();
  plant(out, { shell: "#!/bin/sh\n" });
  for (const mode of [0o4755, 0o2755, 0o1755]) {
    chmodSync(join(out, "shell"), mode);
    // Naive: cp -a keeps the bit, and the control plane's uid with it.
    execFileSync("cp", ["-a", join(out, "shell"), join(out, "..", "copied")]);
    expect(statSync(join(out, "..", "copied")).mode & 0o7000).toBe(mode & 0o7000);
    expect(await ingest()).toBe("STORE_TREE_SETUID");
    expect(await codeOf(hashDirectory(out))).toBe("STORE_TREE_SETUID");
  }
});

test("attack: an output's file has a second name outside, by which it is altered later", async () => {
  const { home, out, ingest } = await target();
  const outside = join(home.paths.work, "held");
  plant(out, { artifact: "good" });
  linkSync(join(out, "artifact"), outside);
  if (posix) chmodSync(outside, 0o600);
  // Naive: moving the directory keeps the link.
  renameSync(out, `${out}-moved`);
  writeFileSync(outside, "evil");
  expect(readFileSync(join(`${out}-moved`, "artifact"), "utf8")).toBe("evil");
  renameSync(`${out}-moved`, out);
  expect(await ingest()).toBe("STORE_TREE_HARD_LINK");
  // The check came before any mode was changed through the shared file.
  if (posix) expect(statSync(outside).mode & 0o777).toBe(0o600);
});

test.skipIf(!linux)("attack: names that forge lines in lists and terminals", async () => {
  for (const name of ["good\nevil", "a\u001b[2Jb", "tab\tbed", "del\u007f", "c1\u009b"]) {
    const { out, ingest } = await target();
    plant(out, { [name]: "x" });
    // Naive: a listing shows two files, or none.
    expect(readdirSync(out).join("\n")).toBe(name);
    expect(await ingest()).toBe("STORE_TREE_NAME_INVALID");
  }
});

test.skipIf(!linux)("attack: two names that are not UTF-8 and read the same", async () => {
  const { out, ingest } = await target();
  const named = (byte: number) => Buffer.concat([Buffer.from(`${out}/`), Buffer.from([byte])]);
  writeFileSync(named(0xff), "one");
  writeFileSync(named(0xfe), "two");
  // Naive: both are U+FFFD.
  expect(new Set(readdirSync(out)).size).toBe(1);
  expect(await ingest()).toBe("STORE_TREE_NAME_INVALID");
});

test("attack: a link whose target forges a line", async () => {
  const { out, ingest } = await target();
  plant(out, { link: "->a\nfile 0 b" });
  expect(readlinkSync(join(out, "link"))).toContain("\n");
  expect(await ingest()).toBe("STORE_TREE_NAME_INVALID");
});

test("attack: a path that is too long for whoever unpacks it", async () => {
  const { out, ingest } = await target();
  const long = Array.from({ length: 7 }, () => "d".repeat(200)).join("/");
  plant(out, { [`${long}/file`]: "x" });
  expect(existsSync(join(out, long))).toBe(true);
  expect(await ingest()).toBe("STORE_TREE_PATH_TOO_LONG");
});

test.skipIf(!linux)("attack: directories nested deeper than any path can spell", async () => {
  const { home, out, ingest } = await target();
  for (let i = 0; i < 30; i++) {
    mkdirSync(`${out}-outer`);
    renameSync(out, join(`${out}-outer`, "d".repeat(200)));
    renameSync(`${out}-outer`, out);
  }
  // Naive: a recursive walk ends in ENAMETOOLONG, and so does deleting it.
  const descend = (directory: string): void => {
    for (const name of readdirSync(directory)) descend(join(directory, name));
  };
  expect(() => descend(out)).toThrow(/ENAMETOOLONG/);
  expect(await ingest()).toBe("STORE_TREE_PATH_TOO_LONG");
  await home.releaseScratch(out);
  expect(existsSync(out)).toBe(false);
});

test("attack: more files than anyone wants to hash", async () => {
  const { out, ingest } = await target();
  for (let i = 0; i < 5001; i++) writeFileSync(join(out, `f${i}`), "");
  expect(readdirSync(out).length).toBe(5001);
  expect(await ingest({ maxEntries: 5000 })).toBe("STORE_TREE_TOO_MANY");
});

test("attack: a sparse file of a hundred gigabytes that takes no space", async () => {
  const { out, ingest } = await target();
  plant(out, { sparse: "" });
  truncateSync(join(out, "sparse"), 100 * 1024 ** 3);
  // Naive: a quota on blocks is content, and whoever copies it writes them all.
  expect(statSync(join(out, "sparse")).blocks).toBeLessThan(1000);
  expect(await ingest()).toBe("STORE_TREE_TOO_LARGE");
});

test.skipIf(!linux)("T8: attack: a survivor of the step rewrites a file while it is hashed", async () => {
  const { out } = await target();
  const file = join(out, "big");
  writeFileSync(file, Buffer.alloc(48 * 1024 * 1024));
  const script = `const fs=require("fs");const f=fs.openSync(${JSON.stringify(file)},"r+");console.log("up");for(let i=0;;i++)fs.writeSync(f,String(i%10),47*1024*1024)`;
  const survivor = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(survivor.stdout, "data");
  // Naive: a digest comes out, of bytes that were never in the file at one time.
  expect(execFileSync("sha256sum", [file]).length).toBeGreaterThan(64);
  expect(await codeOf(hashDirectory(out, { threads: "never" }))).toBe("STORE_TREE_CHANGED");
  survivor.kill("SIGKILL");
  await once(survivor, "exit");
});
