import { test } from "vitest";
import { withHostClients } from "./ask.ts";
import { deb } from "./deb.ts";
import { fetchTwice, type LiveFetch, reasonAgainst } from "./live-fetch.fixture.ts";

const asked = await withHostClients(process.env, async (ask) => (await deb.askClient?.(ask)) ?? []);

const live: LiveFetch = {
  ecosystem: "deb",
  programs: ["apt-get"],
  toolchains: [],
  // The first archive alone: its suites have indexes in gzip and in xz.
  upstreams: asked.slice(0, 1).map((one, order) => ({ ...one, name: `debian-${order}`, ecosystem: "deb", order })),
  project: { "want.txt": "hello\n" },
  script: 'apt-get update\ncd "$TOUCHMARK_OUTPUT"\napt-get download $(cat /work/project/want.txt)',
};
const reason = reasonAgainst(live);

test.skipIf(reason !== "")(`E20: apt-get update and download, without root${reason}`, { timeout: 300_000 }, () =>
  fetchTwice(live),
);
