import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openContentStore, openHome } from "@touchmark/store";
import { expect, test } from "vitest";
import { codeOf, freshHome } from "./fixture.ts";

const posix = process.platform !== "win32";

test("attack: a home from the future is fed to this version", async () => {
  const home = await freshHome();
  const version = join(home.path, "version");
  writeFileSync(version, "touchmark home 9999\n");
  // Naive: whoever only looks whether the directories are there goes on, and writes an old layout into a new one.
  expect(existsSync(join(home.path, "store"))).toBe(true);
  expect(await codeOf(openHome(home.path))).toBe("STORE_HOME_NEWER");
  expect(readFileSync(version, "utf8")).toBe("touchmark home 9999\n");
});

test.skipIf(!posix)("attack: another user may write in the home, and plants a trust root", async () => {
  const home = await freshHome();
  chmodSync(home.path, 0o777);
  // Naive: the file system lets anybody put it there, and reading it raises no question.
  writeFileSync(join(home.paths.trust, "trusted_root.json"), "planted");
  expect(readFileSync(join(home.paths.trust, "trusted_root.json"), "utf8")).toBe("planted");
  expect(await codeOf(openHome(home.path))).toBe("STORE_HOME_UNSAFE");
});

test("attack: the store of a home is replaced by another layout", async () => {
  const home = await freshHome();
  await openContentStore(home);
  writeFileSync(join(home.paths.store, "oci-layout"), '{"imageLayoutVersion":"9.0.0"}');
  // Naive: blobs/ is still there.
  expect(existsSync(join(home.paths.store, "blobs"))).toBe(true);
  expect(await codeOf(openContentStore(home))).toBe("STORE_LAYOUT_INVALID");
});
