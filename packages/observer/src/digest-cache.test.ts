import { chmodSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { describe, expect, test } from "vitest";
import { DigestCache } from "./digest-cache.ts";
import { loaderOf } from "./program-loader.ts";
import { newDirectory } from "./testing.ts";

describe("digests of the host's files", () => {
  const compiler = "/bin/sh";

  function cached(): { file: string; digest: string } {
    const file = join(newDirectory(), "digests");
    const cache = new DigestCache(file);
    const digest = cache.digest(compiler)?.digest as string;
    cache.save();
    return { file, digest };
  }

  test("O21: a digest is kept while device, inode, size and times are as they were, and taken again otherwise", () => {
    const directory = newDirectory();
    const file = join(directory, "digests");
    const tool = join(directory, "tool");
    writeFileSync(tool, "one");
    const first = new DigestCache(file);
    expect(first.digest(tool)?.digest).toBe(sha256("one"));
    writeFileSync(tool, "two");
    utimesSync(tool, 1, 1);
    expect(new DigestCache(file).digest(tool)?.digest).toBe(sha256("two"));
    expect(first.digest(join(directory, "absent"))).toBeUndefined();
    expect(first.digest(directory)).toBeUndefined();
  });

  test("O21: a file that changed a moment ago is not kept", () => {
    const directory = newDirectory();
    const file = join(directory, "digests");
    const tool = join(directory, "tool");
    writeFileSync(tool, "one");
    const cache = new DigestCache(file);
    cache.digest(tool);
    cache.digest(compiler);
    cache.save();
    const kept = readFileSync(file, "utf8");
    expect(kept).toContain(compiler);
    expect(kept).not.toContain(tool);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("O22: a cache that was altered without its key is refused", () => {
    const { file, digest } = cached();
    writeFileSync(file, readFileSync(file, "utf8").replace(digest, sha256("poison")));
    expect(() => new DigestCache(file)).toThrow(expect.objectContaining({ code: "DIGEST_CACHE_POISONED" }));
  });

  test("O22: a cache that was altered with its key is found out by hashing again", async () => {
    const { file, digest } = cached();
    const { createHmac } = await import("node:crypto");
    const text = readFileSync(file, "utf8").slice(65).replace(digest, sha256("poison"));
    const seal = createHmac("sha256", readFileSync(`${file}.key`))
      .update(text)
      .digest("hex");
    writeFileSync(file, `${seal}\n${text}`);
    const cache = new DigestCache(file);
    expect(cache.digest(compiler)?.digest).toBe(sha256("poison"));
    expect(() => cache.sample()).toThrow(expect.objectContaining({ code: "DIGEST_CACHE_POISONED" }));
  });

  test("O22: a key that others can read is refused", () => {
    const { file } = cached();
    chmodSync(`${file}.key`, 0o644);
    expect(() => new DigestCache(file)).toThrow(expect.objectContaining({ code: "DIGEST_CACHE_POISONED" }));
  });

  test("O10: the loader of a program and the interpreter of a script are read from the file", () => {
    expect(loaderOf(Buffer.from("#! /usr/bin/env -S node\n"))).toBe("/usr/bin/env");
    expect(loaderOf(Buffer.from("#!/bin/sh"))).toBe("/bin/sh");
    expect(loaderOf(Buffer.from("text"))).toBeUndefined();
    expect(loaderOf(Buffer.alloc(64))).toBeUndefined();
    if (process.platform === "linux") expect(loaderOf(readFileSync("/bin/sh").subarray(0, 4096))).toMatch(/ld/);
  });
});
