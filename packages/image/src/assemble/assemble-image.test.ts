import { sha256 } from "@touchmark/core";
import {
  annotationKeys,
  type ImageConfig,
  mediaTypes,
  type OciReader,
  parseImageConfig,
  parseManifest,
  serializeManifest,
} from "@touchmark/formats/oci";
import { describe, expect, test } from "vitest";
import { memoryImages } from "../layout/memory-images.ts";
import { collect } from "../layout/verified.ts";
import { type AssembledImage, assembleImage } from "./assemble-image.ts";
import { assembleIndex } from "./image-index.ts";
import { RUN_LABEL } from "./image-spec.ts";
import { sampleFile, sampleImage, sampleSpec } from "./sample-image.fixture.ts";

const code = (value: string) => expect.objectContaining({ code: value });
const passwd = "root:x:0:0::/root:/bin/sh\napp:x:1234:5678::/:/bin/sh\nsly:x:0:9::/:/bin/sh\n";

async function configOf(reader: OciReader, { manifest }: Pick<AssembledImage, "manifest">): Promise<ImageConfig> {
  return parseImageConfig(await collect(reader.blob(manifest.config), 1e6, "config"), {
    layers: manifest.layers.length,
  });
}

describe("I6: an image", () => {
  test("I6: is a function of its spec, whatever the order of members", async () => {
    const one = await sampleImage({ labels: { a: "1", b: "2" }, environment: { X: "1", Y: "2" } });
    const two = await sampleImage({ labels: { b: "2", a: "1" }, environment: { Y: "2", X: "1" } });
    expect(two.descriptor).toEqual(one.descriptor);
    expect((await sampleImage({ epoch: 1 })).descriptor.digest).not.toBe(one.descriptor.digest);
  });

  test("I6: says what it is and stands on, in labels, annotations and history", async () => {
    const base = await sampleImage({
      labels: { kept: "yes" },
      about: { title: "the base" },
      environment: { A: "1", B: "2" },
    });
    const image = await sampleImage(
      {
        base: { name: "registry.example/base:1", digest: base.descriptor.digest },
        layers: [{ files: [sampleFile("/srv/x")], createdBy: "step pack, x -> /srv" }],
        about: {
          title: "shop",
          version: "2",
          source: "https://forge.example/shop",
          revision: "abc",
          licenses: "MIT",
          run: "r-1",
        },
        entrypoint: ["/srv/x"],
        command: ["serve"],
        environment: { B: "3", C: "4" },
        ports: ["8080", "53/udp"],
        directory: "/srv",
        stopSignal: "SIGINT",
        buildArguments: { MODE: "fast" },
      },
      { base: base.images, tag: "latest" },
    );
    const config = await configOf(image.images, image);
    expect(config.config).toEqual({
      ...{ User: "1001:1001", Entrypoint: ["/srv/x"], Cmd: ["serve"], WorkingDir: "/srv", StopSignal: "SIGINT" },
      ExposedPorts: { "53/udp": {}, "8080/tcp": {} },
      Env: ["A=1", "B=3", "C=4"],
      Labels: {
        kept: "yes",
        [RUN_LABEL]: "r-1",
        [annotationKeys.title]: "shop",
        [annotationKeys.version]: "2",
        [annotationKeys.source]: "https://forge.example/shop",
        [annotationKeys.revision]: "abc",
        [annotationKeys.licenses]: "MIT",
        [annotationKeys.created]: "2023-11-14T22:13:20Z",
        [annotationKeys.baseName]: "registry.example/base:1",
        [annotationKeys.baseDigest]: base.descriptor.digest,
      },
    });
    expect(config.history?.map((entry) => entry.created_by)).toEqual([
      "step build, . -> /app",
      "ARG MODE=fast",
      "step pack, x -> /srv",
    ]);
    expect(image.manifest.annotations).toMatchObject({ [annotationKeys.revision]: "abc" });
    expect(image.base).toEqual({ name: "registry.example/base:1", manifest: base.descriptor.digest, layers: 1 });
    expect((await image.images.manifest("latest")).descriptor.digest).toBe(image.descriptor.digest);
  });

  test("I6: carries the base's layers over as they are", async () => {
    const base = await sampleImage({ compression: "gzip", level: 9 });
    const out = memoryImages();
    const spec = { base: { name: "base", digest: base.descriptor.digest }, layers: [{ files: [sampleFile("/new")] }] };
    const image = await sampleImage({ ...spec, compression: "zstd" }, { base: base.images, out });
    expect(image.manifest.layers[0]).toEqual(base.manifest.layers[0]);
    expect(await out.hasBlob(base.manifest.layers[0]?.digest as never)).toBe(true);
    expect(image.manifest.layers[1]?.mediaType).toBe(mediaTypes.layerZstd);
    // Of a docker base, under OCI's names.
    const docker = serializeManifest({
      ...base.manifest,
      mediaType: mediaTypes.dockerManifest,
      config: { ...base.manifest.config, mediaType: mediaTypes.dockerConfig },
      layers: base.manifest.layers.map((layer) => ({ ...layer, mediaType: mediaTypes.dockerLayerGzip })),
    });
    const put = await base.images.putManifest(docker, mediaTypes.dockerManifest);
    const upon = await sampleImage(
      { ...spec, base: { name: "base", digest: put.digest }, compression: "zstd" },
      { base: base.images },
    );
    expect(upon.manifest.layers).toEqual(image.manifest.layers);
  });

  test("I6: whose configuration is malformed is refused", async () => {
    const wrong = [
      { ports: ["0"] },
      { ports: ["99999"] },
      { ports: ["80/http"] },
      { directory: "srv" },
      { stopSignal: "kill" },
      { environment: { "A B": "1" } },
      { environment: { A: "\0" } },
      { labels: { "": "x" } },
    ];
    for (const change of wrong) await expect(sampleImage(change)).rejects.toEqual(code("IMAGE_CONFIG_INVALID"));
  });
});

describe("I7: the user", () => {
  const layers = [{ files: [sampleFile("/etc/passwd", passwd), sampleFile("/etc/group", "web:x:77:\n")] }];

  test.each([undefined, "0", "0:0", "root", "sly", "0:1001"])("I7: %j is root, and refused", async (user) => {
    const { user: _, ...spec } = sampleSpec({ layers });
    const change = user === undefined ? spec : { ...spec, user };
    const places = { out: memoryImages(), scratch: "/nonexistent" };
    await expect(assembleImage(change, places)).rejects.toEqual(code("IMAGE_ROOT_USER"));
    expect((await sampleImage({ layers, user: user ?? "", allow: ["root-user"] })).user).toBe(
      { "0": "0", "0:0": "0:0", root: "0:0", sly: "0:9", "0:1001": "0:1001" }[user ?? ""] ?? "",
    );
  });

  test("I7: names are looked up in the image itself", async () => {
    const user = async (name: string) => (await sampleImage({ layers, user: name })).user;
    expect(await user("app")).toBe("1234:5678");
    expect(await user("app:web")).toBe("1234:77");
    expect(await user("1000")).toBe("1000");
    for (const name of ["nobody", "app:nobody", "1:2:3", "4294967295", "-1"]) {
      await expect(user(name)).rejects.toEqual(code("IMAGE_USER_UNKNOWN"));
    }
    const base = await sampleImage({ layers, user: "app" });
    const { user: _, ...spec } = sampleSpec({ base: { name: "b", digest: base.descriptor.digest } });
    const upon = await sampleImage({ ...spec, user: "web:web" }, { base: base.images }).catch(
      (error: unknown) => error,
    );
    expect(upon).toEqual(code("IMAGE_USER_UNKNOWN"));
  });
});

describe("I8: a run image", () => {
  test.each([
    "usr/bin/gcc",
    "usr/bin/x86_64-linux-gnu-gcc-12",
    "usr/bin/ld.bfd",
    "usr/lib/gcc/x86_64-linux-gnu/12/cc1",
    "usr/bin/make",
    "usr/local/go/bin/go",
    "root/.cargo/bin/rustc",
    "usr/lib/jvm/java-17-openjdk/bin/javac",
    "usr/local/go/pkg/tool/linux_amd64/compile",
  ])("I8: without the compiler /%s", async (path) => {
    const layers = [{ files: [sampleFile(`/${path}`)] }];
    await expect(sampleImage({ layers })).rejects.toEqual(code("IMAGE_COMPILER_PRESENT"));
    const base = await sampleImage({ layers, allow: ["compilers"] });
    const upon = { base: { name: "b", digest: base.descriptor.digest } };
    await expect(sampleImage(upon, { base: base.images })).rejects.toEqual(code("IMAGE_COMPILER_PRESENT"));
    const slim = { files: [{ kind: "whiteout", to: `/${path}` } as const] };
    await sampleImage({ ...upon, layers: [slim] }, { base: base.images });
  });

  test.each([
    "var/lib/apt/lists/archive_dists_main_Packages",
    "var/cache/apt/archives/x.deb",
    "root/.npm/_cacache/index-v5/a",
    "home/app/.cache/pip/http/1",
    "root/.m2/repository/org/x.jar",
    "root/go/pkg/mod/cache/download/x",
  ])("I8: without the cache /%s", async (path) => {
    const layers = [{ files: [sampleFile(`/${path}`)] }];
    await expect(sampleImage({ layers })).rejects.toEqual(code("IMAGE_CACHE_PRESENT"));
    await sampleImage({ layers, allow: ["caches"] });
  });

  test("I8: with everything else", async () => {
    const paths = [
      "/usr/bin/ld.so",
      "/usr/bin/cat",
      "/usr/bin/assembler",
      "/app/bin/run",
      "/usr/share/doc/gcc",
      "/var/lib/apt/lists/lock",
      "/app/make",
      "/usr/bin/gcc-not-at-all.txt",
    ];
    await sampleImage({ layers: [{ files: paths.map((path) => sampleFile(path)) }] });
  });
});

describe("I9: secrets", () => {
  const pem = `-----BEGIN RSA PRIVATE KEY-----\n${"MIIEowIBAAKCAQEA".repeat(4)}\n`;
  const token = `ghp_${"a1B2".repeat(9)}`;
  const secrets: [path: string, content: string][] = [
    ["/srv/key.txt", pem],
    ["/srv/service.json", JSON.stringify({ key: pem })],
    ["/srv/large.txt", `${" ".repeat(1024 * 1024 - 20)}${token}`],
    ["/srv/config.js", `const token = "${token}";`],
    ["/srv/aws", `AKIA${"ABCDEFGH".repeat(2)}`],
    ["/root/.npmrc", "//registry.example/:_authToken=abcdef"],
    ["/root/.netrc", "machine forge.example login me password hunter2"],
    ["/root/.docker/config.json", '{"auths":{"registry.example":{"auth":"YTpi"}}}'],
    ["/root/.aws/credentials", "aws_secret_access_key = x"],
    ["/root/.git-credentials", "https://me:word@forge.example"],
    ["/srv/.git/HEAD", "ref: refs/heads/main"],
  ];

  test.each(secrets)("I9: in %s are refused by path and kind, never shown", async (path, content) => {
    const layers = [{ files: [sampleFile(path, content)] }];
    const failure = await sampleImage({ layers }).catch((error: unknown) => error);
    expect(failure).toEqual(code("IMAGE_SECRET_FOUND"));
    expect(String(failure)).toContain(path);
    expect(String(failure)).not.toContain(content.trim().slice(-20));
    await sampleImage({ layers, secretsAt: [path] });
    await sampleImage({ layers, allow: ["secrets"] });
  });

  test("I9: of the base are refused where such are kept, and in what the configuration says", async () => {
    const base = await sampleImage({ layers: [{ files: [sampleFile("/root/.ssh/id_rsa", pem)] }], allow: ["secrets"] });
    const upon = { base: { name: "b", digest: base.descriptor.digest } };
    await expect(sampleImage(upon, { base: base.images })).rejects.toEqual(code("IMAGE_SECRET_FOUND"));
    await sampleImage({ ...upon, secretsAt: ["/root/.ssh/id_rsa"] }, { base: base.images });
    for (const change of [{ environment: { T: token } }, { labels: { t: token } }, { buildArguments: { T: token } }]) {
      await expect(sampleImage(change)).rejects.toEqual(code("IMAGE_SECRET_FOUND"));
    }
  });

  test("I9: are not what only speaks of them", async () => {
    const innocent = [
      "-----BEGIN PRIVATE KEY-----",
      'startsWith("-----BEGIN RSA PRIVATE KEY-----\\n")',
      "ghp_short",
      "AKIAIOSFODNN7EXAMPLE",
    ];
    const files = innocent.map((content, i) => sampleFile(`/srv/${i}`, content));
    await sampleImage({
      layers: [{ files: [...files, sampleFile("/root/.npmrc", "fund=false\n//r/:_authToken=${TOKEN}\n")] }],
    });
  });
});

describe("I10: the base", () => {
  test("I10: is for the platform that is wanted, and whole", async () => {
    const amd = await sampleImage();
    const { images } = amd;
    const arm = await sampleImage({ platform: { os: "linux", architecture: "arm64" } }, { out: images });
    const index = await assembleIndex([arm, amd], { out: images });
    const listed = parseManifest((await images.manifest(index.digest)).bytes);
    expect(listed.kind === "index" && listed.manifests.map(({ platform }) => platform?.architecture)).toEqual([
      "amd64",
      "arm64",
    ]);
    const upon = await sampleImage({ base: { name: "b", digest: index.digest }, layers: [] }, { base: images });
    expect(upon.base?.manifest).toBe(amd.descriptor.digest);
    await expect(assembleIndex([amd, amd], { out: images })).rejects.toEqual(code("IMAGE_PLATFORM_MISMATCH"));
    const wrong = sampleImage({ base: { name: "b", digest: arm.descriptor.digest } }, { base: images });
    await expect(wrong).rejects.toEqual(code("OCI_CONFIG_PLATFORM"));
    const none = sampleImage({ base: { name: "b", digest: sha256("none") } }, { base: images });
    await expect(none).rejects.toEqual(code("IMAGE_MANIFEST_MISSING"));
  });

  test("I10: is an image, with the layers that its configuration names", async () => {
    const { images, manifest } = await sampleImage();
    const artifact = serializeManifest({ ...manifest, config: { ...manifest.config, mediaType: mediaTypes.empty } });
    const put = await images.putManifest(artifact, mediaTypes.manifest);
    const upon = (digest: typeof put.digest) => sampleImage({ base: { name: "b", digest } }, { base: images });
    await expect(upon(put.digest)).rejects.toEqual(code("IMAGE_BASE_INVALID"));
    const helm = serializeManifest({
      ...manifest,
      layers: manifest.layers.map((layer) => ({ ...layer, mediaType: "text/x" })),
    });
    await expect(upon((await images.putManifest(helm, mediaTypes.manifest)).digest)).rejects.toEqual(
      code("IMAGE_BASE_INVALID"),
    );
    const other = await sampleImage({ layers: [{ files: [sampleFile("/other")] }] }, { out: images });
    const swapped = serializeManifest({ ...manifest, layers: other.manifest.layers });
    await expect(upon((await images.putManifest(swapped, mediaTypes.manifest)).digest)).rejects.toEqual(
      code("UNPACK_DIFF_ID"),
    );
    const nowhere = assembleImage(sampleSpec({ base: { name: "b", digest: put.digest } }), {
      out: images,
      scratch: "/nonexistent",
    });
    await expect(nowhere).rejects.toEqual(code("IMAGE_BASE_INVALID"));
  });
});
