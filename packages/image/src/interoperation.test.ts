import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sha256 } from "@touchmark/core";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, afterEach, expect, test } from "vitest";
import { readImage } from "./assemble/image-base.ts";
import { sampleFile, sampleImage } from "./assemble/sample-image.fixture.ts";
import { openLayout } from "./layout/open-layout.ts";
import { writeDockerArchive } from "./layout/write-docker-archive.ts";

const scratch = mkdtempSync(join(tmpdir(), "touchmark-image-peers-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const fresh = () => mkdtempSync(join(scratch, "t-"));
const isRoot = process.getuid?.() === 0;
const [skopeo, umoci, containerd, ctr, runc, shim, busybox] = [
  ...["skopeo", "umoci", "containerd", "ctr", "runc", "containerd-shim-runc-v2", "busybox"],
].map((name) => findProgram(name) ?? (existsSync(join("/usr/sbin", name)) ? join("/usr/sbin", name) : undefined));

function run(program: string | undefined, ...words: string[]): string {
  return execFileSync(program as string, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Two layers with whatever a layer may hold, the second deleting from the first. */
async function build(directory: string) {
  const out = openLayout(directory);
  const long = `/srv/${"deep/".repeat(25)}größe`;
  const base = await sampleImage(
    { layers: [{ files: [sampleFile("/srv/gone"), sampleFile("/srv/old/x"), sampleFile("/srv/kept")] }] },
    { out, tag: "base" },
  );
  const image = await sampleImage(
    {
      base: { name: "registry.example/base:1", digest: base.descriptor.digest },
      layers: [
        {
          files: [
            sampleFile(long),
            sampleFile("/srv/run", "#!/bin/sh\n", 0o755),
            { kind: "symlink", to: "/srv/link", target: "kept" },
            { kind: "whiteout", to: "/srv/gone" },
            { kind: "opaque", to: "/srv/old" },
            { kind: "empty-directory", to: "/tmp", mode: 0o1777 },
          ],
        },
        { files: [sampleFile("/srv/old/new")] },
      ],
      environment: { PATH: "/usr/bin" },
      entrypoint: ["/srv/run"],
    },
    { base: out, out, tag: "latest" },
  );
  return { out, image, long };
}

function listing(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const path = join(directory, name);
      const stat = lstatSync(path);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
      return stat.isFile() ? `${name} ${mode} ${sha256(readFileSync(path)).slice(7, 15)}` : `${name}/ ${mode}`;
    });
}

test.skipIf(skopeo === undefined)("I15: skopeo reads, copies and converts what we assemble", async () => {
  const directory = fresh();
  const { image } = await build(join(directory, "layout"));
  const source = `oci:${join(directory, "layout")}:latest`;
  expect(JSON.parse(run(skopeo, "inspect", source))).toMatchObject({ Digest: image.descriptor.digest, Os: "linux" });
  run(skopeo, "--insecure-policy", "copy", "--all", source, `oci:${join(directory, "copy")}:one`);
  expect((await openLayout(join(directory, "copy")).manifest("one")).descriptor.digest).toBe(image.descriptor.digest);
  run(skopeo, "--insecure-policy", "copy", source, `docker-archive:${join(directory, "docker.tar")}:shop:1`);
  run(
    skopeo,
    "--insecure-policy",
    "copy",
    "--dest-compress",
    "--dest-compress-format",
    "zstd",
    source,
    `dir:${join(directory, "dir")}`,
  );
  const manifest = JSON.parse(run(skopeo, "inspect", "--raw", `dir:${join(directory, "dir")}`));
  expect(manifest.layers).toHaveLength(3);
});

test.skipIf(umoci === undefined || !isRoot)("I15: umoci unpacks the files that we put in, as we put them", async () => {
  const directory = fresh();
  const { long } = await build(join(directory, "layout"));
  run(umoci, "unpack", "--image", `${join(directory, "layout")}:latest`, join(directory, "bundle"));
  const root = join(directory, "bundle", "rootfs");
  const found = listing(root);
  expect(found).toContain("tmp/ 1777");
  expect(found).toContain("srv/link -> kept");
  expect(found.find((row) => row.startsWith("srv/run "))).toMatch(/ 755 /);
  expect(found.some((row) => row.startsWith(`${long.slice(1)} `))).toBe(true);
  expect(found.filter((row) => row.startsWith("srv/old"))).toEqual([
    expect.stringMatching(/^srv\/old\/ 755/),
    expect.stringMatching(/^srv\/old\/new /),
  ]);
  expect(found.some((row) => row.includes("gone"))).toBe(false);
  expect(lstatSync(join(root, "srv", "kept")).mtimeMs / 1000).toBe(1_700_000_000);
});

const started: { readonly process: ChildProcess; readonly directory: string }[] = [];
afterEach(async () => {
  for (const { process: daemon } of started.splice(0)) {
    const ended = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill("SIGTERM");
    await ended;
  }
});

const canRun = isRoot && [containerd, ctr, runc, shim, busybox].every((program) => program !== undefined);

/** Starts a containerd of our own, with the native snapshotter; undefined when it does not come up on this machine. */
async function startContainerd(directory: string): Promise<string | undefined> {
  const address = join(directory, "c.sock");
  const off = [
    "io.containerd.grpc.v1.cri",
    "io.containerd.cri.v1.runtime",
    "io.containerd.cri.v1.images",
    "io.containerd.nri.v1.nri",
  ];
  const lines = [
    "version = 2",
    `root = "${join(directory, "root")}"`,
    `state = "${join(directory, "state")}"`,
    `disabled_plugins = ${JSON.stringify(off)}`,
    `[grpc]\naddress = "${address}"`,
    `[ttrpc]\naddress = "${join(directory, "t.sock")}"`,
  ];
  writeFileSync(join(directory, "config.toml"), lines.join("\n"));
  const path = [dirname(shim as string), dirname(runc as string), process.env["PATH"]].join(":");
  const daemon = spawn(containerd as string, ["--config", join(directory, "config.toml")], {
    stdio: "ignore",
    env: { ...process.env, PATH: path },
  });
  started.push({ process: daemon, directory });
  for (let tries = 0; tries < 100 && daemon.exitCode === null; tries++) {
    if (existsSync(address)) return address;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return undefined;
}

test.skipIf(!canRun)("I15: containerd imports and runs an image that we built", async ({ skip }) => {
  const directory = fresh();
  const out = openLayout(join(directory, "layout"));
  await sampleImage(
    {
      layers: [
        {
          files: [
            { kind: "directory", directory: busybox as string, to: "/bin/busybox" },
            { kind: "symlink", to: "/bin/sh", target: "busybox" },
            sampleFile("/etc/passwd", "app:x:1234:1234::/:/bin/sh\n"),
            sampleFile(
              "/app/greet",
              '#!/bin/sh\necho "$GREETING from $(/bin/busybox id -u) in $(/bin/busybox pwd)"\n',
              0o755,
            ),
          ],
        },
      ],
      ...{
        user: "app",
        entrypoint: ["/app/greet"],
        directory: "/app",
        environment: { GREETING: "hello", PATH: "/bin" },
      },
    },
    { out, tag: "latest" },
  );
  const address = await startContainerd(directory);
  if (address === undefined) return skip("containerd does not start on this machine");
  const client = (...words: string[]) => run(ctr, "--address", address, ...words);
  run(findProgram("tar"), "-C", join(directory, "layout"), "-cf", join(directory, "oci.tar"), ".");
  client(
    "images",
    "import",
    "--local",
    "--snapshotter",
    "native",
    "--base-name",
    "registry.example/greet",
    join(directory, "oci.tar"),
  );
  const { descriptor } = await readImage(out, "latest");
  expect(client("images", "list")).toContain(descriptor.digest);
  const said = client("run", "--rm", "--snapshotter", "native", "registry.example/greet:latest", "greet");
  expect(said.trim()).toBe("hello from 1234 in /app");
  await writeDockerArchive({
    reader: out,
    reference: "latest",
    names: ["registry.example/archive:1"],
    file: join(directory, "docker.tar"),
  });
  client("images", "import", "--local", "--snapshotter", "native", join(directory, "docker.tar"));
  expect(client("run", "--rm", "--snapshotter", "native", "registry.example/archive:1", "again").trim()).toBe(
    "hello from 1234 in /app",
  );
});
