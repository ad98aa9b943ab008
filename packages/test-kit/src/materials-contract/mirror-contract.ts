import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { type Digest, digestHex } from "@touchmark/core";
import { type MaterialRecord, type Mirror, recordKey } from "@touchmark/materials";
import { expect, test } from "vitest";
import { commitMaterial, sampleMaterial } from "./sample-material.ts";

/** A mirror under test, and a way to damage it behind its back. */
export interface MirrorFixture {
  readonly mirror: Mirror;
  /** Replaces the stored bytes of a body, or deletes it. */
  corrupt(digest: Digest, bytes: Uint8Array | undefined): void;
}

/** What every backend of `Mirror` must do; each registers these tests for itself (materials SPEC M). */
export function mirrorContract(backend: string, open: () => Promise<MirrorFixture>): void {
  const codeOf = async (work: Promise<unknown>) =>
    work.then(
      () => "no error",
      (cause: { code?: unknown }) => cause.code,
    );
  const sha512 = (text: string) => createHash("sha512").update(text).digest("hex");
  const read = async (mirror: Mirror, record: MaterialRecord) => readFileSync(await mirror.body(record), "utf8");

  test(`M1: ${backend}: what was committed is found by request and by every digest, with its body`, async () => {
    const { mirror } = await open();
    const record = sampleMaterial("struck in pewter");
    expect(await mirror.find(record.key)).toBeUndefined();
    await commitMaterial(mirror, "struck in pewter", record);
    expect(await mirror.find(record.key)).toEqual(record);
    expect(await mirror.findByDigest({ algorithm: "sha512", value: sha512("struck in pewter") })).toEqual(record);
    expect(await mirror.findByDigest({ algorithm: "sha256", value: digestHex(record.digest) })).toEqual(record);
    expect(await mirror.findByDigest({ algorithm: "sha512", value: sha512("another") })).toBeUndefined();
    expect(await mirror.findByDigest({ algorithm: "sha1", value: "../../x" })).toBeUndefined();
    expect(await mirror.find("../../x")).toBeUndefined();
    expect(await read(mirror, record)).toBe("struck in pewter");
  });

  test(`M1: ${backend}: variants of one address are kept apart`, async () => {
    const { mirror } = await open();
    const short = sampleMaterial("short", {
      path: "/pewter",
      accept: "application/vnd.npm.install-v1+json; q=1.0, */*",
    });
    const full = sampleMaterial("full", { path: "/pewter" });
    await commitMaterial(mirror, "short", short);
    await commitMaterial(mirror, "full", full);
    expect([await read(mirror, short), await read(mirror, full)]).toEqual(["short", "full"]);
    expect((await mirror.find(recordKey("GET", full.url, { accept: "*/*", range: "bytes=0-1" })))?.digest).toBe(
      full.digest,
    );
  });

  test(`M2: ${backend}: a body that is not what its record says is not kept, nor is a record of another key`, async () => {
    const { mirror } = await open();
    const record = sampleMaterial("struck in pewter");
    const refusals: [string, MaterialRecord][] = [
      ["MIRROR_BODY_MISMATCH", record],
      ["MIRROR_BODY_MISMATCH", sampleMaterial("Struck in pewter", { more: { size: 15 } })],
      ["MIRROR_BODY_MISMATCH", { ...sampleMaterial("Struck in pewter"), expected: record.expected }],
      ["MIRROR_RECORD_INVALID", { ...sampleMaterial("Struck in pewter"), key: "0".repeat(64) }],
      ["MIRROR_RECORD_INVALID", { ...sampleMaterial("Struck in pewter"), url: "ftp://127.0.0.1/x" }],
    ];
    for (const [code, wrong] of refusals) {
      expect(await codeOf(commitMaterial(mirror, "Struck in pewter", wrong))).toBe(code);
      expect(await mirror.find(wrong.key)).toBeUndefined();
    }
    expect(await mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz")).toEqual([]);
  });

  test(`M3: ${backend}: a changed or lost body is not served, and can be committed again`, async () => {
    const { mirror, corrupt } = await open();
    const record = await commitMaterial(mirror, "struck in pewter");
    expect(await read(mirror, record)).toBe("struck in pewter");
    for (const wrong of ["Struck in pewter", "struck in pewte", "struck in pewter!", ""]) {
      corrupt(record.digest, Buffer.from(wrong));
      expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_CORRUPT");
      expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_MISSING");
      expect(await mirror.findByDigest({ algorithm: "sha256", value: digestHex(record.digest) })).toBeUndefined();
      await commitMaterial(mirror, "struck in pewter", record);
      expect(await read(mirror, record)).toBe("struck in pewter");
    }
    corrupt(record.digest, undefined);
    expect(await codeOf(mirror.body(record))).toBe("MIRROR_BODY_MISSING");
  });

  test(`M3: ${backend}: a body is not served to whoever says another digest of it`, async () => {
    const { mirror } = await open();
    const record = await commitMaterial(mirror, "struck in pewter");
    await read(mirror, record);
    const lying = { ...record, expected: sampleMaterial("cast in lead").expected };
    expect(await codeOf(mirror.body(lying))).toBe("MIRROR_BODY_MISMATCH");
    expect(await read(mirror, record)).toBe("struck in pewter");
  });

  test(`M4: ${backend}: the newest answer comes first, and what came before is kept, within a bound`, async () => {
    const { mirror } = await open();
    const at = (minute: number) => `2026-11-21T10:${String(minute).padStart(2, "0")}:00Z`;
    const index = (word: string, minute: number) =>
      sampleMaterial(word, { path: "/pewter", facts: { kind: "index" }, more: { fetchedAt: at(minute) } });
    for (const [minute, word] of ["one", "two", "one", "zero"].entries()) {
      await commitMaterial(mirror, word, index(word, word === "zero" ? 0 : minute + 1));
    }
    const all: string[] = [];
    for await (const record of mirror.records()) all.push(await read(mirror, record));
    expect(all).toEqual(["one", "two", "zero"]);
    expect((await mirror.find(index("", 0).key))?.fetchedAt).toBe(at(3));
    for (let minute = 10; minute < 30; minute++) await commitMaterial(mirror, `${minute}`, index(`${minute}`, minute));
    let count = 0;
    for await (const record of mirror.records()) count += record.key === "" ? 0 : 1;
    expect(count).toBe(16);
  });

  test(`M5: ${backend}: one name with other bytes: both are kept, and the ledger shows both`, async () => {
    const { mirror } = await open();
    const first = await commitMaterial(mirror, "struck in pewter");
    await commitMaterial(mirror, "struck in pewter");
    const second = await commitMaterial(
      mirror,
      "cast in lead",
      sampleMaterial("cast in lead", { facts: { upstream: "other" } }),
    );
    const seen = await mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz");
    expect(seen.map(({ digest, upstream, size }) => ({ digest, upstream, size }))).toEqual([
      { digest: first.digest, upstream: "main", size: 16 },
      { digest: second.digest, upstream: "other", size: 12 },
    ]);
    expect([await read(mirror, first), await read(mirror, second)]).toEqual(["struck in pewter", "cast in lead"]);
    expect(await mirror.seen("pkg:npm/pewter@2.0.0", "pewter-1.0.0.tgz")).toEqual([]);
  });

  test(`M5: ${backend}: failures, indexes and questions without a body are no files of a package`, async () => {
    const { mirror } = await open();
    await commitMaterial(mirror, "gone", sampleMaterial("gone", { more: { status: 404 } }));
    await commitMaterial(mirror, "list", sampleMaterial("list", { path: "/pewter", facts: { kind: "index" } }));
    expect(await mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz")).toEqual([]);
  });

  test(`M5: ${backend}: a name that always comes with other bytes fills its page of the ledger`, async () => {
    const { mirror } = await open();
    const commit = (n: number) => commitMaterial(mirror, `bytes ${n}`);
    await Promise.all(Array.from({ length: 64 }, (_, n) => commit(n)));
    expect(await codeOf(commit(64))).toBe("MIRROR_LEDGER_FULL");
    expect((await mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz")).length).toBe(64);
    await commit(7);
  });

  test(`M6: ${backend}: committing the same at once from many sides keeps it once`, async () => {
    const { mirror } = await open();
    await Promise.all(Array.from({ length: 20 }, () => commitMaterial(mirror, "struck in pewter")));
    const all: MaterialRecord[] = [];
    for await (const record of mirror.records()) all.push(record);
    expect(all).toEqual([sampleMaterial("struck in pewter")]);
    expect((await mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz")).length).toBe(1);
  });

  test(`M6: ${backend}: who downloads holds a lease, and others wait for it`, async () => {
    const { mirror } = await open();
    const order: string[] = [];
    const first = await mirror.lease("a");
    const other = await mirror.lease("b");
    expect(await codeOf(mirror.lease("a", { timeoutMs: 20 }))).toBe("MIRROR_LEASE_BUSY");
    const second = mirror.lease("a").then(async (lease) => {
      order.push("second");
      await lease.release();
    });
    const third = mirror.lease("a").then((lease) => {
      order.push("third");
      return lease;
    });
    order.push("first");
    await first.release();
    await first.release();
    await second;
    const held = await third;
    expect(order).toEqual(["first", "second", "third"]);
    expect(await codeOf(mirror.lease("a", { timeoutMs: 20 }))).toBe("MIRROR_LEASE_BUSY");
    await held.release();
    await other.release();
    await (await mirror.lease("a")).release();
  });

  test(`M2: ${backend}: what grants access is not written down`, async () => {
    const { mirror } = await open();
    const record = sampleMaterial("struck in pewter", { path: "/x.tgz?part=1&X-Amz-Signature=-&token=-" });
    const secret = record.url.replace("//", "//user:word@").replaceAll("=-", "=hidden");
    const redirects = ["http://127.0.0.1/y?access_token=hidden"];
    await commitMaterial(mirror, "struck in pewter", { ...record, url: secret, redirects });
    const found = await mirror.find(recordKey("GET", secret, {}));
    expect(found).toEqual({ ...record, redirects: ["http://127.0.0.1/y?access_token=-"] });
    expect(JSON.stringify(found)).not.toMatch(/hidden|word/);
  });

  test(`M2: ${backend}: what is discarded, or left when the mirror is closed, leaves nothing`, async () => {
    const { mirror } = await open();
    const discarded = await mirror.incoming();
    await discarded.write(Buffer.from("half"));
    await discarded.discard();
    await discarded.discard();
    await expect(discarded.write(Buffer.from("more"))).rejects.toThrow(TypeError);
    const left = await mirror.incoming();
    await left.write(Buffer.from("half"));
    await left.close();
    await mirror.close();
    expect([existsSync(discarded.path), existsSync(left.path)]).toEqual([false, false]);
  });
}
