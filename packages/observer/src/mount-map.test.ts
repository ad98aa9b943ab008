import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MountMap } from "./mount-map.ts";

test("O11: an image shown as / is where its files are looked for, links included, and the step's own memory hides it", () => {
  const image = mkdtempSync(join(tmpdir(), "touchmark-image-"));
  try {
    mkdirSync(join(image, "tmp"));
    writeFileSync(join(image, "tmp", "tool"), "the image's");
    symlinkSync("/opt/real", join(image, "link"));
    const output = { host: "/state/output", at: "/work/output" };
    const view = [
      { host: image, at: "/" },
      { host: "/state/etc/passwd", at: "/etc/passwd" },
      { host: null, at: "/tmp" },
    ];
    const map = new MountMap({ mounts: [{ host: "/trees/a", at: "/work/in", access: "read-only" }], output, view });
    expect(map.locate("/bin/sh")).toEqual({ origin: "toolchain", host: `${image}/bin/sh` });
    expect(map.locate("/etc/passwd")).toEqual({ origin: "toolchain", host: "/state/etc/passwd" });
    expect(map.locate("/tmp/tool")).toEqual({ origin: "private", host: undefined });
    expect(map.locate("/work/in/x")).toMatchObject({ origin: "input", host: "/trees/a/x" });
    expect(map.locate("/work/output/x")).toMatchObject({ origin: "output" });
    expect([map.linkBefore("/link"), map.linkBefore("/bin"), map.linkBefore("/tmp/tool")]).toEqual([
      "/opt/real",
      undefined,
      undefined,
    ]);
  } finally {
    rmSync(image, { recursive: true });
  }
});
