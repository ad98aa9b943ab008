import { lstatSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assembleImage, openLayout } from "@touchmark/image";
import { afterAll, expect, test } from "vitest";
import { say } from "../../fixture.ts";

const scratch = mkdtempSync(join(tmpdir(), "touchmark-cli-unpack-"));
afterAll(() => rmSync(scratch, { recursive: true }));

test("X36: unpack writes an image's files into a directory, and says what it left out", async () => {
  const layout = join(scratch, "layout");
  const out = openLayout(layout);
  const files = [
    { kind: "file", to: "/app/main", content: Buffer.from("one"), mode: 0o700 },
    { kind: "symlink", to: "/link", target: "app/main" },
  ] as const;
  const image = await assembleImage(
    {
      platform: { os: "linux", architecture: "amd64" },
      layers: [{ files, createdBy: "step" }],
      epoch: 1000,
      user: "1001:1001",
    },
    { base: out, out, scratch: join(scratch, "layers"), tag: "made" },
  );
  const unpack = (...words: string[]) =>
    say(["image", "unpack", `oci-dir:${layout}:made`, ...words, "--platform", "linux/amd64"]);
  const root = join(scratch, "root");
  const plain = await unpack(root);
  expect(plain.code).toBe(0);
  expect(plain.out).toContain(`unpacked ${image.descriptor.digest}`);
  expect(plain.out).toContain("1 files, 3 B, of 1 layers");
  expect(readFileSync(join(root, "app/main"), "utf8")).toBe("one");
  expect(lstatSync(join(root, "app/main")).mode & 0o777).toBe(0o755);

  const kept = join(scratch, "kept");
  const said = await unpack(kept, "--json", "--strict", "--keep-modes", "--resolve-links", "--max-size", "1MiB");
  expect(JSON.parse(said.out)).toMatchObject({ image: image.descriptor.digest, files: 1, leftOut: { setuid: [] } });
  expect(lstatSync(join(kept, "app/main")).mode & 0o777).toBe(0o700);

  const used = await unpack(root);
  expect(used).toMatchObject({ code: 2, err: expect.stringContaining("UNPACK_DIRECTORY_USED") });
  const small = await unpack(join(scratch, "small"), "--max-size", "1KiB");
  expect(small).toMatchObject({ code: 3, err: expect.stringContaining("UNPACK_TOO_LARGE") });
  expect((await unpack(join(scratch, "odd"), "--max-size", "much")).code).toBe(2);
  expect((await say(["image", "unpack", `oci-dir:${layout}`])).code).toBe(2);
});
