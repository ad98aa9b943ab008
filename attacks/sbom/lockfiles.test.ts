import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { planted, purls, scan, vulnerable } from "./tree-scene.ts";

const sri = (text: string): string => `sha512-${createHash("sha512").update(text).digest("base64")}`;
const lock = (packages: object): string =>
  JSON.stringify({
    name: "shop",
    lockfileVersion: 3,
    packages: { "": { name: "shop", dependencies: { lodash: "4.17.21" } }, ...packages },
  });
const fixed = { version: "4.17.21", integrity: sri("fixed") };

test("J5: a lockfile that says a fixed version does not hide the vulnerable one that is installed", async () => {
  const sbom = await scan(
    planted({
      "package-lock.json": lock({ "node_modules/lodash": fixed }),
      "node_modules/lodash/package.json": vulnerable,
    }),
  );
  expect(purls(sbom)).toEqual(["pkg:npm/lodash@4.17.20", "pkg:npm/lodash@4.17.21"]);
});

test("J3: an entry whose archive is another package is kept and named", async () => {
  const resolved = "https://npm.example.test/evil/-/evil-1.0.0.tgz";
  const sbom = await scan(planted({ "package-lock.json": lock({ "node_modules/lodash": { ...fixed, resolved } }) }));
  expect(purls(sbom)).toEqual(["pkg:npm/lodash@4.17.21"]);
  expect(sbom.components.find(({ name }) => name === "lodash")?.downloadLocation).toBe(resolved);
  expect(sbom.losses).toMatchObject([{ path: "package-lock.json", code: "LOCKFILE_ADDRESS" }]);
});

test("J3: one broken entry hides nothing of the others, and is named", async () => {
  const sbom = await scan(
    planted({
      "package-lock.json": lock({
        "node_modules/lodash": { version: "4.17.20", integrity: sri("x") },
        "node_modules/\u202egnp": { version: "1.0.0" },
        "node_modules/x": 7,
      }),
    }),
  );
  expect(purls(sbom)).toEqual(["pkg:npm/lodash@4.17.20"]);
  expect(sbom.losses.map(({ code }) => code).sort()).toEqual(["LOCKFILE_MALFORMED", "LOCKFILE_NAME"]);
});

test("J3: a lockfile made unreadable is named: its absence from the list is no silence", async () => {
  for (const [file, text, code] of [
    ["package-lock.json", `{"lockfileVersion":3,"packages":${"[".repeat(5000)}`, "LOCKFILE_MALFORMED"],
    [
      "package-lock.json",
      `{"lockfileVersion":3,"packages":${"[".repeat(5000)}${"]".repeat(5000)}}`,
      "LOCKFILE_TOO_DEEP",
    ],
    ["pnpm-lock.yaml", "a: &a [x]\nlockfileVersion: '9.0'\nb: *a\n", "LOCKFILE_SYNTAX_FORBIDDEN"],
    ["poetry.lock", "[[package]]\nname = 'x", "LOCKFILE_MALFORMED"],
    ["yarn.lock", "a@1:\n   version x", "LOCKFILE_MALFORMED"],
  ] as const) {
    const sbom = await scan(planted({ [file]: text, "node_modules/lodash/package.json": vulnerable }));
    expect(purls(sbom)).toEqual(["pkg:npm/lodash@4.17.20"]);
    expect(sbom.losses).toMatchObject([{ path: file, code }]);
  }
});

test("J6: a lockfile shipped inside a package adds no phantom to the list", async () => {
  const sbom = await scan(
    planted({
      "node_modules/lodash/package.json": vulnerable,
      "node_modules/lodash/package-lock.json": lock({
        "node_modules/left-pad": { version: "1.0.0", integrity: sri("y") },
      }),
      "lib/python3.11/site-packages/a/requirements.txt": "phantom==1.0\n",
    }),
  );
  expect(purls(sbom)).toEqual(["pkg:npm/lodash@4.17.20"]);
});

test("J8: tokens in lockfiles and records reach neither the list nor its losses", async () => {
  const site = "lib/python3.11/site-packages/a-1.0.dist-info";
  const sbom = await scan(
    planted({
      "package-lock.json": lock({
        "node_modules/lodash": { ...fixed, resolved: "https://u:hunter2@npm.example.test/lodash/-/lodash-4.17.21.tgz" },
      }),
      "requirements.txt":
        "--index-url https://u:hunter2@pypi.example.test/simple\nb @ https://u:hunter2@x.test/b-1.0.tar.gz\n",
      [`${site}/METADATA`]: "Name: a\nVersion: 1.0\n",
      [`${site}/direct_url.json`]:
        '{"url":"https://u:hunter2@git.example.test/a","vcs_info":{"vcs":"git","commit_id":"ab12"}}',
    }),
  );
  expect(sbom.components.map(({ name }) => name)).toEqual(expect.arrayContaining(["lodash", "a", "b"]));
  expect(JSON.stringify(sbom)).not.toContain("hunter2");
});
