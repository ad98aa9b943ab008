import { connect } from "node:net";
import { systemClock } from "@touchmark/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStepAuthority } from "../../packages/materials/src/proxy/authority.ts";
import { ProxyConnections } from "../../packages/materials/src/proxy/connections.ts";
import { ProxyTally } from "../../packages/materials/src/proxy/events.ts";
import {
  type ProxyFixture,
  proxyFixture,
  type RecordingDoor,
  recordingDoor,
} from "../../packages/materials/src/proxy/fixture.ts";
import { RequestService } from "../../packages/materials/src/proxy/serve.ts";
import { openTransport } from "../../packages/materials/src/proxy/transport.ts";
import { codeOf, exchange, send, statusOf, tunnel, upstreamServer } from "./proxy-scene.ts";

/* What a hostile build sends to its proxy. Nothing of it may reach the door, and each has its code. */

let upstream: Awaited<ReturnType<typeof upstreamServer>>;
let door: RecordingDoor;
let fixture: ProxyFixture;
let host: string;

beforeAll(async () => {
  upstream = await upstreamServer((request, response) => {
    request.resume();
    request.on("end", () => response.end(`answer to ${request.url}`));
  });
  door = recordingDoor();
  fixture = await proxyFixture(door, {});
  host = `127.0.0.1:${upstream.port}`;
});

afterAll(async () => {
  await fixture.close();
  await upstream.close();
  door.remove();
});

const get = (target: string, headers: string, version = "1.1"): string =>
  `GET ${target} HTTP/${version}\r\n${headers}Connection: close\r\n\r\n`;

test("P4: what is well formed comes through, and the door sees it without what the step may not send", async () => {
  const answer = await send(
    fixture.port,
    get(
      `http://${host}/@a%2fb/-/c.tgz?x=1`,
      `Host: ${host}\r\nAuthorization: Bearer secret\r\nCookie: a=b\r\nProxy-Authorization: Basic c2VjcmV0\r\nX-Hop: 1\r\nAccept: a\r\nAccept: b\r\nTE: trailers\r\nRange: bytes=0-3\r\n`,
    ).replace("Connection: close", "Connection: close, X-Hop"),
  );
  expect(statusOf(answer)).toBe(206);
  expect(answer.endsWith("\r\n\r\nansw")).toBe(true);
  const seen = door.requests.at(-1);
  expect(seen?.url.href).toBe(`http://${host}/@a%2fb/-/c.tgz?x=1`);
  expect(seen?.headers).toEqual({ accept: "a, b" });
  expect(fixture.proxy.counts().droppedCredentials).toBeGreaterThan(0);
});

const refusals = (code: string): number => fixture.proxy.counts().refused[code] ?? 0;
const plain = () => `http://${host}/`;
const ok = () => `Host: ${host}\r\n`;

/** Name, bytes and code of each hostile request on a plain connection. */
const hostile: readonly (readonly [string, () => string, string])[] = [
  ["origin-form without a tunnel", () => get("/x", ok()), "PROXY_TARGET_MALFORMED"],
  ["asterisk-form", () => `OPTIONS * HTTP/1.1\r\n${ok()}\r\n`, "PROXY_METHOD_REFUSED"],
  ["user information", () => get(`http://user:pass@${host}/`, ok()), "PROXY_TARGET_USER"],
  [
    "user information that looks like a host",
    () => get("http://trusted.example@evil.example/", "Host: evil.example\r\n"),
    "PROXY_TARGET_USER",
  ],
  ["https without a tunnel", () => get(`https://${host}/`, ok()), "PROXY_TARGET_SCHEME"],
  ["another scheme", () => get("file:///etc/passwd", ok()), "PROXY_TARGET_SCHEME"],
  ["an FTP address", () => get("ftp://h.example/", "Host: h.example\r\n"), "PROXY_TARGET_SCHEME"],
  ["dot segments", () => get(`http://${host}/a/../b`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  ["encoded dot segments", () => get(`http://${host}/a/%2e%2E/b`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  ["a single dot segment", () => get(`http://${host}/a/./b`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  ["a backslash", () => get(`http://${host}/a\\b`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  [
    "a backslash in the host",
    () => get("http://evil.example\\@trusted.example/", "Host: trusted.example\r\n"),
    "PROXY_TARGET_AMBIGUOUS",
  ],
  ["a fragment", () => get(`http://${host}/a#b`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  ["an encoded NUL", () => get(`http://${host}/a%00b`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  ["an encoded line end", () => get(`http://${host}/a%0d%0ab`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  ["a percent sign alone", () => get(`http://${host}/a%zz`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  ["a NUL in the target", () => get(`http://${host}/a\0b`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  ["bytes beyond ASCII in the target", () => get(`http://${host}/\u00e9`, ok()), "PROXY_TARGET_AMBIGUOUS"],
  ["a very long target", () => get(`http://${host}/${"a".repeat(20_000)}`, ok()), "PROXY_TARGET_MALFORMED"],
  ["an octal address", () => get("http://0177.0.0.1/", "Host: 0177.0.0.1\r\n"), "PROXY_HOST_MALFORMED"],
  ["a decimal address", () => get("http://2130706433/", "Host: 2130706433\r\n"), "PROXY_HOST_MALFORMED"],
  ["a hexadecimal address", () => get("http://0x7f000001/", "Host: 0x7f000001\r\n"), "PROXY_HOST_MALFORMED"],
  ["a short address", () => get("http://127.1/", "Host: 127.1\r\n"), "PROXY_HOST_MALFORMED"],
  ["a zone identifier", () => get("http://[fe80::1%25eth0]/", "Host: [fe80::1%25eth0]\r\n"), "PROXY_HOST_MALFORMED"],
  ["a percent-encoded host", () => get("http://%65vil.example/", "Host: evil.example\r\n"), "PROXY_HOST_MALFORMED"],
  ["a host that ends in a dot", () => get("http://h.example./", "Host: h.example.\r\n"), "PROXY_HOST_MALFORMED"],
  ["an empty host", () => get("http:///a", "Host: \r\n"), "PROXY_HOST_MALFORMED"],
  ["port zero", () => get("http://h.example:0/", "Host: h.example:0\r\n"), "PROXY_HOST_MALFORMED"],
  ["a port beyond 65535", () => get("http://h.example:65536/", "Host: h.example:65536\r\n"), "PROXY_HOST_MALFORMED"],
  [
    "a port with zeros before it",
    () => get("http://h.example:0080/", "Host: h.example:0080\r\n"),
    "PROXY_HOST_MALFORMED",
  ],
  ["no Host", () => get(plain(), ""), "PROXY_HOST_MISMATCH"],
  ["two Hosts", () => get(plain(), `${ok()}${ok()}`), "PROXY_HOST_MISMATCH"],
  ["two different Hosts", () => get(plain(), `${ok()}Host: evil.example\r\n`), "PROXY_HOST_MISMATCH"],
  ["Host of another", () => get(plain(), "Host: evil.example\r\n"), "PROXY_HOST_MISMATCH"],
  ["Host with another port", () => get(plain(), "Host: 127.0.0.1:1\r\n"), "PROXY_HOST_MISMATCH"],
  [
    "Content-Length and Transfer-Encoding",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "Transfer-Encoding and Content-Length",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "two Content-Lengths",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "two equal Content-Lengths",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "a list as Content-Length",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Content-Length: 4, 4\r\n\r\nabcd`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "a signed Content-Length",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Content-Length: +4\r\n\r\nabcd`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "a hexadecimal Content-Length",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Content-Length: 0x4\r\n\r\nabcd`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "another transfer coding",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "chunked not last",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "a disguised transfer coding",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "two Transfer-Encodings",
    () =>
      `POST ${plain()} HTTP/1.1\r\n${ok()}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "chunked in HTTP/1.0",
    () => `POST ${plain()} HTTP/1.0\r\n${ok()}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    "PROXY_FRAMING_AMBIGUOUS",
  ],
  [
    "a space before the colon",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    "PROXY_HEADER_MALFORMED",
  ],
  ["a folded header", () => get(plain(), `${ok()}X-A: 1\r\n 2\r\n`), "PROXY_HEADER_MALFORMED"],
  ["a folded first header", () => `GET ${plain()} HTTP/1.1\r\n X: 1\r\n${ok()}\r\n`, "PROXY_HEADER_MALFORMED"],
  ["a NUL in a value", () => get(plain(), `${ok()}X-A: a\0b\r\n`), "PROXY_HEADER_MALFORMED"],
  ["a bare carriage return", () => get(plain(), `${ok()}X-A: a\rX-B: b\r\n`), "PROXY_HEADER_MALFORMED"],
  [
    "two content types",
    () => get(plain(), `${ok()}Content-Type: a/b\r\nContent-Type: c/d\r\n`),
    "PROXY_HEADER_MALFORMED",
  ],
  ["headers beyond 64 KiB", () => get(plain(), `${ok()}X-A: ${"a".repeat(70_000)}\r\n`), "PROXY_HEADERS_TOO_LARGE"],
  [
    "many small headers beyond 64 KiB",
    () => get(plain(), ok() + `X-A: ${"a".repeat(1000)}\r\n`.repeat(80)),
    "PROXY_HEADERS_TOO_LARGE",
  ],
  ["more than 200 headers", () => get(plain(), ok() + "X-A: 1\r\n".repeat(250)), "PROXY_HEADERS_TOO_LARGE"],
  ["GET with a body", () => `GET ${plain()} HTTP/1.1\r\n${ok()}Content-Length: 4\r\n\r\nGET `, "PROXY_BODY_UNEXPECTED"],
  [
    "HEAD with a chunked body",
    () => `HEAD ${plain()} HTTP/1.1\r\n${ok()}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    "PROXY_BODY_UNEXPECTED",
  ],
  ["TRACE", () => `TRACE ${plain()} HTTP/1.1\r\n${ok()}\r\n`, "PROXY_METHOD_REFUSED"],
  ["PUT", () => `PUT ${plain()} HTTP/1.1\r\n${ok()}Content-Length: 0\r\n\r\n`, "PROXY_METHOD_REFUSED"],
  ["DELETE", () => `DELETE ${plain()} HTTP/1.1\r\n${ok()}\r\n`, "PROXY_METHOD_REFUSED"],
  ["an invented method", () => `GETT ${plain()} HTTP/1.1\r\n${ok()}\r\n`, "PROXY_REQUEST_MALFORMED"],
  [
    "WebSocket",
    () => get(plain(), `${ok()}Upgrade: websocket\r\n`).replace("Connection: close", "Connection: Upgrade"),
    "PROXY_UPGRADE_REFUSED",
  ],
  ["another expectation", () => get(plain(), `${ok()}Expect: 200-ok\r\n`), "PROXY_EXPECTATION_UNKNOWN"],
  [
    "a POST announced as 9 MiB",
    () => `POST ${plain()} HTTP/1.1\r\n${ok()}Content-Length: ${9 * 1024 * 1024}\r\nExpect: 100-continue\r\n\r\n`,
    "PROXY_BODY_TOO_LARGE",
  ],
  ["HTTP/0.9", () => "GET /\r\n\r\n", "PROXY_REQUEST_MALFORMED"],
  ["HTTP/2 in the clear", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PROXY_REQUEST_MALFORMED"],
  ["TLS without a tunnel", () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "PROXY_REQUEST_MALFORMED"],
  ["CONNECT without a port", () => "CONNECT h.example HTTP/1.1\r\nHost: h.example\r\n\r\n", "PROXY_HOST_MALFORMED"],
  ["CONNECT with a user", () => "CONNECT a@h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n\r\n", "PROXY_TARGET_USER"],
  [
    "CONNECT with an address as target",
    () => "CONNECT https://h.example/ HTTP/1.1\r\nHost: h.example\r\n\r\n",
    "PROXY_HOST_MALFORMED",
  ],
  [
    "CONNECT with another Host",
    () => "CONNECT h.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n",
    "PROXY_HOST_MISMATCH",
  ],
  [
    "CONNECT with a body",
    () => "CONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\nContent-Length: 5\r\n\r\nabcde",
    "PROXY_FRAMING_AMBIGUOUS",
  ],
];

describe("plain connections", () => {
  test.each(hostile)("P4: %s is refused", async (_name, bytes, code) => {
    const before = door.requests.length;
    const answer = await send(fixture.port, Buffer.from(bytes(), "latin1"));
    expect([codeOf(answer), /\r\n\r\n(?:touchmark: ([A-Z0-9_]+):|$)/.exec(answer)?.[1] ?? code]).toEqual([code, code]);
    expect([400, 403]).toContain(statusOf(answer));
    expect(door.requests.length).toBe(before);
    expect(fixture.proxy.counts().refused[code]).toBeGreaterThan(0);
  });

  test("P4: a request hidden in the body of another is never read as a request", async () => {
    const hidden = `GET http://${host}/hidden HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    for (const framing of [
      `Content-Length: ${hidden.length}\r\nTransfer-Encoding: chunked\r\n`,
      "Transfer-Encoding: chunked\r\nTransfer-encoding: identity\r\n",
      "Transfer-Encoding:\x0bchunked\r\n",
      "Content-Length: 0\r\nContent-Length: 50\r\n",
    ]) {
      const answer = await send(fixture.port, `POST ${plain()} HTTP/1.1\r\n${ok()}${framing}\r\n0\r\n\r\n${hidden}`);
      expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
    }
    // With a clear length the same bytes are a body.
    await send(
      fixture.port,
      `POST ${plain()} HTTP/1.1\r\n${ok()}Content-Length: ${hidden.length}\r\nConnection: close\r\n\r\n${hidden}`,
    );
    expect(door.requests.filter((each) => each.url.pathname === "/hidden")).toEqual([]);
  });

  test("P4: a chunked POST beyond 8 MiB is refused while it arrives", async () => {
    // One byte more than the bound and no other: who still writes when the connection ends may lose the answer to a reset.
    const chunk = `100000\r\n${"a".repeat(0x100000)}\r\n`;
    const answer = await send(
      fixture.port,
      `POST ${plain()} HTTP/1.1\r\n${ok()}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(8)}1\r\na\r\n`,
    );
    expect(codeOf(answer)).toBe("PROXY_BODY_TOO_LARGE");
  });

  test("P3: requests sent ahead beyond the bound end the connection", async () => {
    const answer = await send(fixture.port, `GET ${plain()} HTTP/1.1\r\n${ok()}\r\n`.repeat(200));
    expect((answer.match(/HTTP\/1\.1 200/g) ?? []).length).toBeLessThanOrEqual(16);
    expect(refusals("PROXY_PIPELINE_LIMIT")).toBeGreaterThan(0);
  });

  test("P3: ten requests sent ahead, as apt does, are answered in order", async () => {
    const requests = Array.from({ length: 10 }, (_, at) => `GET http://${host}/${at} HTTP/1.1\r\n${ok()}\r\n`).join("");
    const answer = await send(fixture.port, requests, 1_000);
    expect([...answer.matchAll(/answer to \/(\d)/g)].map((each) => each[1]).join("")).toBe("0123456789");
  });

  test("P3: headers that drip in are refused in time", async () => {
    const tally = new ProxyTally(undefined);
    const transport = openTransport({});
    const service = new RequestService(door, transport, tally);
    const connections = new ProxyConnections(createStepAuthority(systemClock), service, tally, {
      headersMs: 300,
      checkMs: 100,
    });
    await new Promise<void>((resolve) => connections.server.listen(0, "127.0.0.1", resolve));
    const { port } = connections.server.address() as { port: number };
    const answer = await send(port, `GET ${plain()} HTTP/1.1\r\nX-A: `, 5_000);
    expect(codeOf(answer)).toBe("PROXY_CLIENT_SLOW");
    connections.server.close();
    connections.destroy();
    transport.close();
  });
});

describe("inside a tunnel", () => {
  const through = async (bytes: string, options = {}): Promise<string> =>
    exchange(await tunnel(fixture.port, "h.example:443", options), bytes);

  test.each([
    ["an absolute address", "GET http://h.example/ HTTP/1.1\r\nHost: h.example\r\n\r\n", "PROXY_TARGET_MALFORMED"],
    ["another Host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "PROXY_HOST_MISMATCH"],
    ["another port in Host", "GET / HTTP/1.1\r\nHost: h.example:444\r\n\r\n", "PROXY_HOST_MISMATCH"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "PROXY_HOST_MISMATCH"],
    [
      "a tunnel in a tunnel",
      "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
      "PROXY_TUNNEL_NESTED",
    ],
    [
      "WebSocket",
      "GET / HTTP/1.1\r\nHost: h.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      "PROXY_UPGRADE_REFUSED",
    ],
    [
      "smuggling",
      "POST / HTTP/1.1\r\nHost: h.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "PROXY_FRAMING_AMBIGUOUS",
    ],
    ["dot segments", "GET /a/../../b HTTP/1.1\r\nHost: h.example\r\n\r\n", "PROXY_TARGET_AMBIGUOUS"],
  ])("P5: %s is refused", async (_name, bytes, code) => {
    const before = door.requests.length;
    expect(codeOf(await through(bytes))).toBe(code);
    expect(door.requests.length).toBe(before);
  });

  test("P5: a handshake for another name, or for none, gets nothing", async () => {
    const bytes = "GET / HTTP/1.1\r\nHost: h.example\r\n\r\n";
    expect(codeOf(await through(bytes, { servername: "evil.example" }))).toBe("PROXY_SNI_MISMATCH");
    expect(codeOf(await through(bytes, { servername: "" }))).toBe("PROXY_SNI_MISMATCH");
  });

  test("P5: what is no TLS is refused in the clear", async () => {
    const answer = await send(
      fixture.port,
      "CONNECT h.example:80 HTTP/1.1\r\nHost: h.example:80\r\n\r\nGET / HTTP/1.1\r\nHost: h.example\r\n\r\n",
    );
    expect(codeOf(answer)).toBe("PROXY_TUNNEL_NOT_TLS");
    const socket = connect(fixture.port, "127.0.0.1");
    const broken = await exchange(
      socket,
      Buffer.from(
        "CONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n\r\n\x16\x03\x01\x00\x02\xff\xff",
        "latin1",
      ),
    );
    expect(broken).not.toContain("touchmark");
  });

  test("P5: CONNECT behind unanswered requests is refused", async () => {
    const answer = await send(
      fixture.port,
      `GET ${plain()} HTTP/1.1\r\n${ok()}\r\nCONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n\r\n`,
    );
    expect(answer).not.toContain("Connection Established");
  });
});
