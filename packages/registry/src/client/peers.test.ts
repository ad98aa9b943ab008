import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  findProgram,
  hasPeerRegistry,
  type PeerRegistry,
  type PeerRegistryKind,
  startPeerRegistry,
} from "@touchmark/test-kit";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { copyImage } from "./copy.ts";
import { findEvidence } from "./evidence.ts";
import { putImage, putReferrer } from "./images.fixture.ts";
import { fallbackTag } from "./referrers.ts";
import { closeScripted, listed, quietClient, repositoryAt, scriptedRegistry } from "./scripted.fixture.ts";

afterEach(closeScripted);
const [oras, crane] = ["oras", "crane"].map(findProgram);
const directory = mkdtempSync(join(tmpdir(), "touchmark-peers-"));
afterAll(() => rmSync(directory, { recursive: true }));
const run = async (program: string | undefined, ...words: string[]): Promise<string> =>
  (await promisify(execFile)(program ?? "", words, { timeout: 30_000, env: { ...process.env, HOME: directory } }))
    .stdout;

const kinds: readonly PeerRegistryKind[] = ["docker-registry", "crane", "distribution"];

describe.each(kinds)("C18: %s", (kind) => {
  const skipped = !hasPeerRegistry(kind);
  let peer: PeerRegistry | undefined;
  const opened = async (): Promise<PeerRegistry> => (peer ??= await startPeerRegistry(kind));
  afterAll(() => peer?.close());

  test.skipIf(skipped)("what we push is there, with every referrer, also of those who push at once", async () => {
    const { host } = await opened();
    const image = await putImage(repositoryAt(host), { tag: "v1", layers: 3 });
    const put = await Promise.all(
      Array.from({ length: 6 }, (_, i) => putReferrer(repositoryAt(host), image, Buffer.from(`bundle ${i}`))),
    );
    const repository = repositoryAt(host);
    const shown = new Set((await listed(repository.referrers(image.digest))).map(({ digest }) => digest));
    expect(shown).toEqual(new Set(put.map(({ digest }) => digest)));
    expect(await listed(findEvidence(repository, image.digest))).toHaveLength(6);
    const fallback = await repository.manifest(fallbackTag(image.digest));
    expect(fallback.descriptor.mediaType).toContain("image.index");
    expect(await listed(repository.tags())).toContain("v1");
  });

  test.skipIf(skipped)(
    "a copy goes there and back with its referrers, and within it blobs are shown, not sent",
    async () => {
      const { host } = await opened();
      const own = await scriptedRegistry();
      const from = repositoryAt(own.host);
      const image = await putImage(from, { tag: "v1" });
      const referrer = await putReferrer(from, image, Buffer.from("evidence"));
      const there = repositoryAt(host, {}, "copied/there");
      expect(await copyImage({ from, to: there, reference: "v1", referrers: true, tag: "v1" })).toMatchObject({
        ...{ digest: image.digest, referrers: 1 },
      });
      const back = repositoryAt(own.host, {}, "back");
      await copyImage({ from: there, to: back, reference: "v1", referrers: true, tag: "v1" });
      expect((await listed(back.referrers(image.digest))).map(({ digest }) => digest)).toEqual([referrer.digest]);
      const client = quietClient();
      const [one, two] = ["copied/there", "copied/near"].map((repository) =>
        client.repository({ registry: host, repository }),
      );
      if (one === undefined || two === undefined) throw new Error("no repositories");
      const near = await copyImage({ from: one, to: two, reference: "v1", referrers: true, tag: "v1" });
      // crane's registry mounts nothing.
      if (kind !== "crane") expect(near).toMatchObject({ bytes: 0, blobs: { sent: 0 } });
    },
  );

  test.skipIf(skipped || oras === undefined)("oras sees our referrers, and we see those of oras", async () => {
    const { host } = await opened();
    const repository = repositoryAt(host, {}, "with/oras");
    const image = await putImage(repository, { tag: "v1" });
    const ours = await putReferrer(repository, image, Buffer.from("ours"));
    const reference = `${host}/with/oras@${image.digest}`;
    await run(
      oras,
      "attach",
      "--plain-http",
      "--artifact-type",
      "application/vnd.example.theirs",
      "--annotation",
      "a=b",
      reference,
    );
    const seen = await run(oras, "discover", "--plain-http", "--format", "json", reference);
    expect(seen).toContain(ours.digest);
    const types = (await listed(repository.referrers(image.digest))).map(({ artifactType }) => artifactType);
    expect(types).toContain("application/vnd.example.theirs");
    expect(types).toHaveLength(2);
  });
});

test.skipIf(crane === undefined)("C18: crane reads what we push, and we read what crane pushes", async () => {
  const own = await scriptedRegistry();
  const repository = repositoryAt(own.host, {}, "with/crane");
  const image = await putImage(repository, { tag: "v1" });
  const name = `${own.host}/with/crane`;
  expect((await run(crane, "digest", "--insecure", `${name}:v1`)).trim()).toBe(image.digest);
  await run(crane, "copy", "--insecure", `${name}:v1`, `${name}:v2`);
  expect((await repository.manifest("v2")).descriptor.digest).toBe(image.digest);
});
