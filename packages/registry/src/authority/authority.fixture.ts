import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { parseRegistryConfiguration } from "../configuration/parse.ts";
import { memoryBuckets } from "./buckets.ts";
import { configuredAuthority } from "./configured-authority.ts";
import { failureLedger } from "./failures.ts";
import { parsePasswordHash } from "./password.ts";
import { passwords } from "./passwords.ts";
import { openTokenKeys } from "./token-key.ts";

/** Hashes that stand for passwords in tests of what is around scrypt: the salt is the user's name. */
export const fakeHash = (name: string): string =>
  `$scrypt$ln=14,r=8,p=5$${Buffer.from(name.padEnd(16)).toString("base64").slice(0, 22)}$${"A".repeat(43)}`;

/** Passwords are the name and "'s password" here; nothing is computed. */
export const isFakePassword = async (known: { readonly text: string }, password: string): Promise<boolean> =>
  known.text === fakeHash(password.replace(/'s password$/, "")) && password.endsWith("'s password");

/** An authority over a document, with a clock that stands still. Used by tests only. */
export function authorityScene(body: string, url: string | undefined = "https://registry.example.com") {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-authority-"));
  const clock = fixedClock("2026-11-21T10:42:31Z");
  const document = (text: string) => parseRegistryConfiguration(`touchmark: registry/v1\n${text}`, "registry.yaml");
  let configuration = document(body);
  const failures = failureLedger(clock);
  const keyPath = join(directory, "token-key.json");
  const keys = openTokenKeys(keyPath, clock, 0);
  const waits: number[] = [];
  const audit: object[] = [];
  const compared: string[] = [];
  const authority = configuredAuthority({
    configuration: () => configuration,
    keys,
    clock,
    url: () => url,
    audit: (line) => audit.push(line),
    buckets: memoryBuckets(clock, async (ms) => void waits.push(ms)),
    passwords: passwords(clock, failures, async (known, password) => {
      compared.push(password);
      return isFakePassword(known, password);
    }),
  });
  return {
    ...{ directory, clock, keys, keyPath, authority, waits, audit, compared },
    change: (text: string) => {
      configuration = document(text);
    },
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** A user of the fixture, as `registry.yaml` spells one. */
export const userLine = (name: string, grants: string): string =>
  `  ${name}: { password: "${parsePasswordHash(fakeHash(name)).text}", grants: ${grants} }\n`;

/** Basic credentials of a user of the fixture. */
export const basic = (user: string, password = `${user}'s password`): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
