import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AskClient } from "../ecosystem.ts";
import { askUpstreams, withHostClients } from "./ask.ts";
import { askNpm } from "./npm-ask.ts";
import { onPath } from "./programs.fixture.ts";
import { askPypi } from "./pypi-ask.ts";

/** Clients that say what the table has for their command line. */
function scripted(answers: Readonly<Record<string, string>>): AskClient {
  return (program, words) => Promise.resolve(answers[[program, ...words].join(" ")]);
}

test("E7: npm's registry and those of its scopes, credentials stripped and named", async () => {
  const ask = scripted({
    "npm config get registry": "npm warn something\nhttps://me:secret@registry.test/npm?x=1#y\n",
    "npm config ls --json": JSON.stringify({
      "@own:registry": "https://own.test/",
      "@us:registry": "https://own.test",
      "@odd:registry": "file:///srv",
      "//own.test/:_authToken": "(protected)",
    }),
    "pnpm config get registry": "https://registry.test/npm/\n",
    "yarn config get registry": "undefined\n",
    "yarn config get npmRegistryServer": "https://berry.test\n",
  });
  expect(await askNpm(ask)).toEqual([
    { url: "https://own.test/", exclusive: ["@own/*", "@us/*"], from: "npm config" },
    {
      url: "https://registry.test/npm/",
      exclusive: [],
      from: "npm config",
      credential: "user information in the address of npm config",
    },
    { url: "https://berry.test/", exclusive: [], from: "yarn config" },
  ]);
});

test("E7: pip's indexes in its own order: variables, then files; several extra ones", async () => {
  const ask = scripted({
    "pip3 config list": [
      ":env:.extra-index-url='https://b.test/simple\\nhttps://me:x@c.test/simple/'",
      "global.index-url='https://file.test/simple'",
      "install.index-url='https://install.test/simple'",
      "global.extra-index-url='https://never.test/simple'",
      "",
    ].join("\n"),
  });
  expect((await askPypi(ask)).map(({ url, credential }) => [url, credential !== undefined])).toEqual([
    ["https://install.test/simple/", false],
    ["https://b.test/simple/", false],
    ["https://c.test/simple/", true],
  ]);
});

test("E7: a pip that has no index configured names its default itself, and one without index names none", async () => {
  const help =
    "  -i, --index-url <url>  Base URL of the Python Package\n     Index (default\n     https://default.test/simple). This should";
  const ask = { "python3 -m pip config list": "\n", "python3 -m pip download --help": help };
  expect(await askPypi(scripted(ask))).toEqual([
    { url: "https://default.test/simple/", exclusive: [], from: "pip's default" },
  ]);
  expect(await askPypi(scripted({ ...ask, "python3 -m pip config list": "global.no-index='true'\n" }))).toEqual([]);
});

test("E7: uv's indexes are those of its settings, or its default", async () => {
  const settings = (inside: string) => `index_locations: IndexLocations {\n indexes: [${inside}],\n flat_index: [],`;
  const show = "uv pip compile --show-settings /dev/null";
  const help = {
    "uv pip install --help": "--default-index <X>\n The default (by default: <https://default.test/simple>)",
  };
  const given = `given: Some(\n "https://u:****@own.test/simple",\n)`;
  const addresses = async (inside: string) =>
    (await askPypi(scripted({ ...help, [show]: settings(inside) }))).map(({ url }) => url);
  expect(await addresses("")).toEqual(["https://default.test/simple/"]);
  expect(await addresses(given)).toEqual(["https://own.test/simple/", "https://default.test/simple/"]);
  expect(await addresses(`${given}, default: true`)).toEqual(["https://own.test/simple/"]);
});

test("E7: clients that are absent, fail, or say nonsense answer nothing", async () => {
  expect(await askUpstreams(() => Promise.resolve(undefined))).toEqual({});
  expect(await askUpstreams(() => Promise.resolve("javascript:alert(1)\n{"))).toEqual({});
});

test("E7: a client runs without shell and input, in an empty directory, bounded", async () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-client-"));
  try {
    const program = join(directory, "client");
    writeFileSync(
      program,
      '#!/bin/sh\ncase "$1" in\nfail) echo out; echo err >&2; exit 3;;\nendless) yes;;\nesac\npwd\nls -A | wc -l\ncat\necho "$1"\n',
      {
        mode: 0o755,
      },
    );
    await withHostClients({ ...process.env }, async (ask) => {
      const [where, files, word] = ((await ask(program, ["$(id)"])) ?? "").split("\n");
      expect(where).toContain("touchmark-ask-");
      expect([files?.trim(), word]).toEqual(["0", "$(id)"]);
      expect(await ask(program, ["fail"])).toBeUndefined();
      expect(await ask(program, ["fail"], { failing: true })).toBe("out\nerr\n");
      expect(await ask(program, ["endless"])).toBeUndefined();
      expect(await ask(join(directory, "missing"), [])).toBeUndefined();
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test.skipIf(!onPath("npm") || !onPath("pip"))("E7: the npm and pip of this host name upstreams", async () => {
  const asked = await withHostClients(process.env, askUpstreams);
  for (const ecosystem of ["npm", "pypi"] as const) {
    expect(asked[ecosystem]?.map(({ url }) => new URL(url).pathname.endsWith("/"))).toContain(true);
  }
});
