import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { onTestFinished } from "vitest";
import { osvRecord, scratchDirectory, writeFiles } from "../database/source.fixture.ts";
import { advisoryPlace, advisorySources } from "./configuration.ts";
import { type UpdateOptions, updateAdvisories } from "./update.ts";

/** A home with advisories.yaml and one directory of records. */
export function adviceScene(yaml?: string) {
  const home = scratchDirectory();
  const place = advisoryPlace(home);
  const clock = fixedClock("2026-02-01T00:00:00Z");
  const configure = (text: string): void => {
    writeFiles(home, { "advisories.yaml": `touchmark: advisories/v1\nsources:\n${text}` });
  };
  configure(yaml ?? "  - { name: local, kind: osv, location: records, licence: CC0-1.0 }\n");
  const write = (name: string, ...records: Record<string, unknown>[]): void => {
    writeFiles(join(home, name), { "all.json": records });
  };
  write("records", osvRecord("A-1"));
  const update = (options: Partial<UpdateOptions> & { readonly names?: readonly string[] } = {}) => {
    const configuration = advisorySources(place);
    if (configuration === undefined) throw new Error("expected a configuration");
    return updateAdvisories({ place, clock, configuration, ...options });
  };
  return { home, place, clock, configure, write, update };
}

/** A server of feeds on this host, for one test; every request is kept. */
export async function feedServer(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
