import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@touchmark/core";
import * as check from "fast-check";
import { afterAll, expect, test } from "vitest";
import { isPrivateAddress } from "./addresses.ts";
import { createStepAuthority } from "./authority.ts";
import { codingOf } from "./coding.ts";
import { BodyIntake } from "./intake.ts";
import { parserRefusal } from "./parser-refusal.ts";
import { rangeOf } from "./range.ts";
import { type RequestHead, readRequest } from "./request.ts";
import { trustedAuthorities, upstreamSettings } from "./settings.ts";
import { parseAbsoluteTarget, parseAuthority, parseTunnelTarget, quoted } from "./target.ts";
import { proxyChoice } from "./user-proxy.ts";

const directory = mkdtempSync(join(tmpdir(), "tm-rules-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const codes = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};

test("P4: a target is passed on as it was written, or refused: never repaired", () => {
  const tunnel = { host: "h.example", port: 443 };
  for (const path of [
    "/",
    "//a",
    "/a//b",
    "/@a%2fb",
    "/@a%2Fb",
    "/a%2e",
    "/a..b/...",
    "/a;b=c,d",
    "/~a!$&'()*+,=:@",
    "/a?b/../c",
    "/a%5cb",
    "/%25",
  ]) {
    const { pathname, search } = parseTunnelTarget(path, tunnel);
    expect((pathname + search).replaceAll("%27", "'")).toBe(path);
  }
  expect(parseTunnelTarget("/a{b}?x='y'", tunnel).href).toBe("https://h.example/a%7Bb%7D?x=%27y%27");
  const printable = check.string({
    unit: check.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  });
  check.assert(
    check.property(printable, (text) => {
      const path = `/${text}`;
      let url: URL;
      try {
        url = parseTunnelTarget(path, tunnel);
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/^PROXY_TARGET_/);
        return;
      }
      expect([url.host, url.username, url.hash]).toEqual(["h.example", "", ""]);
      const decoded = (each: string): string =>
        each.replace(/%(22|27|3C|3E|5E|60|7B|7C|7D)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
      expect(decoded(url.href.slice(url.origin.length))).toBe(decoded(path));
    }),
    { numRuns: 2000 },
  );
});

test("P4: hosts and ports have one spelling each", () => {
  for (const [text, host, port] of [
    ["H.Example", "h.example", 80],
    ["a_b.example:8080", "a_b.example", 8080],
    ["127.0.0.1", "127.0.0.1", 80],
    ["[2001:DB8:0:0::1]:443", "[2001:db8::1]", 443],
    ["[::ffff:1.2.3.4]", "[::ffff:102:304]", 80],
    ["xn--bcher-kva.example", "xn--bcher-kva.example", 80],
  ] as const) {
    expect(parseAuthority(text, 80)).toEqual({ host, port });
  }
  for (const text of [
    "",
    ".",
    "a..b",
    "-a.example",
    "a-.example",
    "h.example:",
    "h.example:+1",
    "[::1",
    "[::1]a",
    "[1.2.3.4]",
    "a b",
    "h.example/",
    "1.2.3",
    "1.2.3.4.5",
    "h.0x1",
    `${"a".repeat(64)}.example`,
  ]) {
    expect([text, codes(() => parseAuthority(text, 80))]).toEqual([text, "PROXY_HOST_MALFORMED"]);
  }
  expect(parseAbsoluteTarget("http://h.example:80").url.href).toBe("http://h.example/");
  check.assert(
    check.property(check.webUrl({ withQueryParameters: true, validSchemes: ["http"] }), (text) => {
      const code = codes(() => parseAbsoluteTarget(text));
      if (code === undefined) expect(parseAbsoluteTarget(text).url.host).toBe(new URL(text).host);
      else expect(code).toMatch(/^PROXY_(?:TARGET|HOST)_/);
    }),
  );
});

test("P4: no head of a request makes the reader fail otherwise than by its codes", () => {
  const piece = check.oneof(
    check.string({ unit: "binary" }),
    check.constantFrom(
      "host",
      "content-length",
      "transfer-encoding",
      "chunked",
      "h.example",
      "3",
      "expect",
      "upgrade",
      ":authority",
    ),
  );
  check.assert(
    check.property(
      check.constantFrom("GET", "POST", "HEAD", "PUT", ""),
      check.oneof(piece, check.webUrl()),
      check.array(piece),
      (method, target, rawHeaders) => {
        for (const version of ["1.0", "1.1", "2.0"] as const) {
          const head: RequestHead = {
            version,
            method,
            target,
            rawHeaders,
            ...(version === "2.0" ? { tunnel: { host: "h.example", port: 443 } } : {}),
          };
          expect(codes(() => readRequest(head)) ?? "PROXY_").toMatch(/^PROXY_/);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test("P4: what only belongs to one connection stays behind, a credential too", () => {
  const read = readRequest({
    version: "1.1",
    method: "GET",
    target: "http://h.example/",
    rawHeaders: [
      "Host",
      "h.example",
      "Connection",
      "keep-alive, x-a",
      "X-A",
      "1",
      "Keep-Alive",
      "5",
      "Upgrade",
      "h2c",
      "HTTP2-Settings",
      "A",
      "Authorization",
      "b",
      "If-None-Match",
      '"e"',
    ],
  });
  expect([read.headers, read.droppedCredentials]).toEqual([{ "if-none-match": '"e"' }, true]);
  expect(parserRefusal(Object.assign(new Error("x"), { code: "HPE_NEW" })).code).toBe("PROXY_REQUEST_MALFORMED");
  expect(quoted("http://user:secret@h.example/?token=1")).toBe('"http://…@h.example/?…"');
});

test("P8: addresses that no public host has are private, in every spelling", () => {
  for (const address of [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.31.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::1",
    "2001::1",
    "2001:db8::1",
    "::127.0.0.1",
    "100::1",
    "no address",
  ]) {
    expect([address, isPrivateAddress(address)]).toEqual([address, true]);
  }
  for (const address of [
    "1.1.1.1",
    "172.32.0.1",
    "192.0.1.1",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
    "2002:101:101::1",
  ]) {
    expect([address, isPrivateAddress(address)]).toEqual([address, false]);
  }
});

test("P8: the user's variables say which proxy, for whom not, and whom to trust", () => {
  const settings = upstreamSettings({
    HTTPS_PROXY: "http://proxy.example:3128",
    http_proxy: "lower.example:8080",
    HTTP_PROXY: "http://upper.example",
    NO_PROXY: "internal.example, .dot.example,*.star.example,10.0.0.0/8,only.example:8443,2001:db8::1",
    SSL_CERT_FILE: "/a.pem",
    NODE_EXTRA_CA_CERTS: "/a.pem",
    SSL_CERT_DIR: "/d:/e",
  });
  expect(settings.authorities).toEqual({ files: ["/a.pem"], directories: ["/d", "/e"] });
  const choose = proxyChoice(settings);
  const chosen = (url: string): string | undefined => choose(new URL(url))?.host;
  expect(chosen("https://h.example/")).toBe("proxy.example");
  expect(chosen("http://h.example/")).toBe("lower.example");
  for (const exempt of [
    "internal.example",
    "a.internal.example",
    "dot.example",
    "a.dot.example",
    "star.example",
    "10.1.2.3",
    "only.example:8443",
    "[2001:db8::1]",
    "localhost",
    "127.0.0.1",
    "[::1]",
  ]) {
    expect([exempt, chosen(`https://${exempt}/`)]).toEqual([exempt, undefined]);
  }
  for (const used of ["xinternal.example", "only.example", "11.0.0.1"]) {
    expect([used, chosen(`https://${used}/`)]).toEqual([used, "proxy.example"]);
  }
  expect(
    proxyChoice({ proxy: { https: "https://p.example", none: "*" } })(new URL("https://h.example/")),
  ).toBeUndefined();
  // In a CGI environment the variable is an attacker's request header.
  expect(upstreamSettings({ REQUEST_METHOD: "GET", HTTP_PROXY: "http://evil.example" }).proxy).toEqual({});
  expect(upstreamSettings({ ALL_PROXY: "http://all.example" }).proxy).toEqual({
    http: "http://all.example",
    https: "http://all.example",
  });
});

test("P8: named authorities are read from files and directories, and a named file must hold some", () => {
  const [first, second] = [createStepAuthority(systemClock).pem, createStepAuthority(systemClock).pem];
  const certificates = join(directory, "certificates");
  mkdirSync(certificates);
  writeFileSync(join(directory, "one.pem"), `# comment\n${first}`);
  writeFileSync(join(certificates, "two.crt"), second);
  writeFileSync(join(certificates, "readme.txt"), "nothing");
  const found = trustedAuthorities({
    authorities: { files: [join(directory, "one.pem")], directories: [certificates, "/absent"] },
  });
  expect(found).toEqual(expect.arrayContaining([first, second]));
  writeFileSync(join(directory, "none.pem"), "nothing");
  expect(codes(() => trustedAuthorities({ authorities: { files: [join(directory, "none.pem")] } }))).toBe(
    "PROXY_SETTINGS_INVALID",
  );
});

test("P7: a range is one within the body, or none", () => {
  check.assert(
    check.property(check.nat(100), check.nat(120), check.nat(120), (size, from, to) => {
      const code = codes(() => rangeOf(`bytes=${from}-${to}`, undefined, size, {}));
      if (code !== undefined) expect([code, from >= size]).toEqual(["PROXY_RANGE_UNSATISFIABLE", true]);
      else {
        const range = rangeOf(`bytes=${from}-${to}`, undefined, size, {});
        expect(range).toEqual(to < from ? undefined : { from, until: Math.min(size, to + 1) });
      }
    }),
  );
  expect(
    rangeOf("bytes=0-1", "Sat, 21 Nov 2026 10:00:00 GMT", 5, { "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT" }),
  ).toEqual({ from: 0, until: 2 });
});

test("P11: a body taken in over several beginnings has the bytes of one, or is refused", async () => {
  await check.assert(
    check.asyncProperty(
      check.uint8Array({ maxLength: 200 }),
      check.array(check.nat(200), { maxLength: 4 }),
      async (body, cuts) => {
        const written: number[] = [];
        const intake = new BodyIntake(
          { path: "", write: async (chunk) => void written.push(...chunk), close: async () => {} },
          ["sha512", "h1"],
          1000,
        );
        for (const cut of [...cuts, body.length]) {
          intake.restart();
          for (let at = 0; at < Math.min(cut, body.length); at += 7)
            await intake.write(body.subarray(at, Math.min(at + 7, cut, body.length)));
        }
        expect(Object.keys(await intake.finish())).toEqual(["sha256", "sha512"]);
        expect(written).toEqual([...body]);
      },
    ),
  );
  const intake = new BodyIntake({ path: "", write: async () => {}, close: async () => {} }, [], 1000);
  await intake.write(Buffer.from("abc"));
  intake.restart();
  await intake.write(Buffer.from("ab"));
  await expect(intake.finish()).rejects.toMatchObject({ code: "PROXY_UPSTREAM_CHANGED" });
  await expect(intake.write(Buffer.from("x"))).rejects.toMatchObject({ code: "PROXY_UPSTREAM_CHANGED" });
});

test("P13: one known content coding, or none", () => {
  expect([
    codingOf({}),
    codingOf({ "content-encoding": "Identity" }),
    codingOf({ "content-encoding": "GZIP" }),
  ]).toEqual([undefined, undefined, "gzip"]);
  for (const coding of ["gzip, gzip", "constructor", "__proto__"]) {
    expect(codes(() => codingOf({ "content-encoding": coding }))).toBe("PROXY_ENCODING_UNKNOWN");
  }
});
