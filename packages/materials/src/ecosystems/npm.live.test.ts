import { test } from "vitest";
import { hostUpstreams, type LiveClient, missingForLive, runLive } from "./live.fixture.ts";

const upstreams = await hostUpstreams("npm");

/** A plain package with a dependency, and a scoped one. */
const dependencies = { "is-odd": "3.0.1", "@isaacs/string-locale-compare": "1.1.0" };
const manifest = JSON.stringify({ name: "live", version: "1.0.0", private: true, dependencies });
const modules = "/work/clients/node/node_modules";
const keep = 'mkdir "$TOUCHMARK_OUTPUT/tree" && cp -a node_modules "$TOUCHMARK_OUTPUT/tree"';
const proof = "node_modules/is-odd/package.json";

function pnpm(version: string, program: string): LiveClient {
  const run = `node ${modules}/${version}/bin/${program}`;
  return {
    name: version,
    project: { "package.json": manifest },
    lock: `${run} install --lockfile-only`,
    lockfile: "pnpm-lock.yaml",
    install: `${run} install --frozen-lockfile --package-import-method copy\n${keep}`,
    notes: /^node_modules\/(\.modules\.yaml|\.pnpm-workspace-state\S*) /,
    proof,
    archives: 3,
  };
}

const clients: readonly LiveClient[] = [
  {
    name: "npm",
    project: { "package.json": manifest },
    lock: `node ${modules}/npm/bin/npm-cli.js install --package-lock-only`,
    lockfile: "package-lock.json",
    install: `node ${modules}/npm/bin/npm-cli.js ci\n${keep}`,
    proof,
    archives: 3,
  },
  pnpm("pnpm-10", "pnpm.cjs"),
  pnpm("pnpm-11", "pnpm.mjs"),
  pnpm("pnpm-12", "pnpm.mjs"),
  {
    name: "yarn 1",
    project: { "package.json": manifest },
    lock: `node ${modules}/yarn-classic/bin/yarn.js install --non-interactive`,
    lockfile: "yarn.lock",
    install: `node ${modules}/yarn-classic/bin/yarn.js install --frozen-lockfile --non-interactive\n${keep}`,
    proof,
    archives: 3,
  },
  {
    name: "yarn 4",
    project: { "package.json": manifest, ".yarnrc.yml": "nodeLinker: node-modules\n" },
    lock: `node ${modules}/yarn-berry/bin/yarn.js install --mode=update-lockfile`,
    lockfile: "yarn.lock",
    install: `node ${modules}/yarn-berry/bin/yarn.js install --immutable\n${keep}`,
    proof,
    archives: 3,
  },
];

const missing = missingForLive(upstreams);
const reason = missing === undefined ? "" : ` (skipped: ${missing})`;
for (const client of clients) {
  test.skipIf(missing !== undefined)(`E8: ${client.name}${reason}`, { timeout: 300_000 }, () =>
    runLive("npm", upstreams, client),
  );
}
