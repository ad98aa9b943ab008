import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHome } from "./home.ts";
import { defaultHomePath } from "./home-path.ts";
import { takeLock, tryLock } from "./kernel-lock.ts";
import { type Migration, versionText } from "./migrations.ts";
import { codeOf, temporaryDirectory, temporaryHome } from "./temporary-home.ts";

const posix = process.platform !== "win32";

test("H1: the home lies where the environment or the system says", () => {
  const at = (environment: Record<string, string>, platform: NodeJS.Platform) =>
    defaultHomePath(environment, platform, "/u");
  expect(at({ TOUCHMARK_HOME: "/x/y" }, "linux")).toBe("/x/y");
  expect(at({ TOUCHMARK_HOME: "", XDG_DATA_HOME: "/data" }, "linux")).toBe("/data/touchmark");
  expect(at({ XDG_DATA_HOME: "relative" }, "linux")).toBe("/u/.local/share/touchmark");
  expect(at({}, "darwin")).toBe("/u/Library/Application Support/touchmark");
  expect(at({ LOCALAPPDATA: "/local" }, "win32")).toBe("/local/touchmark");
});

test("H2: a home is created private and only when asked", async () => {
  const path = join(temporaryDirectory(), "a", "home");
  expect(await codeOf(openHome(path))).toBe("STORE_HOME_MISSING");
  const home = await openHome(path, { create: true });
  if (posix) expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(readFileSync(home.paths.version, "utf8")).toBe(versionText(home.version));
  for (const directory of [home.paths.store, home.paths.runs, home.paths.work])
    expect(existsSync(directory)).toBe(true);
  expect((await openHome(path)).version).toBe(home.version);
  mkdirSync(join(path, "..", "empty"));
  expect(await codeOf(openHome(join(path, "..", "empty")))).toBe("STORE_HOME_MISSING");
});

test("H2: a directory that holds anything else never becomes a home", async () => {
  const path = temporaryDirectory();
  writeFileSync(join(path, "thesis.txt"), "mine");
  expect(await codeOf(openHome(path, { create: true }))).toBe("STORE_HOME_FOREIGN");
  expect(await codeOf(openHome(path))).toBe("STORE_HOME_FOREIGN");
  expect(readdirSync(path)).toEqual(["thesis.txt"]);
  const home = await temporaryHome();
  for (const text of ["", "2", "touchmark home 02\n", "touchmark home 0\n", "touchmark home 1\nmore"]) {
    writeFileSync(home.paths.version, text);
    expect(await codeOf(openHome(home.path))).toBe("STORE_HOME_FOREIGN");
  }
});

test("H2: several processes may create one home at once", async () => {
  const path = join(temporaryDirectory(), "home");
  const homes = await Promise.all(Array.from({ length: 8 }, () => openHome(path, { create: true })));
  expect(new Set(homes.map((home) => home.version)).size).toBe(1);
});

test.skipIf(!posix)("H3: a home that others can write is refused, and so are its parts", async () => {
  const home = await temporaryHome();
  for (const mode of [0o770, 0o707, 0o722]) {
    chmodSync(home.path, mode);
    expect(await codeOf(openHome(home.path))).toBe("STORE_HOME_UNSAFE");
    expect(await codeOf(openHome(home.path, { create: true }))).toBe("STORE_HOME_UNSAFE");
  }
  chmodSync(home.path, 0o755);
  await openHome(home.path);
  chmodSync(home.paths.identity, 0o777);
  expect(await codeOf(openHome(home.path))).toBe("STORE_HOME_UNSAFE");
  chmodSync(home.paths.identity, 0o700);
  rmSync(home.paths.trust, { recursive: true });
  symlinkSync("/tmp", home.paths.trust);
  expect(await codeOf(openHome(home.path))).toBe("STORE_HOME_UNSAFE");
});

// Only root can give a directory away.
test.skipIf(process.geteuid?.() !== 0)("H3: a home that someone else owns is refused", async () => {
  const home = await temporaryHome();
  chownSync(home.path, 65534, 65534);
  expect(await codeOf(openHome(home.path))).toBe("STORE_HOME_UNSAFE");
});

test("H4: a home of the first version is migrated, once, whoever comes first", async () => {
  const home = await temporaryHome();
  writeFileSync(home.paths.version, versionText(1));
  for (const part of ["cache", "work"]) rmSync(join(home.path, part, "CACHEDIR.TAG"));
  writeFileSync(join(home.paths.trust, "kept"), "kept");
  const opened = await Promise.all(Array.from({ length: 4 }, () => openHome(home.path)));
  expect(opened.every((one) => one.version === home.version)).toBe(true);
  expect(readFileSync(home.paths.version, "utf8")).toBe(versionText(home.version));
  expect(readFileSync(join(home.paths.cache, "CACHEDIR.TAG"), "utf8")).toMatch(
    /^Signature: 8a477f597d28d172789f06886806bc55/,
  );
  expect(readFileSync(join(home.paths.trust, "kept"), "utf8")).toBe("kept");
});

test("H4: a home of the second version gets places for the mirror and the registry, and an older program refuses it then", async () => {
  const home = await temporaryHome();
  writeFileSync(home.paths.version, versionText(2));
  rmSync(home.paths.materials, { recursive: true });
  rmSync(home.paths.registry, { recursive: true });
  expect((await openHome(home.path)).version).toBe(4);
  expect(statSync(home.paths.materials).isDirectory()).toBe(true);
  expect(statSync(home.paths.registry).isDirectory()).toBe(true);
  const older = new Map<number, Migration>([[1, () => {}]]);
  expect(await codeOf(openHome(home.path, { migrations: older }))).toBe("STORE_HOME_NEWER");
});

test("H4: versions are migrated one at a time, and a failed step is taken again", async () => {
  const home = await temporaryHome();
  writeFileSync(home.paths.version, versionText(1));
  const seen: number[] = [];
  let failing = true;
  const step =
    (version: number): Migration =>
    () => {
      seen.push(version);
      if (version === 2 && failing) throw new Error("killed here");
    };
  const migrations = new Map([1, 2, 3, 4].map((version) => [version, step(version)] as const));
  await expect(openHome(home.path, { migrations })).rejects.toThrow("killed here");
  expect(readFileSync(home.paths.version, "utf8")).toBe(versionText(2));
  failing = false;
  expect((await openHome(home.path, { migrations })).version).toBe(5);
  expect(seen).toEqual([1, 2, 2, 3, 4]);
  expect(await codeOf(openHome(home.path))).toBe("STORE_HOME_NEWER");
  writeFileSync(home.paths.version, versionText(1));
  expect(await codeOf(openHome(home.path, { migrations: new Map([[4, step(4)]]) }))).toBe("STORE_HOME_FOREIGN");
});

test("H5: a lock excludes others, in this process and in others, and dies with its holder", async () => {
  const home = await temporaryHome();
  const held = await home.lock("test");
  expect(await codeOf(home.lock("test", { timeoutMs: 20 }))).toBe("STORE_LOCK_BUSY");
  expect(await codeOf(home.lock("test", { timeoutMs: 0, shared: true }))).toBe("STORE_LOCK_BUSY");
  held.release();
  held.release();
  const shared = [await home.lock("test", { shared: true }), await home.lock("test", { shared: true })];
  expect(await codeOf(home.lock("test", { timeoutMs: 0 }))).toBe("STORE_LOCK_BUSY");
  for (const one of shared) one.release();
  await expect(async () => home.lock("../x")).rejects.toThrow(TypeError);

  const module = new URL("./kernel-lock.ts", import.meta.url).href;
  const path = join(home.paths.locks, "other.lock");
  const script = `const {takeLock}=await import(${JSON.stringify(module)});await takeLock(${JSON.stringify(path)});console.log("held");setInterval(()=>{},1e6)`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(await tryLock(path)).toBeUndefined();
  child.kill("SIGKILL");
  await once(child, "exit");
  (await takeLock(path)).release();
});

test("H6: scratch of the dead is deleted, scratch of the living is not", async () => {
  const home = await temporaryHome();
  const mine = await home.scratch("mine");
  const module = new URL("./home.ts", import.meta.url).href;
  const script = `const {openHome}=await import(${JSON.stringify(module)});const h=await openHome(${JSON.stringify(home.path)});console.log(await h.scratch("theirs"));process.kill(process.pid,"SIGKILL")`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  await once(child, "exit");
  const theirs = line.toString().trim();
  expect(existsSync(theirs)).toBe(true);
  writeFileSync(join(home.paths.work, "stray"), "left behind");
  await Promise.all([openHome(home.path), openHome(home.path)]);
  expect([existsSync(theirs), existsSync(join(home.paths.work, "stray")), existsSync(mine)]).toEqual([
    false,
    false,
    true,
  ]);
  await home.releaseScratch(mine);
  expect(existsSync(mine)).toBe(false);
  await expect(home.releaseScratch(home.path)).rejects.toThrow(TypeError);
  await home.close();
  expect(readdirSync(home.paths.work)).toEqual(["CACHEDIR.TAG"]);
});

test("H8: operating system errors get a code", async () => {
  const home = await temporaryHome();
  await home.scratch();
  renameSync(home.paths.work, `${home.paths.work}-gone`);
  expect(await codeOf(home.scratch())).toBe("STORE_IO");
});
