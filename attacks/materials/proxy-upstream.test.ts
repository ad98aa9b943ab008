import { randomBytes } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { proxyErrors, type UpstreamPassage } from "@touchmark/materials";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type ProxyFixture,
  proxyFixture,
  type RecordingDoor,
  recordingDoor,
} from "../../packages/materials/src/proxy/fixture.ts";
import { codeOf, send, statusOf } from "./proxy-scene.ts";

/* What a hostile or broken upstream answers. Each has its code, nothing of it is let in, and quarantine is left empty. */

/** Answers of the upstream to one connection after the other; the last one again and again. */
let answers: ((socket: Socket, request: string) => void)[] = [];
let asked: string[] = [];
let server: Server;
let port: number;
let change: (passage: UpstreamPassage) => UpstreamPassage | Promise<UpstreamPassage>;
let door: RecordingDoor;
let fixture: ProxyFixture;

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on("error", () => {});
    let request = "";
    socket.on("data", (chunk) => {
      request += chunk.toString("latin1");
      if (!request.includes("\r\n\r\n")) return;
      asked.push(request);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      const whole = request;
      request = "";
      answer?.(socket, whole);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
  door = recordingDoor((passage) => change(passage));
  fixture = await proxyFixture(door, {
    patience: {
      connectMs: 2_000,
      headMs: 400,
      idleMs: 400,
      totalMs: 8_000,
      attempts: 3,
      pauseMs: 10,
      longestPauseMs: 1_500,
    },
  });
});

afterEach(() => {
  answers = [];
  asked = [];
});

afterAll(async () => {
  await fixture.close();
  server.close();
  door.remove();
});

const says =
  (text: string | Uint8Array, end = true) =>
  (socket: Socket) => {
    socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
    if (end) socket.end();
  };

const head = (lines: string, status = "200 OK"): string => `HTTP/1.1 ${status}\r\n${lines}\r\n`;

/** Asks the upstream through the proxy. */
function ask(
  given: typeof answers,
  options: {
    readonly change?: typeof change;
    readonly headers?: string;
    readonly method?: string;
    readonly path?: string;
  } = {},
): Promise<string> {
  answers = [...given];
  change = options.change ?? ((passage) => passage);
  const { method = "GET", path = "/x", headers = "" } = options;
  return send(
    fixture.port,
    `${method} http://127.0.0.1:${port}${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}Connection: close\r\n\r\n`,
    9_000,
  );
}

async function refused(
  given: typeof answers,
  code: string,
  status: number,
  options?: Parameters<typeof ask>[1],
): Promise<void> {
  const [recorded, abandoned] = [door.recorded.length, door.abandoned()];
  const answer = await ask(given, options);
  expect([codeOf(answer), statusOf(answer)]).toEqual([code, status]);
  expect(door.recorded.length).toBe(recorded);
  expect(door.abandoned()).toBe(abandoned + 1);
}

const compressed = (coding: string, bytes: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(head(`content-encoding: ${coding}\r\ncontent-length: ${bytes.length}\r\n`), "latin1"),
    bytes,
  ]);

describe("bounds and lies", () => {
  test.each([
    ["no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "PROXY_UPSTREAM_PROTOCOL", 502],
    ["an upgrade", head("connection: upgrade\r\nupgrade: x\r\n", "101 Switching"), "PROXY_UPSTREAM_PROTOCOL", 502],
    [
      "a part that nobody asked for",
      head("content-range: bytes 0-0/9\r\ncontent-length: 1\r\n", "206 Part") + "a",
      "PROXY_UPSTREAM_PROTOCOL",
      502,
    ],
    ["two lengths", head("content-length: 1\r\ncontent-length: 2\r\n") + "ab", "PROXY_UPSTREAM_PROTOCOL", 502],
    [
      "length and chunks",
      head("content-length: 1\r\ntransfer-encoding: chunked\r\n") + "0\r\n\r\n",
      "PROXY_UPSTREAM_PROTOCOL",
      502,
    ],
    ["more than it announced", head("content-length: 2\r\n") + "abcdef", "PROXY_UPSTREAM_LENGTH", 502],
    ["headers beyond 64 KiB", head(`x-a: ${"a".repeat(70_000)}\r\n`), "PROXY_UPSTREAM_HEADERS", 502],
    ["more than 256 headers", head("x-a: 1\r\n".repeat(300) + "content-length: 0\r\n"), "PROXY_UPSTREAM_HEADERS", 502],
    [
      "an unknown coding",
      head("content-encoding: compress\r\ncontent-length: 1\r\n") + "a",
      "PROXY_ENCODING_UNKNOWN",
      502,
    ],
    ["two codings", head("content-encoding: gzip, br\r\ncontent-length: 1\r\n") + "a", "PROXY_ENCODING_UNKNOWN", 502],
    [
      "broken compression",
      head("content-encoding: gzip\r\ncontent-length: 9\r\n") + "not gzip!",
      "PROXY_ENCODING_UNKNOWN",
      502,
    ],
  ] as const)("P12: %s is refused", (_name, bytes, code, status) => refused([says(bytes, true)], code, status));

  test("P12: a second answer that nobody asked for goes nowhere, also not to the next question", async () => {
    const second = says(`${head("content-length: 1\r\n")}a${head("content-length: 1\r\n")}b`, false);
    expect((await ask([second])).endsWith("\r\n\r\na")).toBe(true);
    expect((await ask([says(`${head("content-length: 1\r\n")}c`)])).endsWith("\r\n\r\nc")).toBe(true);
    expect(asked.length).toBe(2);
  });

  test("P12: a body announced or found larger than the door allows is refused", async () => {
    const small = { change: (passage: UpstreamPassage) => ({ ...passage, maxBytes: 10 }) };
    await refused([says(head("content-length: 11\r\n"), false)], "PROXY_ANSWER_TOO_LARGE", 403, small);
    await refused([says(head("") + "a".repeat(11))], "PROXY_ANSWER_TOO_LARGE", 403, small);
    await refused(
      [says(head("transfer-encoding: chunked\r\n") + "b\r\naaaaaaaaaaa\r\n0\r\n\r\n")],
      "PROXY_ANSWER_TOO_LARGE",
      403,
      small,
    );
  });

  test("P12: a body that does not end within the door's bound ends there", async () => {
    const endless = (socket: Socket): void => {
      socket.write(head(""));
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
      };
      socket.on("drain", more);
      more();
    };
    await refused([endless], "PROXY_ANSWER_TOO_LARGE", 403, {
      change: (passage) => ({ ...passage, maxBytes: 4 * 1024 * 1024 }),
    });
  });

  test.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
    ["deflate", deflateSync],
  ] as const)(
    "P13: %s that nobody asked for is undone and recorded, a bomb in it is refused",
    async (coding, compress) => {
      const answer = await ask([says(compressed(coding, compress(Buffer.from("plain text"))))]);
      expect(answer.endsWith("\r\n\r\nplain text")).toBe(true);
      expect(answer.toLowerCase()).not.toContain("content-encoding");
      const { arrived } = door.recorded.at(-1) ?? {};
      expect([arrived?.coding, arrived?.size, arrived?.headers["content-encoding"]]).toEqual([coding, 10, undefined]);
      expect(asked[0]).toContain("accept-encoding: identity");
      const bomb = compress(Buffer.alloc(32 * 1024 * 1024));
      await refused([says(compressed(coding, bomb))], "PROXY_DECOMPRESSION_BOMB", 403, {
        change: (passage) => ({ ...passage, maxBytes: 4 * 1024 * 1024 }),
      });
    },
  );

  test("P13: a small file that unpacks a thousandfold is refused below the door's bound", async () => {
    const bomb = brotliCompressSync(Buffer.alloc(64 * 1024 * 1024));
    await refused([says(compressed("br", bomb))], "PROXY_DECOMPRESSION_BOMB", 403);
  });

  test("P12: silence before the head, and in the middle of a body, ends in time", async () => {
    await refused([() => {}], "PROXY_UPSTREAM_SLOW", 503);
    expect(asked.length).toBe(3);
    await refused([says(head("content-length: 10\r\n") + "abc", false)], "PROXY_UPSTREAM_SLOW", 503);
  });

  test("P12: a body that drips beyond the total time ends", async () => {
    const drip = (socket: Socket): void => {
      socket.write(head("content-length: 100000\r\n"));
      const timer = setInterval(() => socket.write("a"), 100);
      socket.on("close", () => clearInterval(timer));
    };
    await refused([drip], "PROXY_UPSTREAM_SLOW", 503);
  });
});

describe("redirects", () => {
  const to = (location: string, status = "302 Found"): ReturnType<typeof says> =>
    says(head(`location: ${location}\r\ncontent-length: 0\r\n`, status), false);

  test("P9: each is asked of the door, and the last address is recorded", async () => {
    const seen: string[] = [];
    const answer = await ask(
      [to("/a"), to(`http://localhost:${port}/b`, "307 T"), says(head("content-length: 1\r\n") + "z")],
      {
        change: (passage) => ({
          ...passage,
          headers: { authorization: "Bearer of-the-first" },
          redirect: async (url) => {
            seen.push(url.href);
            return {};
          },
        }),
      },
    );
    expect(answer.endsWith("z")).toBe(true);
    const { arrived } = door.recorded.at(-1) ?? {};
    expect(seen).toEqual([`http://127.0.0.1:${port}/a`, `http://localhost:${port}/b`]);
    expect([arrived?.url.href, arrived?.redirects]).toEqual([seen[1], seen]);
    expect(asked.map((each) => each.includes("of-the-first"))).toEqual([true, false, false]);
  });

  test.each([
    ["a loop", ["/a", "/b", "/a"], "PROXY_REDIRECT_LOOP", 502],
    ["itself", ["/x"], "PROXY_REDIRECT_LOOP", 502],
    ["eleven", Array.from({ length: 11 }, (_, at) => `/${at}`), "PROXY_REDIRECT_LIMIT", 502],
    ["another scheme", ["file:///etc/passwd"], "PROXY_REDIRECT_MALFORMED", 502],
    ["a user in the address", ["http://a:b@127.0.0.1/"], "PROXY_REDIRECT_MALFORMED", 502],
    ["no address", ["http://"], "PROXY_REDIRECT_MALFORMED", 502],
    ["bytes beyond ASCII", ["/\u00e9"], "PROXY_REDIRECT_MALFORMED", 502],
  ] as const)("P9: %s is refused", (_name, locations, code, status) =>
    refused(
      locations.map((each) => to(each)),
      code,
      status,
    ),
  );

  test("P9: a redirect that the door refuses is not followed", async () => {
    await refused([to("/other")], "PROXY_TARGET_USER", 403, {
      change: async (passage) => {
        return {
          ...passage,
          redirect: () => Promise.reject(proxyErrors.make("PROXY_TARGET_USER", "expected another address")),
        };
      },
    });
    expect(asked.length).toBe(1);
  });

  test("P8: a redirect to a private address of another name is refused, whatever the first was", async () => {
    await refused([to(`http://localhost:${port}/b`)], "PROXY_UPSTREAM_PRIVATE", 403, {
      change: ({ allowPrivateRedirect: _, ...passage }) => passage,
    });
    await refused([to("http://169.254.169.254/latest/meta-data/")], "PROXY_UPSTREAM_PRIVATE", 403, {
      change: ({ allowPrivateRedirect: _, ...passage }) => passage,
    });
  });

  test("P9: a POST is not turned into a GET", async () => {
    await refused([to("/a")], "PROXY_REDIRECT_MALFORMED", 502, { method: "POST", headers: "Content-Length: 0\r\n" });
  });
});

describe("private addresses", () => {
  test.each([
    "127.0.0.1",
    "localhost",
    "10.1.2.3",
    "169.254.169.254",
    "[::1]",
    "[fd00::1]",
    "[::ffff:10.0.0.1]",
    "0.0.0.0",
  ])("P8: %s is refused where only an index announced it", async (host) => {
    await refused([says(head("content-length: 0\r\n"))], "PROXY_UPSTREAM_PRIVATE", 403, {
      change: (passage) => ({ ...passage, allowPrivate: false, url: new URL(`http://${host}:${port}/`) }),
    });
    expect(asked).toEqual([]);
  });
});

describe("busy and broken upstreams", () => {
  const whole = randomBytes(200_000);
  const fine = (body: Uint8Array, extra = ""): Buffer =>
    Buffer.concat([Buffer.from(head(`content-length: ${body.length}\r\netag: "v1"\r\n${extra}`), "latin1"), body]);
  const cut =
    (body: Uint8Array, at: number): ReturnType<typeof says> =>
    (socket) => {
      socket.write(fine(body).subarray(0, fine(body).length - body.length + at), () =>
        setTimeout(() => socket.resetAndDestroy(), 30),
      );
    };
  const bodyOf = (answer: string): Buffer => Buffer.from(answer.slice(answer.indexOf("\r\n\r\n") + 4), "latin1");

  test("P10: 503 and 429 are asked again, with the pause that they want", async () => {
    const answer = await ask([
      says(head("content-length: 0\r\n", "503 Busy")),
      says(head("content-length: 0\r\nretry-after: 1\r\n", "429 Slow")),
      says(fine(Buffer.from("ok"))),
    ]);
    expect(answer.endsWith("ok")).toBe(true);
    expect(door.recorded.at(-1)?.arrived.attempts).toBe(3);
  });

  test("P10: endless 503, and a pause longer than allowed, end with their code", async () => {
    await refused([says(head("content-length: 0\r\n", "503 Busy"))], "PROXY_UPSTREAM_BUSY", 503);
    expect(asked.length).toBe(3);
    asked = [];
    await refused([says(head("content-length: 0\r\nretry-after: 3600\r\n", "503 Busy"))], "PROXY_UPSTREAM_BUSY", 503);
    expect(asked.length).toBe(1);
  });

  test("P10: a POST is not sent twice after a broken connection", async () => {
    // On a connection of its own: the one before was closed by upstream.
    await ask([says(head("content-length: 0\r\nconnection: close\r\n"))]);
    asked = [];
    await refused([(socket) => socket.resetAndDestroy()], "PROXY_UPSTREAM_UNREACHABLE", 503, {
      method: "POST",
      headers: "Content-Length: 0\r\n",
    });
    expect(asked.length).toBe(1);
  });

  test("P10: a kept connection that upstream closed meanwhile costs no POST", async () => {
    await ask([says(fine(Buffer.from("first")), false)]);
    const answer = await ask([(socket) => socket.resetAndDestroy(), says(fine(Buffer.from("second")))], {
      method: "POST",
      headers: "Content-Length: 0\r\n",
    });
    expect(answer.endsWith("second")).toBe(true);
  });

  test("P11: a body that breaks off goes on where it was", async () => {
    const rest = (socket: Socket, request: string): void => {
      const from = Number(/range: bytes=(\d+)-/.exec(request)?.[1]);
      socket.end(
        Buffer.concat([
          Buffer.from(
            head(
              `content-range: bytes ${from}-199999/200000\r\ncontent-length: ${200_000 - from}\r\netag: "v1"\r\n`,
              "206 Part",
            ),
          ),
          whole.subarray(from),
        ]),
      );
    };
    const answer = await ask([cut(whole, 120_000), rest]);
    expect(bodyOf(answer).equals(whole)).toBe(true);
    expect(asked[1]).toMatch(/if-range: "v1"/);
    expect(door.recorded.at(-1)?.arrived).toMatchObject({ status: 200, size: 200_000, attempts: 2 });
  });

  test("P11: where upstream begins again, what is there is compared and not taken twice", async () => {
    const answer = await ask([cut(whole, 120_000), says(fine(whole))]);
    expect(bodyOf(answer).equals(whole)).toBe(true);
  });

  test("P11: another body, or another rest, after a break is refused", async () => {
    const other = Buffer.from(whole);
    other[5] = (other[5] as number) ^ 1;
    await refused([cut(whole, 120_000), says(fine(other))], "PROXY_UPSTREAM_CHANGED", 503);
    await refused([cut(whole, 120_000), says(fine(whole.subarray(0, 50_000)))], "PROXY_UPSTREAM_LENGTH", 502);
    const wrong = head("content-range: bytes 5-199999/200000\r\ncontent-length: 199995\r\n", "206 Part");
    await refused(
      [cut(whole, 120_000), says(Buffer.concat([Buffer.from(wrong), whole.subarray(5)]))],
      "PROXY_UPSTREAM_LENGTH",
      502,
    );
    const longer = head("content-range: bytes 120000-299999/300000\r\ncontent-length: 180000\r\n", "206 Part");
    await refused([cut(whole, 120_000), says(Buffer.from(longer))], "PROXY_UPSTREAM_LENGTH", 502);
    await refused([cut(whole, 120_000), says(head("content-length: 0\r\n", "404 No"))], "PROXY_UPSTREAM_CHANGED", 503);
  });

  test("P11: a body that always breaks off, by length or in chunks, is given up", async () => {
    await refused([cut(whole, 100_000)], "PROXY_UPSTREAM_TRUNCATED", 503);
    await refused([says(head("transfer-encoding: chunked\r\n") + "5\r\nabcde\r\n")], "PROXY_UPSTREAM_TRUNCATED", 503);
    await refused([says(head("content-length: 10\r\n") + "abc")], "PROXY_UPSTREAM_TRUNCATED", 503);
    const half = gzipSync(randomBytes(50_000)).subarray(0, 20_000);
    await refused(
      [says(Buffer.concat([Buffer.from(head("content-encoding: gzip\r\ncontent-length: 50000\r\n")), half]))],
      "PROXY_UPSTREAM_TRUNCATED",
      503,
    );
  });

  test("P10: nobody there, and a name that does not resolve, have their code", async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port: gone } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    await refused([], "PROXY_UPSTREAM_UNREACHABLE", 503, {
      change: (passage) => ({ ...passage, url: new URL(`http://127.0.0.1:${gone}/`) }),
    });
    await refused([], "PROXY_UPSTREAM_UNREACHABLE", 503, {
      change: (passage) => ({ ...passage, url: new URL("http://nobody.invalid/") }),
    });
  });
});
