import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { predicateType, readPredicate } from "@touchmark/formats/predicates";
import { attestId } from "@touchmark/identity";
import { readTrustRoot, verifyBundle } from "@touchmark/verify";
import { afterAll, expect, test } from "vitest";
import { signControlTest } from "./control-test.ts";
import { openFactory } from "./factory.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-control-test-")));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("ST1: what attacks showed is signed about the artifact, failures too, and verifies as this factory's", async () => {
  const factory = await openFactory({ home: join(directory, "home"), create: true });
  try {
    const baseline = sha256("app");
    const shown = { id: "no-log", kind: "stopped", control: "the log", attempt: "it is gone", practices: [] } as const;
    const signed = await signControlTest(factory, {
      ...{ pipeline: "default", baseline, version: "0.1.0", outcome: "failed" },
      source: { uri: "file:///srv/demo", commit: "3b18e512dba79e4c8300dd08aeb37f8e728b8dad" },
      ...{ startedAt: "2026-11-21T10:42:31Z", finishedAt: "2026-11-21T10:45:02Z" },
      experiments: [{ ...shown, outcome: "leaked", detail: "exit 0" }],
    });
    const { trustDomain, issuer } = factory.names();
    const verified = verifyBundle(signed.bytes, readTrustRoot(await factory.trustRoot()), {
      artifact: baseline,
      identity: attestId(trustDomain),
      issuer,
      predicateType: predicateType("control-test"),
    });
    expect(readPredicate("control-test", verified.statement.predicate)).toMatchObject({
      outcome: "failed",
      baseline,
      experiments: [{ id: "no-log", outcome: "leaked" }],
    });
  } finally {
    await factory.close();
  }
});
