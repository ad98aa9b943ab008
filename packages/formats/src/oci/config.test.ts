import { sha256 } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  annotationKeys,
  checkConfigPlatform,
  choosePlatform,
  type ImageConfig,
  type ImageIndex,
  mediaTypes,
  type Platform,
  parseImageConfig,
  parsePlatform,
  platformText,
  serializeImageConfig,
} from "./index.ts";
import { codeOf, json, layer } from "./samples.fixture.ts";

const config = () => ({
  architecture: "amd64",
  os: "linux",
  config: { Env: ["A=b"], Entrypoint: null, Labels: { [annotationKeys.source]: "x" }, ExposedPorts: { "80/tcp": {} } },
  rootfs: { type: "layers", diff_ids: [sha256("a"), sha256("b")] },
  history: [{ created_by: "one" }, { created_by: "none", empty_layer: true }],
});

test("OCI11: a configuration is read with what starts a container", () => {
  const read = parseImageConfig(json({ ...config(), container: "docker's own" }), { layers: 2 });
  expect(read.config).toEqual({
    Env: ["A=b"],
    Labels: { "org.opencontainers.image.source": "x" },
    ExposedPorts: { "80/tcp": {} },
  });
  expect(read.history).toHaveLength(2);
  expect(read).not.toHaveProperty("container");
});

test.each([
  ["OCI_MALFORMED", undefined, "{"],
  ["OCI_DUPLICATE_KEY", undefined, '{"os":"a","os":"b"}'],
  ["OCI_DUPLICATE_KEY", undefined, json({ ...config(), OS: "b" })],
  ["OCI_TOO_LARGE", undefined, new Uint8Array(8 * 1024 * 1024 + 1)],
  ["OCI_CONFIG_MALFORMED", undefined, json({ ...config(), os: 1 })],
  ["OCI_CONFIG_MALFORMED", undefined, json({ ...config(), rootfs: undefined })],
  ["OCI_CONFIG_MALFORMED", undefined, json({ ...config(), rootfs: { type: "other", diff_ids: [] } })],
  ["OCI_CONFIG_MALFORMED", undefined, json({ ...config(), rootfs: { type: "layers", diff_ids: [1] } })],
  ["OCI_CONFIG_MALFORMED", undefined, json({ ...config(), config: { Env: [1] } })],
  ["OCI_CONFIG_MALFORMED", undefined, json({ ...config(), config: { Volumes: { a: 1 } } })],
  ["OCI_CONFIG_MALFORMED", undefined, json({ ...config(), history: Array.from({ length: 2001 }, () => ({})) })],
  ["OCI_CONFIG_MALFORMED", undefined, json({ ...config(), history: [{ empty_layer: "no" }] })],
  ["OCI_ANNOTATIONS_INVALID", undefined, json({ ...config(), config: { Labels: { a: null } } })],
  ["OCI_DIGEST_MALFORMED", undefined, json({ ...config(), rootfs: { type: "layers", diff_ids: ["x"] } })],
  ["OCI_CONFIG_LAYERS", 3, json(config())],
  ["OCI_CONFIG_LAYERS", undefined, json({ ...config(), history: [{}, {}, {}] })],
])("OCI11: a bad configuration is refused by name (%s)", (code, layers, content) => {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  expect(codeOf(() => parseImageConfig(bytes, layers === undefined ? {} : { layers }))).toBe(code);
});

test("OCI6: a configuration that is written is read back as it was", () => {
  const text = fc.string({ maxLength: 8 });
  const names = fc.dictionary(
    text.filter((name) => name !== "" && name !== "__proto__"),
    text,
  );
  const containers = fc.record(
    { User: text, Env: fc.array(text), Cmd: fc.array(text), Labels: names, WorkingDir: text, StopSignal: text },
    { requiredKeys: [] },
  );
  const configs = fc.record(
    { created: text, author: text, architecture: text, os: text, variant: text, config: containers },
    { requiredKeys: ["architecture", "os"] },
  );
  fc.assert(
    fc.property(configs, fc.array(text.map(sha256), { maxLength: 5 }), (parts, ids) => {
      const history = ids.map((id) => ({ created_by: id }));
      const value: ImageConfig = { ...parts, rootfs: { type: "layers", diff_ids: ids }, history };
      const bytes = serializeImageConfig(value);
      expect(parseImageConfig(bytes, { layers: ids.length })).toEqual(value);
      expect(Buffer.from(serializeImageConfig(parseImageConfig(bytes)))).toEqual(Buffer.from(bytes));
    }),
  );
});

const entry = (size: number, platform?: Platform) => ({ ...layer, size, ...(platform && { platform }) });
const list: ImageIndex = {
  kind: "index",
  mediaType: mediaTypes.index,
  manifests: [
    entry(1),
    entry(2, { architecture: "arm", os: "linux", variant: "v6" }),
    entry(3, { architecture: "arm", os: "linux", variant: "v7" }),
    entry(4, { architecture: "arm64", os: "linux" }),
    entry(5, { architecture: "amd64", os: "linux" }),
    entry(6, { architecture: "amd64", os: "windows", "os.version": "10" }),
  ],
};

test.each([
  ["linux/arm", 3],
  ["linux/arm/v6", 2],
  ["linux/arm64/v8", 4],
  ["linux/amd64", 5],
  ["windows/amd64", 6],
])("OCI12: %s is found in an index", (text, size) => {
  const platform = parsePlatform(text);
  expect(platformText(platform)).toBe(text);
  expect(choosePlatform(list, platform).size).toBe(size);
});

test("OCI12: a platform that an index does not have, or that is none, is refused", () => {
  expect(codeOf(() => choosePlatform(list, parsePlatform("linux/s390x")))).toBe("OCI_PLATFORM_MISSING");
  expect(codeOf(() => choosePlatform(list, parsePlatform("linux/arm/v5")))).toBe("OCI_PLATFORM_MISSING");
  const windows = { architecture: "amd64", os: "windows", "os.version": "11" };
  expect(codeOf(() => choosePlatform(list, windows))).toBe("OCI_PLATFORM_MISSING");
  for (const text of ["linux", "a/b/c/d", "linux/", "l x/amd64"]) {
    expect(codeOf(() => parsePlatform(text))).toBe("OCI_PLATFORM_MALFORMED");
  }
});

test("OCI12: a configuration for another platform than its manifest is refused", () => {
  const amd64 = parseImageConfig(json(config()));
  expect(() => checkConfigPlatform(amd64, parsePlatform("linux/amd64"))).not.toThrow();
  const arm = parseImageConfig(json({ ...config(), architecture: "arm" }));
  expect(() => checkConfigPlatform(arm, parsePlatform("linux/arm/v7"))).not.toThrow();
  expect(codeOf(() => checkConfigPlatform(amd64, parsePlatform("linux/arm64")))).toBe("OCI_CONFIG_PLATFORM");
  const v6 = parseImageConfig(json({ ...config(), architecture: "arm", variant: "v6" }));
  expect(codeOf(() => checkConfigPlatform(v6, parsePlatform("linux/arm/v7")))).toBe("OCI_CONFIG_PLATFORM");
});
