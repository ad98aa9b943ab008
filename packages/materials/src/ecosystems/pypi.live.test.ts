import { test } from "vitest";
import { hostUpstreams, type LiveClient, missingForLive, runLive } from "./live.fixture.ts";

const upstreams = await hostUpstreams("pypi");

const python = "/work/clients/python/bin/python";
const wanted = ["six==1.17.0", "idna==3.10"];
const proof = "six.py";
const project = `[project]
name = "live"
version = "1.0.0"
requires-python = ">=3.9"
dependencies = ${JSON.stringify(wanted)}
`;

/** The index by name: without it poetry takes for granted that its default index speaks JSON, which not every mirror does. */
const poetrySource = `
[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "own"
url = "${upstreams[0]?.url}"
priority = "primary"
`;

/** Requirements with the digests that pip itself found. */
const requirements = `import json
for each in json.load(open("report.json"))["install"]:
    hashes = each["download_info"]["archive_info"]["hashes"]
    print(each["metadata"]["name"] + "==" + each["metadata"]["version"], "--hash=sha256:" + hashes["sha256"])
`;

const clients: readonly LiveClient[] = [
  {
    name: "pip",
    project: { "requirements.py": requirements },
    lock: `${python} -m pip install --dry-run --ignore-installed --report report.json ${wanted.join(" ")}
${python} requirements.py > requirements.txt`,
    lockfile: "requirements.txt",
    install: `${python} -m pip install --require-hashes --no-compile --target "$TOUCHMARK_OUTPUT/tree" -r requirements.txt`,
    proof,
    archives: 2,
  },
  {
    name: "uv",
    project: { "pyproject.toml": project },
    lock: "/work/clients/python/bin/uv lock --python /usr/bin/python3",
    lockfile: "uv.lock",
    install: `/work/clients/python/bin/uv sync --frozen --no-install-project --link-mode copy --python /usr/bin/python3
cp -a .venv/lib/python3*/site-packages "$TOUCHMARK_OUTPUT/tree"`,
    proof,
    archives: 2,
  },
  {
    name: "poetry",
    project: { "pyproject.toml": project + poetrySource },
    lock: `${python} -m poetry lock`,
    lockfile: "poetry.lock",
    install: `POETRY_VIRTUALENVS_IN_PROJECT=true ${python} -m poetry install --no-root
cp -a .venv/lib/python3*/site-packages "$TOUCHMARK_OUTPUT/tree"`,
    notes: /^pip-[^/]*\/RECORD |\.pth |virtualenv/,
    proof,
    archives: 2,
  },
];

const missing = missingForLive(upstreams);
const reason = missing === undefined ? "" : ` (skipped: ${missing})`;
for (const client of clients) {
  test.skipIf(missing !== undefined)(`E8: ${client.name}${reason}`, { timeout: 300_000 }, () =>
    runLive("pypi", upstreams, client),
  );
}
