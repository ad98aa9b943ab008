import { test } from "vitest";
import { h1Value } from "./go-checksums.ts";
import { hostUpstreams } from "./live.fixture.ts";
import { fetchTwice, type LiveFetch, reasonAgainst } from "./live-fetch.fixture.ts";

const zip = "h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=";
const mod = "h1:TIyPZe4MgqvfeYDBFedMoGGpEw/LqOeaOT+nhxU+yHo=";
const name = "github.com/google/uuid";

const live: LiveFetch = {
  ecosystem: "golang",
  programs: ["go"],
  toolchains: ["go"],
  upstreams: await hostUpstreams("golang"),
  project: {
    "go.mod": `module example.com/live\n\ngo 1.21\n\nrequire ${name} v1.6.0\n`,
    "go.sum": `${name} v1.6.0 ${zip}\n${name} v1.6.0/go.mod ${mod}\n`,
  },
  script: `go mod download && go mod verify\ncp -a "$(go env GOMODCACHE)" "$TOUCHMARK_OUTPUT/modules"`,
  notes: /^modules\/cache\/(lock|vcs)|\.lock /,
  expected: async (facts) =>
    facts.purl === `pkg:golang/${name}@v1.6.0`
      ? [{ algorithm: "h1", value: h1Value(zip) ?? "", source: "lockfile", from: "go.sum" }]
      : [],
};
const reason = reasonAgainst(live);

test.skipIf(reason !== "")(`E20: go mod download, from go.sum${reason}`, { timeout: 300_000 }, () => fetchTwice(live));
