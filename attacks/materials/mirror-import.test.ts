import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { exportMirror, importMirror, type MaterialRecord, recordKey, verifyMirror } from "@touchmark/materials";
import { readTarEntry } from "@touchmark/store";
import { commitMaterial, sampleMaterial } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { bodyOf, codeOf, craft, freshDirectory, indexOf, type Member, victim } from "./mirror-scene.ts";

const word = "struck in pewter";
const good = sampleMaterial(word);

/** What a program does that joins names of an archive to a directory, and keeps what it finds by name. */
function naiveExtract(file: string, directory: string): Map<string, string> {
  const bytes = readFileSync(file);
  let at = 0;
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const found = new Map<string, string>();
  for (;;) {
    const entry = readTarEntry((buffer) => buffer.set(take(buffer.length)));
    if (entry === undefined) return found;
    const content = take(entry.size).toString();
    take((512 - (entry.size % 512)) % 512);
    found.set(entry.path, content);
    const path = join(directory, entry.path);
    mkdirSync(dirname(path), { recursive: true });
    if (entry.kind === "file") writeFileSync(path, content);
  }
}

/** Imports an archive that was made by hand, and proves that nothing of it came in. */
async function refused(file: string): Promise<string> {
  const { options, mirror, content } = await victim();
  const code = await codeOf(importMirror(options, { file }));
  const records: MaterialRecord[] = [];
  for await (const record of mirror.records()) records.push(record);
  const blobs: unknown[] = [];
  for await (const blob of content.list()) blobs.push(blob);
  expect([records, blobs, readdirSync(join(options.directory, "incoming"))]).toEqual([[], [], []]);
  return code;
}

test("attack: an archive writes outside of the mirror", async () => {
  const file = craft([indexOf([good]), bodyOf(word), { path: "../../outside", content: "planted" }]);
  const inner = join(freshDirectory(), "a", "b");
  naiveExtract(file, inner);
  expect(readFileSync(join(inner, "..", "..", "outside"), "utf8")).toBe("planted");
  for (const path of [
    "../../outside",
    "/etc/planted",
    "bodies/sha256/../../outside",
    "bodies/sha256/",
    "index.json/x",
  ]) {
    const member = { path, content: "planted" };
    expect([path, await refused(craft([indexOf([good]), bodyOf(word), member]))]).toEqual([
      path,
      "MIRROR_ARCHIVE_PATH",
    ]);
  }
});

test("attack: an archive brings links, directories and names that have no place in it", async () => {
  const members: Member[] = [
    { ...bodyOf(word), content: "", kind: "symlink", target: "/etc/passwd" },
    { path: "bodies", kind: "directory" },
    { path: "materials.yaml", content: "gate: {}" },
    { path: `bodies/sha512/${good.expected[0]?.value}`, content: word },
    { path: bodyOf(word).path.toUpperCase(), content: word },
  ];
  expect(naiveExtract(craft([members[2] as Member]), freshDirectory()).has("materials.yaml")).toBe(true);
  for (const member of members) {
    expect([member.path, await refused(craft([indexOf([good]), member]))]).toEqual([
      member.path,
      "MIRROR_ARCHIVE_PATH",
    ]);
  }
});

test("attack: an archive holds a member twice, the second with other bytes", async () => {
  const second = { ...bodyOf(word), content: "Struck in pewter" };
  const file = craft([indexOf([good]), bodyOf(word), second]);
  // Naive: the last one wins, after the first one was verified.
  expect(naiveExtract(file, freshDirectory()).get(second.path)).toBe("Struck in pewter");
  expect(await refused(file)).toBe("MIRROR_ARCHIVE_DUPLICATE");
  expect(await refused(craft([indexOf([good]), bodyOf(word), indexOf([])]))).toBe("MIRROR_ARCHIVE_DUPLICATE");
  expect(await refused(craft([indexOf([good, good]), bodyOf(word)]))).toBe("MIRROR_ARCHIVE_DUPLICATE");
});

test("attack: sizes lie", async () => {
  const records = [{ ...good, size: 15 }];
  // Naive: a reader that asks for as many bytes as the record says verifies what it read, and keeps the rest.
  expect(naiveExtract(craft([indexOf(records), bodyOf(word)]), freshDirectory()).size).toBe(2);
  expect(await refused(craft([indexOf(records), bodyOf(word)]))).toBe("MIRROR_ARCHIVE_SIZE");
  expect(await refused(craft([indexOf([good]), { ...bodyOf(word), size: 2 ** 40 }]))).toBe("MIRROR_ARCHIVE_SIZE");
  expect(await refused(craft([{ ...indexOf([good]), size: 2 ** 40 }]))).toBe("MIRROR_ARCHIVE_SIZE");
  const two = [good, { ...sampleMaterial(word, { path: "/other" }), size: 17 }];
  expect(await refused(craft([indexOf(two), bodyOf(word)]))).toBe("MIRROR_ARCHIVE_SIZE");
});

test("attack: an archive carries bodies that no record names, and records without a body", async () => {
  expect(await refused(craft([indexOf([good]), bodyOf(word), bodyOf("stowaway")]))).toBe("MIRROR_ARCHIVE_UNNAMED");
  expect(await refused(craft([indexOf([good])]))).toBe("MIRROR_ARCHIVE_INCOMPLETE");
  expect(await refused(craft([indexOf([good, sampleMaterial("x", { path: "/x" })]), bodyOf(word)]))).toBe(
    "MIRROR_ARCHIVE_INCOMPLETE",
  );
});

test("attack: bodies do not have the digests that their records say", async () => {
  const other = { ...bodyOf(word), content: "Struck in pewter" };
  expect(await refused(craft([indexOf([good]), other]))).toBe("MIRROR_ARCHIVE_MISMATCH");
  // The SHA-256 is true, so that a mirror of SHA-256 alone takes it; the SHA-512 is the one that a lockfile asks for.
  const lying = { ...good, expected: sampleMaterial("cast in lead").expected };
  expect(naiveExtract(craft([indexOf([lying]), bodyOf(word)]), freshDirectory()).get(bodyOf(word).path)).toBe(word);
  expect(await refused(craft([indexOf([lying]), bodyOf(word)]))).toBe("MIRROR_ARCHIVE_MISMATCH");
  const h1 = { algorithm: "h1", value: "0".repeat(64), source: "lockfile", from: "go.sum" } as const;
  expect(await refused(craft([indexOf([{ ...good, expected: [h1] }]), bodyOf(word)]))).toBe("MIRROR_ARCHIVE_MISMATCH");
});

test("attack: a record says that it is another package's, another request's, or tomorrow's", async () => {
  const facts = (more: Partial<MaterialRecord["facts"]>) => ({ ...good, facts: { ...good.facts, ...more } });
  const wrong: Record<string, unknown> = {
    name: facts({ purl: "pkg:npm/lead@1.0.0" }),
    version: facts({ purl: "pkg:npm/pewter@2.0.0" }),
    type: facts({ purl: "pkg:pypi/pewter@1.0.0" }),
    nothing: facts({ purl: "pkg:npm/@@" }),
    path: facts({ fileName: "../../pewter" }),
    key: { ...good, key: recordKey("GET", "http://127.0.0.1:4873/lead", {}) },
    address: { ...good, url: "file:///etc/passwd" },
    secret: { ...good, url: "http://me:word@127.0.0.1:4873/pewter/-/pewter-1.0.0.tgz" },
    // It would stay the newest answer of its request for ever.
    future: { ...good, fetchedAt: "2099-01-01T00:00:00Z" },
    member: { ...good, trusted: true },
    digest: { ...good, digest: "sha256:../../identity" },
    list: [good],
  };
  for (const [what, record] of Object.entries(wrong)) {
    expect([what, await refused(craft([indexOf([record]), bodyOf(word)]))]).toEqual([what, "MIRROR_ARCHIVE_RECORD"]);
  }
});

test("attack: an archive is cut short, is followed by more, or is none", async () => {
  const { options, mirror } = await victim();
  await commitMaterial(mirror, word);
  const file = join(freshDirectory(), "whole.tar");
  await exportMirror(options, { file });
  const whole = readFileSync(file);
  const cut = join(freshDirectory(), "cut.tar");
  for (let length = 0; length < whole.length; length += 411) {
    writeFileSync(cut, whole.subarray(0, length));
    const code = await refused(cut);
    expect([length, ["MIRROR_ARCHIVE_MALFORMED", "MIRROR_ARCHIVE_SIZE"].includes(code)]).toEqual([length, true]);
  }
  for (const bytes of [Buffer.concat([whole, Buffer.alloc(512)]), Buffer.from("PK\u0003\u0004"), Buffer.alloc(4096)]) {
    writeFileSync(cut, bytes);
    expect(await refused(cut)).toBe("MIRROR_ARCHIVE_MALFORMED");
  }
  const twice = `{"format":"touchmark mirror archive v1","records":[],"records":[]}`;
  for (const index of [
    { path: "index.json", content: twice },
    indexOf([], "touchmark mirror archive v2"),
    bodyOf(word),
  ]) {
    expect(await refused(craft([index]))).toBe("MIRROR_ARCHIVE_MALFORMED");
  }
});

test("attack: an import brings other bytes under a name that was seen before, to be used offline", async () => {
  const { options, mirror, content } = await victim();
  await commitMaterial(mirror, word);
  const evil = sampleMaterial("cast in lead", { more: { fetchedAt: "2026-11-22T11:00:00Z" } });
  const file = craft([
    indexOf([evil, sampleMaterial("more", { path: "/more", facts: other })]),
    bodyOf("cast in lead"),
    bodyOf("more"),
  ]);
  // Naive: every digest in it is true, and the newer answer replaces the older one.
  expect(naiveExtract(file, freshDirectory()).get(bodyOf("cast in lead").path)).toBe("cast in lead");
  expect(await codeOf(importMirror(options, { file }))).toBe("MIRROR_IMPORT_CONFLICT");
  expect((await mirror.find(good.key))?.digest).toBe(good.digest);
  expect((await mirror.seen("pkg:npm/pewter@1.0.0", "pewter-1.0.0.tgz")).length).toBe(1);
  expect([await content.has(evil.digest), await content.has(sampleMaterial("more").digest)]).toEqual([false, false]);
  const [place = ""] = readdirSync(join(options.directory, "quarantine"));
  const kept = (name: string) => readFileSync(join(options.directory, "quarantine", place, name), "utf8");
  expect([kept("imported"), kept("seen"), JSON.parse(kept("record.json")).seen]).toEqual([
    "cast in lead",
    word,
    good.digest,
  ]);
  expect((await verifyMirror(options)).faults).toEqual([]);
});

const other = { name: "more", purl: "pkg:npm/more@1.0.0", fileName: "more-1.0.0.tgz" };

test("attack: an archive has two files of one name, or another answer that never changes", async () => {
  const two = [good, sampleMaterial("cast in lead")];
  expect(await refused(craft([indexOf(two), bodyOf(word), bodyOf("cast in lead")]))).toBe("MIRROR_IMPORT_CONFLICT");
  const { options, mirror } = await victim();
  const { purl: _purl, fileName: _fileName, ...nameless } = good.facts;
  const pinned = (text: string) => ({ ...sampleMaterial(text), facts: { ...nameless, kind: "metadata" as const } });
  await commitMaterial(mirror, word, pinned(word));
  const file = craft([indexOf([pinned("cast in lead")]), bodyOf("cast in lead")]);
  expect(await codeOf(importMirror(options, { file }))).toBe("MIRROR_IMPORT_CONFLICT");
  expect(existsSync(options.content.path(sampleMaterial("cast in lead").digest))).toBe(false);
});
