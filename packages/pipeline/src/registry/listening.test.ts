import { defaultRegistryConfiguration } from "@touchmark/registry";
import { expect, test } from "vitest";
import { clientUrl, listening } from "./listening.ts";

test.each([
  ["127.0.0.1:0", undefined, undefined, "http://127.0.0.1:4711"],
  ["[::1]:0", undefined, undefined, "http://[::1]:4711"],
  ["localhost:0", undefined, undefined, "http://localhost:4711"],
  ["0.0.0.0:0", ["registry.internal"], undefined, "https://registry.internal:4711"],
  ["10.0.0.7:0", ["2001:db8::1"], undefined, "https://[2001:db8::1]:4711"],
  ["0.0.0.0:0", undefined, "https://registry.example.com", "https://registry.example.com"],
  ["0.0.0.0:0", undefined, undefined, undefined],
])("G1: at %s with names %j and url %s clients are told %s", (listen, names, url, expected) => {
  const configuration = { ...defaultRegistryConfiguration, ...(url === undefined ? {} : { url }) };
  const how = listening(configuration, {
    listen,
    insecurePlainHttp: true,
    ...(names === undefined ? {} : { tls: { names } }),
  });
  expect(clientUrl(configuration, how, "192.0.2.1:4711")).toBe(expected);
});
