import { createHash, randomBytes } from "node:crypto";
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { UpstreamPassage } from "../door.ts";
import { proxyErrors } from "./errors.ts";
import { type ProxyFixture, proxyFixture, type RecordingDoor, recordingDoor } from "./fixture.ts";
import { HELD_BACK_BYTES, SETTLED_FIRST_BYTES } from "./reply.ts";

const large = randomBytes(SETTLED_FIRST_BYTES + 3 * 1024 * 1024);
let upstream: Server;
let url: string;
let change: (passage: UpstreamPassage) => UpstreamPassage | Promise<UpstreamPassage>;
let door: RecordingDoor;
let fixture: ProxyFixture;
let upstreamRequests = 0;
/** Called after the beginning of a large body was sent; the rest waits for it. */
let gate: Promise<void> = Promise.resolve();

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  upstreamRequests++;
  const chunked = request.url?.includes("chunked") === true;
  if (request.url?.startsWith("/large") === true) {
    response.setHeader("etag", '"large"');
    if (!chunked) response.setHeader("content-length", large.length);
    response.write(large.subarray(0, SETTLED_FIRST_BYTES + 1024 * 1024));
    await gate;
    response.end(large.subarray(SETTLED_FIRST_BYTES + 1024 * 1024));
  } else if (request.url === "/missing") {
    response.writeHead(404, { "content-type": "text/plain" }).end("no such thing");
  } else if (request.url === "/same") {
    response.writeHead(304, { etag: '"x"' }).end();
  } else {
    await gate;
    response.setHeader("etag", '"small"');
    response.setHeader("set-cookie", "a=b");
    response.setHeader("content-type", "text/plain");
    response.setHeader("content-length", 10);
    response.end("0123456789");
  }
}

beforeAll(async () => {
  upstream = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  door = recordingDoor((passage) => change(passage));
  fixture = await proxyFixture(door, {});
});

beforeEach(() => {
  change = (passage) => passage;
  gate = Promise.resolve();
  upstreamRequests = 0;
});

afterAll(async () => {
  await fixture.close();
  upstream.close();
  upstream.closeAllConnections();
  door.remove();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  readonly complete: boolean;
}

/** Asks through the proxy; `onData` hears how much has come. */
function ask(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
  onData: (size: number) => void = () => {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port: fixture.port,
      path: url + path,
      method,
      headers: { host: new URL(url).host, ...headers },
      agent: false,
    };
    const request = get(options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        onData(size);
      });
      response.on("error", () => {});
      response.on("close", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
          complete: response.complete,
        }),
      );
    });
    request.on("error", reject);
  });
}

const refuse = () => proxyErrors.make("PROXY_TARGET_SCHEME", "expected another body");

test("P6: a small answer comes with what a client may have of its headers", async () => {
  const { status, headers, body } = await ask("/small");
  expect([status, body.toString(), headers.etag, headers["set-cookie"], headers["content-length"]]).toEqual([
    200,
    "0123456789",
    '"small"',
    undefined,
    "10",
  ]);
  expect((await ask("/missing")).status).toBe(404);
  expect((await ask("/same", { "if-none-match": '"x"' })).status).toBe(304);
});

test("P6: a small answer that the door does not settle is a clean refusal, and nothing of it is sent", async () => {
  change = (passage) => ({ ...passage, settle: () => Promise.reject(refuse()) });
  const { status, headers, body, complete } = await ask("/small");
  expect([status, headers["x-touchmark-code"], complete]).toEqual([403, "PROXY_TARGET_SCHEME", true]);
  expect(body.toString()).toBe("touchmark: PROXY_TARGET_SCHEME: expected another body\n");
});

test.each(["/large", "/large?chunked"])(
  "P6: %s begins before it is complete, and its end waits for the door",
  async (path) => {
    let settle: (() => void) | undefined;
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    change = (passage) => ({
      ...passage,
      settle: async (arrived) => {
        await settled;
        return passage.settle(arrived);
      },
    });
    let size = 0;
    const answer = ask(path, {}, "GET", (now) => {
      size = now;
    });
    await expect.poll(() => size, { timeout: 10_000 }).toBe(large.length - HELD_BACK_BYTES);
    expect(fixture.proxy.counts().bodies).toBe(1);
    settle?.();
    const { body, complete } = await answer;
    expect([complete, body.equals(large)]).toEqual([true, true]);
  },
);

test.each(["/large", "/large?chunked"])(
  "P6: a refusal of %s after its beginning was sent cuts the connection",
  async (path) => {
    change = (passage) => ({ ...passage, settle: () => Promise.reject(refuse()) });
    const { status, body, complete } = await ask(path);
    expect([status, complete]).toEqual([200, false]);
    expect(body.length).toBeLessThanOrEqual(large.length - HELD_BACK_BYTES);
  },
);

test("P6: a large answer to a POST begins before it is complete, too", async () => {
  let size = 0;
  let seen = 0;
  change = (passage) => ({
    ...passage,
    settle: async (arrived) => {
      await expect.poll(() => size, { timeout: 10_000 }).toBe(large.length - HELD_BACK_BYTES);
      seen = size;
      return passage.settle(arrived);
    },
  });
  const { body } = await ask("/large", { "content-length": "0" }, "POST", (now) => {
    size = now;
  });
  expect([body.equals(large), seen]).toEqual([true, large.length - HELD_BACK_BYTES]);
});

test("P6: a door that settles another body than the one whose beginning was sent cuts the connection", async () => {
  change = (passage) => ({
    ...passage,
    settle: async (arrived) => {
      const stored = await passage.settle(arrived);
      return { ...stored, body: { ...stored.body, digest: `sha256:${"0".repeat(64)}` } };
    },
  });
  expect((await ask("/large")).complete).toBe(false);
  expect(Object.entries(fixture.proxy.counts().refused)).toContainEqual(["PROXY_ANSWER_UNREADABLE", 1]);
});

test("P7: a single range is answered from the complete body, with If-Range and without", async () => {
  for (const [range, ifRange, status, text, contentRange] of [
    ["bytes=2-4", undefined, 206, "234", "bytes 2-4/10"],
    ["bytes=7-", undefined, 206, "789", "bytes 7-9/10"],
    ["bytes=-2", undefined, 206, "89", "bytes 8-9/10"],
    ["bytes=5-99", undefined, 206, "56789", "bytes 5-9/10"],
    ["bytes=0-0", '"small"', 206, "0", "bytes 0-0/10"],
    ["bytes=0-0", '"other"', 200, "0123456789", undefined],
    ["bytes=0-0", 'W/"small"', 200, "0123456789", undefined],
    ["bytes=0-1,4-5", undefined, 200, "0123456789", undefined],
    ["bytes=4-2", undefined, 200, "0123456789", undefined],
    ["lines=1-2", undefined, 200, "0123456789", undefined],
  ] as const) {
    const answer = await ask("/small", { range, ...(ifRange === undefined ? {} : { "if-range": ifRange }) });
    expect([answer.status, answer.body.toString(), answer.headers["content-range"]]).toEqual([
      status,
      text,
      contentRange,
    ]);
  }
  const outside = await ask("/small", { range: "bytes=10-" });
  expect([outside.status, outside.headers["x-touchmark-code"]]).toEqual([416, "PROXY_RANGE_UNSATISFIABLE"]);
  const middle = await ask("/large", { range: `bytes=${large.length - 5}-` });
  expect([middle.status, middle.body.equals(large.subarray(-5))]).toEqual([206, true]);
  // Upstream was asked for the whole each time: what is hashed is always the whole.
  expect(door.recorded.every((each) => each.arrived.status !== 206)).toBe(true);
});

test("P7: HEAD is answered without a body, with the length", async () => {
  const { status, headers, body } = await ask("/small", {}, "HEAD");
  expect([status, headers["content-length"], body.length]).toEqual([200, "10", 0]);
});

test("P15: a door that fails is a bug, shown loudly, and lets nothing in", async () => {
  change = () => {
    throw new TypeError("undefined is no function");
  };
  const opened = await ask("/small");
  expect([opened.status, opened.headers["x-touchmark-code"]]).toEqual([500, "PROXY_DOOR_FAILED"]);
  change = (passage) => ({ ...passage, settle: () => Promise.reject(new TypeError("broken")) });
  const settled = await ask("/small");
  expect([settled.status, settled.headers["x-touchmark-code"]]).toEqual([500, "PROXY_DOOR_FAILED"]);
  expect(fixture.events.filter((each) => each.kind === "bug").length).toBeGreaterThanOrEqual(2);
});

test("P15: a refusal has the status of its nature: 403, 503, and 400 or 502 by whose fault it is", async () => {
  const status = async (code: Parameters<typeof proxyErrors.make>[0], at: "open" | "settle"): Promise<number> => {
    const error = proxyErrors.make(code, "expected better");
    change = (passage) => {
      if (at === "open") throw error;
      return { ...passage, settle: () => Promise.reject(error) };
    };
    return (await ask("/small")).status;
  };
  expect(await status("PROXY_TARGET_MALFORMED", "open")).toBe(400);
  expect(await status("PROXY_TARGET_MALFORMED", "settle")).toBe(502);
  expect(await status("PROXY_TARGET_USER", "open")).toBe(403);
  expect(await status("PROXY_BUSY", "settle")).toBe(503);
});

test("P16: two requests for the same at once are one download, later ones and other variants are not", async () => {
  let release: (() => void) | undefined;
  gate = new Promise((resolve) => {
    release = resolve;
  });
  const before = door.requests.length;
  const all = [ask("/small"), ask("/small", { "user-agent": "another" }), ask("/small", { accept: "text/html" })];
  await expect.poll(() => upstreamRequests).toBe(2);
  release?.();
  expect((await Promise.all(all)).map((each) => each.body.toString())).toEqual(Array(3).fill("0123456789"));
  expect(door.requests.length).toBe(before + 2);
  await ask("/small");
  expect(upstreamRequests).toBe(3);
});

test("P16: a download whose last client goes away is abandoned, and one that still has a client is not", async () => {
  let release: (() => void) | undefined;
  gate = new Promise((resolve) => {
    release = resolve;
  });
  const leave = (path: string): { readonly leave: () => void } => {
    const request = get({
      host: "127.0.0.1",
      port: fixture.port,
      path: url + path,
      headers: { host: new URL(url).host },
      agent: false,
    });
    request.on("error", () => {});
    return { leave: () => request.destroy() };
  };
  const abandoned = door.abandoned();
  const gone = leave("/large");
  await expect.poll(() => fixture.proxy.counts().bodies).toBe(1);
  gone.leave();
  await expect.poll(() => door.abandoned()).toBe(abandoned + 1);
  expect(fixture.proxy.counts().bodies).toBe(0);
  const first = leave("/small");
  const second = ask("/small");
  await expect.poll(() => upstreamRequests).toBe(2);
  first.leave();
  release?.();
  expect((await second).body.toString()).toBe("0123456789");
});

test("P16: what is hashed is what came, and counts say how much", async () => {
  const before = fixture.proxy.counts();
  await ask("/large");
  const { arrived } = door.recorded.at(-1) ?? {};
  expect(arrived?.hashes).toEqual({
    sha256: createHash("sha256").update(large).digest("hex"),
    sha512: createHash("sha512").update(large).digest("hex"),
  });
  const after = fixture.proxy.counts();
  expect([after.bytesIn - before.bytesIn, after.bytesOut - before.bytesOut]).toEqual([large.length, large.length]);
});
