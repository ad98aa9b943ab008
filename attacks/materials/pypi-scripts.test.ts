import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pypi } from "../../packages/materials/src/ecosystems/pypi.ts";
import { clientMounts, clientSandbox, haveClients } from "../../packages/test-kit/src/clients/index.ts";
import { findProgram } from "../../packages/test-kit/src/index.ts";
import { localServer, tarball } from "./npm-local-registry.ts";

const missing =
  findProgram("bwrap") === undefined ? "bubblewrap is not installed" : haveClients() ? undefined : "no clients";

const setup = `import os, pathlib
pathlib.Path(os.environ["TOUCHMARK_OUTPUT"], "ran").touch()
from setuptools import setup
setup(name="evil", version="1.0", py_modules=[])
`;
const archive = tarball({
  "evil-1.0/setup.py": setup,
  "evil-1.0/PKG-INFO": "Metadata-Version: 1.0\nName: evil\nVersion: 1.0\n",
});
const digest = createHash("sha256").update(archive).digest("hex");
const python = "/work/clients/python/bin/python";

const project = {
  "pyproject.toml": `[project]
name = "victim"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["evil==1.0"]

[tool.poetry]
package-mode = false

[tool.uv]
no-build = false
index-url = "http://127.0.0.1:9/simple"
`,
  "uv.toml": 'no-build = false\nindex-url = "http://127.0.0.1:9/simple"\n',
  "pip.conf": "[global]\nonly-binary = :none:\nindex-url = http://127.0.0.1:9/simple\n",
};

const clients: readonly (readonly [name: string, install: string])[] = [
  ["pip", `${python} -m pip install --target "$TOUCHMARK_OUTPUT/tree" evil`],
  ["pip download", `${python} -m pip download evil`],
  [
    "uv pip",
    `/work/clients/python/bin/uv pip install --python /usr/bin/python3 --target "$TOUCHMARK_OUTPUT/tree" evil`,
  ],
  ["uv", "/work/clients/python/bin/uv sync --python /usr/bin/python3"],
];

const reason = missing === undefined ? "" : ` (skipped: ${missing})`;

for (const [name, install] of clients) {
  test.skipIf(missing !== undefined)(
    `E6: ${name} and a source distribution whose building is the attack${reason}`,
    { timeout: 300_000 },
    async () => {
      const index = await localServer("http", (origin) => ({
        "/simple/evil/": {
          type: "text/html",
          body: `<!DOCTYPE html><html><body><a href="${origin}/files/evil-1.0.tar.gz#sha256=${digest}">evil-1.0.tar.gz</a></body></html>`,
        },
        "/files/evil-1.0.tar.gz": { type: "application/octet-stream", body: archive },
      }));
      const upstream = {
        name: "own",
        ecosystem: "pypi",
        url: `${index.origin}/simple/`,
        exclusive: [],
        order: 0,
      } as const;
      const sandbox = await clientSandbox(pypi, [upstream], {
        environment: {},
        mounts: clientMounts(),
        authority: index.authority,
      });
      try {
        const ran = await sandbox.run(install, sandbox.directoryOf(project));
        expect(ran.exitCode, ran.text).not.toBe(0);
        expect(existsSync(join(ran.output, "ran"))).toBe(false);
        expect(index.asked, ran.text).toContain("/simple/evil/");
      } finally {
        await sandbox.close();
        await index.close();
      }
    },
  );
}
