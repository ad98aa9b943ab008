import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, digestHex, sha256, systemClock } from "@touchmark/core";
import { STATEMENT_TYPE, type Statement } from "@touchmark/formats/evidence";
import { createFactoryIdentity, type FactoryIdentity } from "@touchmark/identity";
import { type MemoryLog, memoryLog } from "./memory-log.ts";

/** A small factory of its own: identity in a temporary directory, log in memory. */
export interface FactoryFixture {
  readonly directory: string;
  readonly trustDomain: string;
  readonly passphrase: string;
  readonly identity: FactoryIdentity;
  readonly log: MemoryLog;
  /** Removes the directory. */
  dispose(): void;
}

/** Makes a factory. Creating the root key takes about a tenth of a second. */
export async function factoryFixture(options: { readonly clock?: Clock } = {}): Promise<FactoryFixture> {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-factory-"));
  const clock = options.clock ?? systemClock;
  const log = memoryLog("log.factory.example", () => clock.now());
  const trustDomain = "factory.example";
  const passphrase = "correct horse battery staple";
  const identity = await createFactoryIdentity({
    directory: join(directory, "identity"),
    trustDomain,
    passphrase,
    clock,
    log,
  });
  return {
    directory,
    trustDomain,
    passphrase,
    identity,
    log,
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** A statement about one artifact, with an empty predicate. */
export function sampleStatement(
  artifact: string | Uint8Array,
  predicateType = "https://example.org/sample/v1",
): Statement {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: "artifact", digest: { sha256: digestHex(sha256(artifact)) } }],
    predicateType,
    predicate: {},
  };
}
