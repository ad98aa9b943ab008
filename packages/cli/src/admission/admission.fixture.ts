import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { attestArtifact, type Factory, openFactory } from "@touchmark/pipeline";
import { type Said, say } from "../fixture.ts";

/** Type of the statements of these tests. */
export const CHECKED = "https://example.com/checked/v1";

/** A home, a directory of files, and statements about what lies there. Used by tests only. */
export interface AdmissionScene {
  readonly directory: string;
  readonly home: string;
  readonly factory: Factory;
  /** Writes a file; gives its digest. */
  write(name: string, content: string | Uint8Array, mode?: number): Digest;
  /** Signs `{ok}` about a digest; gives the bundle. */
  check(digest: Digest, ok: boolean): Promise<Uint8Array>;
  /** Writes a policy that wants such statements to say ok; gives its path. */
  policy(name: string, change?: (text: string) => string): string;
  say(...words: readonly string[]): Promise<Said>;
  close(): Promise<void>;
}

export async function admissionScene(): Promise<AdmissionScene> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-admission-")));
  const home = join(directory, "home");
  const factory = await openFactory({ home, create: true });
  const former = process.env["TOUCHMARK_HOME"];
  process.env["TOUCHMARK_HOME"] = home;
  const { trustDomain } = factory.names();
  const write: AdmissionScene["write"] = (name, content, mode = 0o644) => {
    writeFileSync(join(directory, name), content, { mode });
    return sha256(content);
  };
  return {
    ...{ directory, home, factory, write },
    async check(digest, ok) {
      const request = { artifact: { digest }, type: CHECKED, predicate: Buffer.from(JSON.stringify({ ok })) };
      return (await attestArtifact(factory, request)).bytes;
    },
    policy(name, change = (text) => text) {
      write(
        name,
        change(`touchmark: policy/v1
name: checked
version: 1
expires: "2040-01-01T00:00:00Z"
point: deploy
trust:
  us:
    identities:
      - identity: spiffe://${trustDomain}/attest
attestations:
  checks:
    predicateType: ${CHECKED}
    by: [us]
rules:
  - id: passed
    title: Checks passed
    expression: attestations.checks.all(c, c.predicate.ok)
    solution: Run the checks again.
`),
      );
      return join(directory, name);
    },
    say: (...words) => say(words, { directory }),
    async close() {
      await factory.close();
      if (former === undefined) delete process.env["TOUCHMARK_HOME"];
      else process.env["TOUCHMARK_HOME"] = former;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
