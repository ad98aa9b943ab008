import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { npm } from "../../packages/materials/src/ecosystems/npm.ts";
import { clientMounts, clientSandbox, haveClients } from "../../packages/test-kit/src/clients/index.ts";
import { findProgram } from "../../packages/test-kit/src/index.ts";
import { integrityOf, localServer, tarball } from "./npm-local-registry.ts";

const missing =
  findProgram("bwrap") === undefined ? "bubblewrap is not installed" : haveClients() ? undefined : "no clients";

const manifest = {
  name: "evil",
  version: "1.0.0",
  scripts: Object.fromEntries(
    ["preinstall", "install", "postinstall", "prepare"].map((name) => [name, `touch "$TOUCHMARK_OUTPUT/${name}"`]),
  ),
};
const archive = tarball({ "package/package.json": JSON.stringify(manifest), "package/index.js": "" });

/** What the project says so that scripts run after all, in the words of every client. */
const project = {
  "package.json": JSON.stringify({
    ...{ name: "victim", version: "1.0.0", dependencies: { evil: "1.0.0" } },
    dependenciesMeta: { evil: { built: true } },
  }),
  ".npmrc": "ignore-scripts=false\ndangerously-allow-all-builds=true\nstrict-ssl=false\nregistry=http://127.0.0.1:9/\n",
  ".yarnrc": "ignore-scripts false\nregistry http://127.0.0.1:9/\n",
  ".yarnrc.yml":
    "enableScripts: true\nnodeLinker: node-modules\nnpmRegistryServer: http://127.0.0.1:9\nenableStrictSsl: false\n",
  "pnpm-workspace.yaml": "ignoreScripts: false\ndangerouslyAllowAllBuilds: true\nregistry: http://127.0.0.1:9/\n",
};

const modules = "/work/clients/node/node_modules";
/** As `touchmark init` proposes where a file of the project comes before the environment: pnpm 10 and yarn 2 or later. */
const clients: readonly (readonly [name: string, install: string])[] = [
  ["npm", `node ${modules}/npm/bin/npm-cli.js install`],
  ["pnpm 10", `node ${modules}/pnpm-10/bin/pnpm.cjs install --ignore-scripts`],
  ["pnpm 11", `node ${modules}/pnpm-11/bin/pnpm.mjs install`],
  ["pnpm 12", `node ${modules}/pnpm-12/bin/pnpm.mjs install`],
  ["yarn 1", `node ${modules}/yarn-classic/bin/yarn.js install --non-interactive`],
  ["yarn 4", `node ${modules}/yarn-berry/bin/yarn.js install --no-immutable --mode=skip-build`],
];

const reason = missing === undefined ? "" : ` (skipped: ${missing})`;

for (const [name, install] of clients) {
  test.skipIf(missing !== undefined)(
    `E6: ${name} with a project that turns scripts on and names another registry${reason}`,
    { timeout: 300_000 },
    async () => {
      const registry = await localServer("https", (origin) => {
        const version = {
          ...manifest,
          dist: { tarball: `${origin}/evil/-/evil-1.0.0.tgz`, integrity: integrityOf(archive) },
        };
        const document = { name: "evil", "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } };
        return {
          "/evil": {
            type: "application/json",
            body: JSON.stringify({ ...document, time: { "1.0.0": "2020-01-01T00:00:00Z" } }),
          },
          "/evil/-/evil-1.0.0.tgz": { type: "application/octet-stream", body: archive },
        };
      });
      const upstream = { name: "own", ecosystem: "npm", url: `${registry.origin}/`, exclusive: [], order: 0 } as const;
      const sandbox = await clientSandbox(npm, [upstream], {
        environment: { PATH: "/work/node:/usr/local/bin:/usr/bin:/bin" },
        mounts: clientMounts(),
        authority: registry.authority,
      });
      try {
        const ran = await sandbox.run(`${install}\ntest -e node_modules/evil/index.js`, sandbox.directoryOf(project));
        expect(ran.exitCode, `${ran.text}\n${sandbox.door.asked.join("\n")}`).toBe(0);
        for (const script of Object.keys(manifest.scripts))
          expect([script, existsSync(join(ran.output, script))]).toEqual([script, false]);
        expect(sandbox.door.archives).toMatchObject([{ held: true }]);
      } finally {
        await sandbox.close();
        await registry.close();
      }
    },
  );
}
