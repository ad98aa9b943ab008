import { memoryRegistryBackend, openAuthority, startRegistry } from "@touchmark/registry";
import { expect, test } from "vitest";
import { reportOf, tableOf } from "./report.ts";
import { checks, runSuite } from "./suite.ts";

test("our registry holds every MUST and SHOULD of OCI distribution-spec 1.1", async () => {
  const listen = { host: "127.0.0.1", port: 0 };
  const registry = await startRegistry({ backend: memoryRegistryBackend(), authority: openAuthority(), listen });
  const report = reportOf("ours", await runSuite({ url: registry.url }));
  await registry.close();
  const { must, should } = report.counts;
  expect([must.failed, should.failed], tableOf(report)).toEqual([0, 0]);
  // We tell no least size of a chunk; all else is offered.
  expect([must.notOffered, should.notOffered], tableOf(report)).toEqual([0, 1]);
});

test("a check fails against a registry that has nothing", async () => {
  const { createServer } = await import("node:http");
  const server = createServer((_, response) => response.writeHead(200).end("{}"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const report = reportOf("nothing", await runSuite({ url: `http://127.0.0.1:${port}` }));
  server.close();
  expect(report.counts.must.passed).toBeLessThan(10);
});

test("every check has a number of its own", () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
});
