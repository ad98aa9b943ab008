import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openFactory } from "./factory.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-factory-")));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("ST2: a home whose keys are gone gets no new ones once it has runs", async () => {
  const home = join(directory, "home");
  await (await openFactory({ home, create: true })).close();
  const authority = join(home, "identity", "authority");
  renameSync(authority, `${authority}.aside`);
  await (await openFactory({ home, create: true })).close();
  rmSync(authority, { recursive: true });
  mkdirSync(join(home, "runs", "20261121-104231-4f1d"));
  await expect(openFactory({ home, create: true })).rejects.toThrow(expect.objectContaining({ code: "IDENTITY_GONE" }));
  renameSync(`${authority}.aside`, authority);
  await (await openFactory({ home, create: true })).close();
});
