import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { commandTable } from "./commands.ts";
import { say } from "./fixture.ts";

test("X6: every command has help with examples", async () => {
  for (const row of commandTable) {
    const said = await say([row.name, "--help"]);
    expect([row.name, said.code]).toEqual([row.name, 0]);
    expect(said.out).toMatch(new RegExp(`^Usage: touchmark ${row.name}`));
    expect(said.out).toMatch(/Examples:\n {2}touchmark/);
    expect((await say(["help", row.name])).out).toBe(said.out);
  }
  const top = await say(["--help"]);
  for (const row of commandTable) expect(top.out).toContain(`  ${row.name}`);
  expect((await say([])).code).toBe(2);
  expect((await say(["help", "frob"])).code).toBe(2);
});

test("X6: a word that is nearly right gets the right one", async () => {
  expect((await say(["verfy"])).err).toContain("did you mean: touchmark verify?");
  expect((await say(["run", "--revison", "x"])).err).toContain("--revision");
});

test("X3: a defect of ours is said as one, in JSON too", async () => {
  const broken = {
    environment: new Proxy(
      {},
      {
        get: () => {
          throw new Error("broken");
        },
      },
    ),
  };
  const said = await say(["doctor", "--json"], broken);
  expect(said.code).toBe(70);
  expect(JSON.parse(said.out)).toMatchObject({ verdict: "error", code: "BUG" });
  expect(said.err).toContain("This is a defect of touchmark");
});

test("X12: help reads no command's code and no package but the core", () => {
  const hook = `import { registerHooks } from "node:module"; registerHooks({ load(url, context, next) { process.stderr.write(url + "\\n"); return next(url, context); } });`;
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const said = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(hook)}`, main, "--help"],
    { encoding: "utf8" },
  );
  expect(said.status).toBe(0);
  const loaded = said.stderr.split("\n").filter((url) => url.startsWith("file:"));
  expect(loaded.length).toBeGreaterThan(2);
  for (const url of loaded) expect(url).toMatch(/\/packages\/(cli\/src\/[^/]+|core\/src\/.*)\.ts$/);
});
