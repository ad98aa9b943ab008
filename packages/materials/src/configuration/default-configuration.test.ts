import { expect, test } from "vitest";
import { defaultConfiguration } from "./default-configuration.ts";
import { parseMaterialsConfiguration } from "./parse.ts";

const row = (url: string, from = "client") => ({ url, from, exclusive: [] });

test("K6: what the clients said becomes a file that reads back as the same repositories, in their order", () => {
  const text = defaultConfiguration({
    npm: [row("https://packages.example/npm/"), { ...row("https://own.example/npm/"), exclusive: ["@own/*"] }],
    deb: [{ ...row("http://archive.example/debian/"), suites: ["stable"], components: ["main"] }],
  });
  const { gate } = parseMaterialsConfiguration(text, "/home/materials.yaml");
  expect(gate.upstreams.npm?.map(({ url, exclusive, order }) => [url, exclusive, order])).toEqual([
    ["https://packages.example/npm/", [], 0],
    ["https://own.example/npm/", ["@own/*"], 1],
  ]);
  expect(gate.upstreams.deb?.[0]?.url).toBe("http://archive.example/debian/");
});

test("K6: plain http is not trusted unasked, and a host without clients has no repository", () => {
  const plain = defaultConfiguration({ pypi: [row("http://old.example/simple/", "pip's\nindex-url")] });
  expect(parseMaterialsConfiguration(plain, "m.yaml").gate.upstreams.pypi ?? []).toEqual([]);
  expect(plain).toContain("plain http");
  expect(parseMaterialsConfiguration(defaultConfiguration({}), "m.yaml").gate.upstreams).toEqual({});
});
