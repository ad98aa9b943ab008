import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { proxyErrors } from "@touchmark/materials";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ProxyFixture,
  proxyFixture,
  type RecordingDoor,
  recordingDoor,
} from "../../packages/materials/src/proxy/fixture.ts";
import { send, upstreamServer } from "./proxy-scene.ts";

/* A build that wants to bring its proxy down: memory, connections, streams. The proxy serves the next one as before. */

const GIB = 1024 ** 3;
const piece = Buffer.alloc(1024 * 1024, "touchmark");
let upstream: Awaited<ReturnType<typeof upstreamServer>>;
let door: RecordingDoor;
let fixture: ProxyFixture;

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url !== "/gibibyte") {
    response.end("fine");
    return;
  }
  response.setHeader("content-length", GIB);
  for (let at = 0; at < GIB / piece.length && !response.destroyed; at++) {
    if (!response.write(piece)) await new Promise((resolve) => drained(response, resolve as () => void));
  }
  response.end();
}

beforeAll(async () => {
  upstream = await upstreamServer((request, response) => void serve(request, response));
  door = recordingDoor();
  fixture = await proxyFixture(door, {});
});

afterAll(async () => {
  await fixture.close();
  await upstream.close();
  door.remove();
});

/** Calls once, when more may be written or nobody reads any more. */
function drained(response: ServerResponse, then: () => void): void {
  const once = (): void => {
    response.off("drain", once).off("close", once);
    then();
  };
  response.on("drain", once).on("close", once);
}

const request = (path: string): string =>
  `GET ${upstream.url}${path} HTTP/1.1\r\nHost: 127.0.0.1:${upstream.port}\r\nConnection: close\r\n\r\n`;
const refusals = (code: string): number => fixture.proxy.counts().refused[code] ?? 0;
const servesOn = async (): Promise<void> => expect(await send(fixture.port, request("/"))).toContain("fine");
const memory = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().rss;
};

test("P6: a body of one gibibyte goes through in flat memory, whole and hashed", async () => {
  const before = memory();
  let most = 0;
  const hash = createHash("sha256");
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    const socket = connect(fixture.port, "127.0.0.1");
    let headed = false;
    socket.on("data", (chunk: Buffer) => {
      const body = headed ? chunk : chunk.subarray(chunk.indexOf("\r\n\r\n") + 4);
      headed = true;
      hash.update(body);
      size += body.length;
      if (size % 64 < 2) most = Math.max(most, process.memoryUsage().rss);
    });
    socket.on("close", () => resolve()).on("error", reject);
    socket.write(request("/gibibyte"));
  });
  expect(size).toBe(GIB);
  expect(hash.digest("hex")).toBe(door.recorded.at(-1)?.arrived.hashes.sha256);
  expect(most - before).toBeLessThan(256 * 1024 * 1024);
}, 180_000);

test("P6: a client that stops reading stops its own answer alone", async () => {
  const before = memory();
  const socket = connect(fixture.port, "127.0.0.1");
  socket.pause();
  socket.write(request("/gibibyte"));
  await expect.poll(() => fixture.proxy.counts().bodies).toBe(1);
  await pause(500);
  await servesOn();
  expect(memory() - before).toBeLessThan(256 * 1024 * 1024);
  socket.destroy();
  await expect.poll(() => fixture.proxy.counts().bodies, { timeout: 10_000 }).toBe(0);
}, 60_000);

test("P3: a thousand connections that say nothing, or random bytes, are bounded", async () => {
  const before = memory();
  const sockets: Socket[] = [];
  for (let at = 0; at < 1000; at++) {
    const socket = connect(fixture.port, "127.0.0.1");
    socket.on("error", () => {});
    if (at % 3 === 0) socket.write(Buffer.from(Array.from({ length: 64 }, (_, each) => (each * at * 7 + 13) & 255)));
    sockets.push(socket);
  }
  await expect.poll(() => refusals("PROXY_BUSY"), { timeout: 20_000 }).toBeGreaterThan(0);
  expect(fixture.proxy.counts().connections).toBeLessThanOrEqual(512);
  for (const each of sockets) each.destroy();
  await expect.poll(() => fixture.proxy.counts().connections, { timeout: 20_000 }).toBe(0);
  await servesOn();
  expect(memory() - before).toBeLessThan(256 * 1024 * 1024);
}, 60_000);

test("P3: bodies of many POSTs at once share one bound", async () => {
  const sockets = Array.from({ length: 12 }, () => {
    const socket = connect(fixture.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      `POST ${upstream.url}/ HTTP/1.1\r\nHost: 127.0.0.1:${upstream.port}\r\nContent-Length: 8388608\r\n\r\n`,
    );
    // One byte short: each waits for the rest.
    socket.write(Buffer.alloc(8_388_607));
    return socket;
  });
  const busy = refusals("PROXY_BUSY");
  await expect.poll(() => refusals("PROXY_BUSY"), { timeout: 20_000 }).toBeGreaterThan(busy);
  for (const each of sockets) each.destroy();
  await servesOn();
}, 60_000);

/** An HTTP/2 session through a tunnel. */
async function session(): Promise<ClientHttp2Session> {
  const socket = connect(fixture.port, "127.0.0.1");
  socket.write("CONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n\r\n");
  await new Promise((resolve) => socket.once("data", resolve));
  const made = connectHttp2("https://h.example", {
    createConnection: () =>
      connectTls({ socket, servername: "h.example", rejectUnauthorized: false, ALPNProtocols: ["h2"] }),
    maxSessionMemory: 100,
  });
  made.on("error", () => {});
  await new Promise((resolve) => made.once("connect", resolve));
  return made;
}

test("P3: more streams than agreed, header lists too long and pings without end are bounded", async () => {
  const attacker = await session();
  const streams = Array.from({ length: 300 }, (_, at) => {
    const stream = attacker.request({ ":method": "POST", ":path": `/${at}` }, { endStream: false });
    stream.on("error", () => {});
    return stream;
  });
  await pause(200);
  expect(attacker.remoteSettings?.maxConcurrentStreams ?? 0).toBe(100);
  for (const each of streams) each.destroy();
  attacker.destroy();
  const long = await session();
  const code = await new Promise<string>((resolve) => {
    const stream = long.request({ ":path": "/", "x-a": "a".repeat(60_000), "x-b": "b".repeat(60_000) });
    stream
      .on("error", () => resolve("error"))
      .on("response", (headers) => resolve(String(headers["x-touchmark-code"])));
    stream.on("close", () => resolve("closed"));
  });
  expect(["error", "closed", "PROXY_HEADERS_TOO_LARGE"]).toContain(code);
  long.destroy();
  await servesOn();
}, 60_000);

test("P5: HTTP/2 requests of another host, scheme, method or protocol are refused", async () => {
  const asked = door.requests.length;
  for (const [headers, code] of [
    [{ ":path": "/", ":authority": "evil.example" }, "PROXY_HOST_MISMATCH"],
    [{ ":path": "/", host: "evil.example" }, "PROXY_HOST_MISMATCH"],
    [{ ":path": "/", ":scheme": "http" }, "PROXY_TARGET_SCHEME"],
    [{ ":path": "/a/../b" }, "PROXY_TARGET_AMBIGUOUS"],
    [{ ":path": "//evil.example\\a" }, "PROXY_TARGET_AMBIGUOUS"],
    [{ ":path": "/", ":method": "DELETE" }, "PROXY_METHOD_REFUSED"],
    [{ ":path": "/", ":method": "TRACE" }, "PROXY_METHOD_REFUSED"],
    [{ ":method": "CONNECT", ":authority": "h.example:443" }, "PROXY_TUNNEL_NESTED"],
  ] as const) {
    const attacker = await session();
    const found = await new Promise((resolve) => {
      const stream = attacker.request(headers);
      stream.on("response", (answer) => resolve(answer["x-touchmark-code"])).on("error", resolve);
      stream.end();
    });
    expect([JSON.stringify(headers), found]).toEqual([JSON.stringify(headers), code]);
    attacker.destroy();
  }
  expect(door.requests.length).toBe(asked);
});

/** Frames of HTTP/2 by hand, for what no library sends. */
async function frames(bytes: readonly Buffer[]): Promise<boolean> {
  const socket = connect(fixture.port, "127.0.0.1");
  socket.write("CONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n\r\n");
  await new Promise((resolve) => socket.once("data", resolve));
  const secure = connectTls({ socket, servername: "h.example", rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  await new Promise((resolve) => secure.once("secureConnect", resolve));
  secure.on("error", () => {});
  secure.resume();
  const ended = new Promise<boolean>((resolve) => {
    secure.once("close", () => resolve(true));
    setTimeout(() => resolve(false), 5_000).unref();
  });
  secure.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  for (const each of bytes) secure.write(each);
  const result = await ended;
  secure.destroy();
  return result;
}

const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
};

test("P3: continuations without end, empty settings without end, and frames of nonsense end the session", async () => {
  const settings = frame(4, 0, 0, Buffer.alloc(0));
  const field = Buffer.from("4003782d6102", "hex");
  const first = frame(1, 0, 1, Buffer.concat([field, Buffer.from("zz")]));
  const more = Array.from({ length: 2000 }, () => frame(9, 0, 1, Buffer.concat([field, Buffer.from("zz")])));
  expect(await frames([settings, first, ...more])).toBe(true);
  expect(await frames([settings, ...Array.from({ length: 20_000 }, () => settings)])).toBe(true);
  expect(await frames([settings, frame(0, 0, 0, Buffer.alloc(10)), frame(1, 5, 2, Buffer.from("ffff", "hex"))])).toBe(
    true,
  );
  expect(refusals("PROXY_HTTP2_ABUSE")).toBeGreaterThan(0);
  await servesOn();
}, 60_000);

test("P3: rapid resets end the session", async () => {
  const asked = door.requests.length;
  // :method GET, :scheme https, :path /, :authority h.example
  const fields = Buffer.concat([Buffer.from("8287844109", "hex"), Buffer.from("h.example")]);
  const resets = Array.from({ length: 2000 }, (_, at) =>
    Buffer.concat([frame(1, 5, at * 2 + 1, fields), frame(3, 0, at * 2 + 1, Buffer.from("00000008", "hex"))]),
  );
  expect(await frames([frame(4, 0, 0, Buffer.alloc(0)), ...resets])).toBe(true);
  expect(door.requests.length - asked).toBeLessThan(1000);
  await expect.poll(() => fixture.proxy.counts().bodies).toBe(0);
  await servesOn();
}, 60_000);

test("P8: more requests to one host than connections to it wait for their turn, without being taken for lost", async () => {
  const held: (() => void)[] = [];
  const slow = await upstreamServer((_request, response) => void held.push(() => response.end("fine")));
  const patient = recordingDoor();
  const other = await proxyFixture(patient, { patience: { connectMs: 100, attempts: 1 } });
  const answers = Array.from({ length: 40 }, (_, at) =>
    send(
      other.port,
      `GET ${slow.url}/${at} HTTP/1.1\r\nHost: 127.0.0.1:${slow.port}\r\nConnection: close\r\n\r\n`,
      20_000,
    ),
  );
  await expect.poll(() => held.length).toBe(24);
  await pause(500);
  const timer = setInterval(() => held.shift()?.(), 5);
  for (const answer of await Promise.all(answers)) expect(answer).toContain("fine");
  clearInterval(timer);
  await other.close();
  await slow.close();
  patient.remove();
}, 60_000);

test("P10: refusals under load leave the door's books even", async () => {
  const refusing = recordingDoor(() => {
    throw proxyErrors.make("PROXY_TARGET_USER", "expected nothing");
  });
  const other = await proxyFixture(refusing, {});
  await Promise.all(Array.from({ length: 200 }, () => send(other.port, request("/"))));
  expect(other.proxy.counts().refused.PROXY_TARGET_USER).toBe(200);
  expect(other.proxy.counts().bodies).toBe(0);
  await other.close();
  refusing.remove();
}, 60_000);
