import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import {
  configuredAuthority,
  hashPassword,
  memoryRegistryBackend,
  openTokenKeys,
  type RunningRegistry,
  startRegistry,
} from "@touchmark/registry";
import { parseRegistryConfiguration } from "@touchmark/registry/configuration";

/** The one password of these scenes; no output may ever hold it. */
export const secret = "canary-password-4d1f";

/** A registry with a user, that listens on this host; its clock stands still. */
export async function authorityScene(grants = '{ "team/**": [pull, push] }', more = "") {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-attack-authority-"));
  const clock = fixedClock("2026-11-21T10:42:31Z");
  const { text } = await hashPassword(secret);
  const document = (written: string) =>
    parseRegistryConfiguration(
      `touchmark: registry/v1\nusers: { ada: { password: "${text}", grants: ${written} } }\n${more}`,
      "registry.yaml",
    );
  let configuration = document(grants);
  const keyPath = join(directory, "token-key.json");
  const audit: object[] = [];
  let running: RunningRegistry | undefined;
  const authority = configuredAuthority({
    configuration: () => configuration,
    keys: openTokenKeys(keyPath, clock, 0),
    clock,
    url: () => running?.url,
    audit: (line) => audit.push(line),
  });
  const backend = memoryRegistryBackend();
  running = await startRegistry({
    ...{ backend, authority, clock, closeSeconds: 1 },
    audit: (line) => audit.push(line),
    listen: { host: "127.0.0.1", port: 0 },
  });
  const { url } = running;
  return {
    ...{ authority, audit, backend, clock, keyPath, url },
    key: () => openTokenKeys(keyPath, clock, 0).current(),
    grant: (written: string) => {
      configuration = document(written);
    },
    /** Why a credential does not do, by its code; the caller's name when it does. */
    async judge(
      header: string | undefined,
      action: "pull" | "push" | "delete" | "catalog" = "pull",
      repository = "team/app",
    ) {
      const found = await authority.identify(header, { action, repository }, "192.0.2.1");
      if ("challenge" in found) return found.reason.split(":")[0];
      return found.may(action, repository) ? found.name : "REGISTRY_DENIED";
    },
    /** A token by asking for it. */
    async token(query: string, user = "ada", password = secret): Promise<string> {
      const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
      const response = await fetch(`${url}/v2/token?${query}`, { headers: { authorization } });
      return ((await response.json()) as { token?: string }).token ?? "";
    },
    async dispose(): Promise<void> {
      await running?.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A token's parts, read. */
export function partsOf(token: string): {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  mark: string;
} {
  const [header = "", claims = "", mark = ""] = token.split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  return { header: read(header), claims: read(claims), mark };
}

/** Text of a JSON value, as a part of a token. */
export const encoded = (value: object | string): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
