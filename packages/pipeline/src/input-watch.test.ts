import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { watchInput } from "./input-watch.ts";

test("R3: a file that was altered and put back, with its old time, was touched all the same", () => {
  const root = mkdtempSync(join(tmpdir(), "touchmark-watch-"));
  try {
    const path = join(root, "a.c");
    writeFileSync(path, "good");
    utimesSync(path, 1, 1);
    const entries = [{ path: "a.c", kind: "file" as const, size: 4, digest: sha256("good") }];
    const watch = watchInput(root, entries);
    expect(watch.touched()).toBeUndefined();
    writeFileSync(path, "evil");
    writeFileSync(path, "good");
    utimesSync(path, 1, 1);
    expect(watch.touched()).toBe("a.c");
    rmSync(path);
    expect(watch.touched()).toBe("a.c");
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
