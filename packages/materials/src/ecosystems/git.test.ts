import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Upstream } from "../material.ts";
import { generic } from "./generic.ts";
import { git } from "./git.ts";
import { gitPackets } from "./git-packets.ts";
import { gitWants } from "./git-request.ts";

const base = "https://git.example/team/";
const upstream: Upstream = { name: "git", ecosystem: "git", url: base, exclusive: [], order: 0 };
const version2 = { "git-protocol": "version=2" };
const commit = "1".repeat(40);

const line = (text: string) => `${(text.length + 5).toString(16).padStart(4, "0")}${text}\n`;
const request = (command: string, ...words: string[]) =>
  Buffer.from(
    `${line(`command=${command}`)}${line("agent=git/2.39")}${line("object-format=sha1")}0001${words.map(line).join("")}0000`,
  );
const fetch = request(
  "fetch",
  "thin-pack",
  "ofs-delta",
  `want ${commit}`,
  `want ${commit}`,
  "deepen 1",
  "filter blob:none",
  "done",
);

const classify = (
  path: string,
  body?: Uint8Array,
  from: Upstream = upstream,
  headers: Record<string, string> = version2,
) =>
  git.classify({ method: body ? "POST" : "GET", url: new URL(path, from.url), headers, ...(body && { body }) }, from);
const codeOf = (act: () => unknown) => {
  try {
    return JSON.stringify(act());
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test("E16: a fetch is read with the commit that it wants", () => {
  expect(classify("tool.git/info/refs?service=git-upload-pack")).toMatchObject({ kind: "index", immutable: false });
  expect(classify("tool.git/git-upload-pack", request("ls-refs", "peel", "symrefs", "ref-prefix HEAD"))).toMatchObject({
    kind: "index",
  });
  expect(classify("tool.git/git-upload-pack", fetch)).toMatchObject({
    ...{ kind: "git", name: `${base}tool.git`, version: commit, immutable: true },
    purl: `pkg:generic/tool@${commit}?vcs_url=git%2Bhttps://git.example/team/tool.git%40${commit}`,
  });
  const two = request("fetch", `want ${commit}`, `want ${"2".repeat(64)}`, "done");
  expect(classify("tool/git-upload-pack", two)).not.toHaveProperty("version");
  expect(gitWants(two)).toEqual([commit, "2".repeat(64)]);
});

test("E16: a repository that is an upstream is the same with and without .git", () => {
  for (const url of ["https://git.example/team/tool/", "https://git.example/team/tool.git/"]) {
    for (const path of ["/team/tool/", "/team/tool.git/"]) {
      const asked = classify(`${path}info/refs?service=git-upload-pack`, undefined, { ...upstream, url });
      expect(asked).toMatchObject({ kind: "index" });
    }
    expect(
      classify("/team/toolbox/info/refs?service=git-upload-pack", undefined, { ...upstream, url }),
    ).toBeUndefined();
  }
});

test.each([
  "https://other.example/team/tool.git/info/refs?service=git-upload-pack",
  "/other/tool.git/info/refs?service=git-upload-pack",
  "a//b/info/refs?service=git-upload-pack",
  "a%2fb/info/refs?service=git-upload-pack",
  "tool.git/config",
  "tool.git/info/refs?service=git-upload-pack&x=1",
])("E16: %s is not read", (path) => expect(classify(path)).toBeUndefined());

test("E16: a body is only read where one belongs", () => {
  expect(classify("tool.git/info/refs", fetch)).toBeUndefined();
  expect(classify("tool.git/git-upload-pack")).toBeUndefined();
});

test("E16: a compressed body is the same request", () => expect(gitWants(gzipSync(fetch))).toEqual([commit]));

test.each([
  ["a push asked for", () => classify("tool.git/info/refs?service=git-receive-pack"), "MATERIAL_GIT_PUSH"],
  ["a push", () => classify("tool.git/git-receive-pack", fetch), "MATERIAL_GIT_PUSH"],
  ["the dumb protocol", () => classify("tool.git/info/refs"), "MATERIAL_GIT_UNSUPPORTED"],
  ["a loose object", () => classify(`tool.git/objects/11/${"1".repeat(38)}`), "MATERIAL_GIT_UNSUPPORTED"],
  [
    "an older protocol",
    () => classify("tool.git/info/refs?service=git-upload-pack", undefined, upstream, {}),
    "MATERIAL_GIT_UNSUPPORTED",
  ],
  [
    "a request of an older protocol",
    () => gitWants(Buffer.from(`${line(`want ${commit} side-band-64k`)}0000`)),
    "MATERIAL_GIT_UNSUPPORTED",
  ],
  ["another command", () => gitWants(request("object-info", `oid ${commit}`)), "MATERIAL_GIT_UNSUPPORTED"],
  ["a branch by name", () => gitWants(request("fetch", "want-ref refs/heads/main")), "MATERIAL_GIT_UNSUPPORTED"],
  ["packs of other hosts", () => gitWants(request("fetch", "packfile-uris https")), "MATERIAL_GIT_UNSUPPORTED"],
  ["no object id", () => gitWants(request("fetch", "want main")), "MATERIAL_GIT_MALFORMED"],
  ["an unknown argument", () => gitWants(request("fetch", "wants all")), "MATERIAL_GIT_MALFORMED"],
  [
    "an unknown capability",
    () => gitWants(Buffer.from(`${line("command=fetch")}${line("surprise=1")}0000`)),
    "MATERIAL_GIT_MALFORMED",
  ],
  ["two delimiters", () => gitWants(Buffer.from(`${line("command=fetch")}000100010000`)), "MATERIAL_GIT_MALFORMED"],
  ["no end", () => gitWants(fetch.subarray(0, -4)), "MATERIAL_GIT_MALFORMED"],
  ["two requests", () => gitWants(Buffer.concat([fetch, fetch])), "MATERIAL_GIT_MALFORMED"],
  ["a response", () => gitWants(Buffer.from("0002")), "MATERIAL_GIT_MALFORMED"],
  ["control characters", () => gitWants(request("fetch", "want \u0001")), "MATERIAL_GIT_MALFORMED"],
  ["a bomb", () => gitWants(gzipSync(Buffer.alloc(17 << 20))), "MATERIAL_GIT_MALFORMED"],
  ["a filter of no shape", () => gitWants(request("fetch", 'filter "')), "MATERIAL_GIT_MALFORMED"],
  ["no number", () => gitWants(request("fetch", "deepen all")), "MATERIAL_GIT_MALFORMED"],
])("E16: %s is refused by name", (_, act, code) => expect(codeOf(act)).toBe(code));

test("E16: packets come back as they were framed, and no bytes do any harm", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 0, maxLength: 300 })), (payloads) => {
      const body = Buffer.concat(
        payloads.map((one) => Buffer.concat([Buffer.from((one.length + 4).toString(16).padStart(4, "0")), one])),
      );
      expect(gitPackets(body)).toEqual(payloads.map((payload) => ({ kind: "line", payload: Buffer.from(payload) })));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
      expect(codeOf(() => gitWants(body))).toMatch(/^MATERIAL_GIT_/);
    }),
  );
});

test("E17: a plain download is read by its whole address, and a body is not", () => {
  const from: Upstream = {
    name: "files",
    ecosystem: "generic",
    url: "https://files.example/a/",
    exclusive: [],
    order: 0,
  };
  const read = (path: string, method: "GET" | "POST" = "GET") =>
    generic.classify({ method, url: new URL(path, from.url), headers: {} }, from);
  expect(read("b/tool.tar.gz?v=1")).toMatchObject({
    kind: "download",
    name: "https://files.example/a/b/tool.tar.gz?v=1",
    fileName: "tool.tar.gz",
  });
  for (const path of ["/other", "https://other.example/a/x", "b//c", "b%2fc", "b%00"])
    expect(read(path)).toBeUndefined();
  expect(read("b", "POST")).toBeUndefined();
  expect(generic.announced(read("b")!, Buffer.from(""), new URL(from.url))).toEqual([]);
});
