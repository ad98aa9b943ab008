import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { say } from "../fixture.ts";

let directory: string;
let project: string;

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-init-")));
  process.env["TOUCHMARK_HOME"] = join(directory, "home");
  project = join(directory, "project");
  const clients = join(directory, "clients");
  for (const made of [project, clients]) mkdirSync(made);
  writeFileSync(join(project, "Makefile"), "all:\n\ttrue\n");
  writeFileSync(join(clients, "npm"), '#!/bin/sh\necho "http://127.0.0.1:9/packages/"\n');
  chmodSync(join(clients, "npm"), 0o755);
});

afterEach(() => {
  delete process.env["TOUCHMARK_HOME"];
  rmSync(directory, { recursive: true, force: true });
});

const init = (...words: string[]) =>
  say(["init", ...words], { directory: project, environment: { PATH: join(directory, "clients") } });

test("X17: init writes the repositories of the installed clients down, once, and says which and where", async () => {
  const file = join(directory, "home", "materials.yaml");
  expect((await init("--json")).code).toBe(0);
  expect(existsSync(file)).toBe(false);
  const first = await init("--yes");
  expect([first.code, first.out]).toEqual([0, ""]);
  expect(first.err).toContain(`wrote npm http://127.0.0.1:9/packages/ to ${file}`);
  expect(readFileSync(file, "utf8")).toContain("http://127.0.0.1:9/packages/");
  expect((await init("--yes", "--force")).err).not.toContain("asked the installed clients");
});

test("X17: what goes wrong there does not undo the pipeline that was written", async () => {
  writeFileSync(join(directory, "home"), "no directory");
  const said = await init("--yes");
  expect([said.code, existsSync(join(project, "touchmark.yaml"))]).toEqual([0, true]);
  expect(said.err).toMatch(/warning the repositories of this host were not written down: [A-Z_]+: /);
});
