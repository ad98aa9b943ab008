import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "@touchmark/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Door } from "../door.ts";
import { proxyFixture, recordingDoor } from "./fixture.ts";
import { startProxy } from "./proxy.ts";

const directory = mkdtempSync(join(tmpdir(), "tm-place-"));
let silent: Server;
let silentPort: number;

beforeAll(async () => {
  silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  silentPort = (silent.address() as AddressInfo).port;
});

afterAll(() => {
  silent.close();
  silent.closeAllConnections();
  rmSync(directory, { recursive: true, force: true });
});

const refusing: Door = { open: () => Promise.reject(new Error("nothing is let in")) };
const start = (socketPath: string, door: Door = refusing) =>
  startProxy({ socketPath, door, clock: systemClock, upstream: {} });

test("P1: the socket is its owner's alone, in a directory that is its owner's alone, and goes with the proxy", async () => {
  const place = join(directory, "new");
  const proxy = await start(join(place, "s"));
  expect(statSync(place).mode & 0o777).toBe(0o700);
  expect(statSync(join(place, "s")).mode & 0o777).toBe(0o600);
  await proxy.close();
  await proxy.close();
  expect(existsSync(join(place, "s"))).toBe(false);
});

test("P1: a directory that others can enter, a link to one, a path too long and a taken place are refused", async () => {
  const open = join(directory, "open");
  mkdirSync(open);
  chmodSync(open, 0o755);
  const link = join(directory, "link");
  mkdirSync(join(directory, "real"), { mode: 0o700 });
  symlinkSync(join(directory, "real"), link);
  const taken = join(directory, "taken");
  const first = await start(join(taken, "s"));
  for (const path of [join(open, "s"), join(link, "s"), join(directory, "a".repeat(100)), join(taken, "s")]) {
    await expect(start(path)).rejects.toMatchObject({ code: "PROXY_SOCKET_UNSAFE" });
  }
  await first.close();
});

test("P16: after the end nothing is open, nothing is in quarantine, and nothing is let in", async () => {
  const door = recordingDoor();
  const fixture = await proxyFixture(door, {});
  const sockets = Array.from({ length: 20 }, () => {
    const socket = connect(fixture.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(`GET http://127.0.0.1:${silentPort}/ HTTP/1.1\r\nHost: 127.0.0.1:${silentPort}\r\n\r\n`);
    return socket;
  });
  await expect.poll(() => fixture.proxy.counts().bodies).toBe(1);
  await expect.poll(() => fixture.proxy.counts().connections).toBe(20);
  await fixture.close();
  const { bodies, connections } = fixture.proxy.counts();
  expect([bodies, connections, door.abandoned(), door.recorded.length]).toEqual([0, 0, 1, 0]);
  for (const each of sockets) each.destroy();
  const late = connect(fixture.proxy.socketPath);
  await expect(new Promise((resolve, reject) => late.once("connect", resolve).once("error", reject))).rejects.toThrow();
  door.remove();
});

test("P16: a door that decides only after the end is given its passage back", async () => {
  let decide: (() => void) | undefined;
  const door = recordingDoor(async (passage) => {
    await new Promise<void>((resolve) => {
      decide = resolve;
    });
    return passage;
  });
  const fixture = await proxyFixture(door, {});
  const socket = connect(fixture.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`GET http://127.0.0.1:${silentPort}/ HTTP/1.1\r\nHost: 127.0.0.1:${silentPort}\r\n\r\n`);
  await expect.poll(() => decide !== undefined).toBe(true);
  const closed = fixture.close();
  await pause(20);
  decide?.();
  await closed;
  expect(door.abandoned()).toBe(1);
  door.remove();
});

test("P16: a listener that fails changes nothing", async () => {
  const place = join(directory, "listener");
  const proxy = await startProxy({
    socketPath: join(place, "s"),
    door: refusing,
    clock: systemClock,
    upstream: {},
    onEvent: () => {
      throw new Error("no terminal");
    },
  });
  const socket = connect(join(place, "s"));
  socket.write("GET /x HTTP/1.1\r\nHost: h.example\r\n\r\n");
  const answer = await new Promise<string>((resolve) => socket.once("data", (chunk) => resolve(chunk.toString())));
  expect(answer).toContain("PROXY_TARGET_MALFORMED");
  socket.destroy();
  await proxy.close();
});
