import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { type ServedBridge, serveBridge } from "@touchmark/worker/fixture";
import { expect } from "vitest";
import { errno, inet, inet6, tryAddress } from "./addresses.ts";
import { attack, type Scene } from "./scene.ts";

/** A bridge to a control plane that says hello to everybody. */
const hello = (scene: Scene, name: string): Promise<ServedBridge> =>
  serveBridge(scene.bench, `${name}-${scene.caller}`, (socket) => socket.end("hello\n"));

/** A server of the host on an address, on a port that the kernel chooses. */
async function hostServer(address: string): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => socket.on("error", () => {}).end("host\n"));
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const bound = server.address();
  return { port: typeof bound === "object" && bound !== null ? bound.port : 0, close: () => server.close() };
}

attack("W14: a step reaches no server of the host, on its loopback or its addresses", async (scene) => {
  const own = Object.values(networkInterfaces()).flatMap((rows) => rows ?? []);
  const outer = own.find((row) => !row.internal && row.family === "IPv4")?.address;
  const served = await hello(scene, "direct");
  const hosts = [{ ip: "127.0.0.1", refusal: errno.ECONNREFUSED }];
  if (outer !== undefined) hosts.push({ ip: outer, refusal: errno.ENETUNREACH });
  for (const { ip, refusal } of hosts) {
    const server = await hostServer(ip);
    const script = `perl -e '${tryAddress(2, 1, inet(ip, server.port))}'`;
    expect(scene.plain(script)).toBe("reached\n");
    expect((await scene.sealed(script, served.job)).text).toBe(`${refusal}\n`);
    server.close();
  }
  // Addresses of documentation, which stand for the whole world.
  const world = ["192.0.2.1", "198.51.100.7", "203.0.113.9", "169.254.169.254"];
  const script = `perl -e '${world.map((ip) => tryAddress(2, 1, inet(ip, 443))).join(" ")}'`;
  expect((await scene.sealed(script, served.job)).text).toBe(`${errno.ENETUNREACH}\n`.repeat(world.length));
  await served.close();
});

attack("W14: a step has no names: no resolver, no file of one, no server to ask", async (scene) => {
  const served = await hello(scene, "names");
  const script = `ls /etc/resolv.conf 2>/dev/null || echo none; getent hosts example.org || echo unknown
    perl -e '${tryAddress(2, 2, inet("192.0.2.53", 53))} ${tryAddress(2, 2, inet("127.0.0.1", 53))} ${tryAddress(2, 1, inet("127.0.0.53", 53))}'`;
  const ran = await scene.sealed(script, served.job);
  const refusals = [errno.ENETUNREACH, errno.ECONNREFUSED, errno.ECONNREFUSED];
  expect(ran.text).toBe(`none\nunknown\n${refusals.join("\n")}\n`);
  await served.close();
});

attack("W14: a proxy of the step's own choice is an address as any other: not there", async (scene) => {
  const server = await hostServer("127.0.0.1");
  const served = await hello(scene, "variables");
  const environment = {
    HTTPS_PROXY: `http://127.0.0.1:${server.port}`,
    ALL_PROXY: "socks5://192.0.2.1:1080",
  };
  const through = `for (@ENV{"HTTPS_PROXY", "ALL_PROXY"}) { m{//(\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+):(\\d+)}; ${tryAddress(2, 1, 'pack("S n C4 x8", 2, $5, $1, $2, $3, $4)')} }`;
  const ran = await scene.sealed(`NO_PROXY='*' perl -e '${through}'`, { ...served.job, environment });
  expect(ran.text).toBe(`${errno.ECONNREFUSED}\n${errno.ENETUNREACH}\n`);
  server.close();
  await served.close();
});

attack("W14: IPv6 leads nowhere: not to the bridge, not to the host, not to the world", async (scene) => {
  const served = await hello(scene, "six");
  const one = `${"0".repeat(31)}1`;
  const world = "20010db8000000000000000000000001";
  const script = `perl -e '${tryAddress(10, 1, inet6(one, 3128))} ${tryAddress(10, 1, inet6(one, 22))} ${tryAddress(10, 1, inet6(world, 443))}'`;
  const ran = await scene.sealed(script, served.job);
  const none = `${errno.EAFNOSUPPORT}\n`.repeat(3);
  const refused = `${errno.ECONNREFUSED}\n${errno.ECONNREFUSED}\n${errno.ENETUNREACH}\n`;
  expect([none, refused]).toContain(ran.text);
  await served.close();
});

attack("W14: a step reaches neither the bridge's socket nor another Unix socket of the host", async (scene) => {
  const { caller } = scene;
  const served = await hello(scene, "unix");
  const abstract = `touchmark-bridge-${process.pid}-${caller}`;
  const server = createServer((socket) => socket.on("error", () => {}).end("host\n"));
  await new Promise<void>((resolve) => server.listen(`\0${abstract}`, resolve));
  const names = [`"${served.path}\\0"`, `"\\0${abstract}"`, `"/run/dbus/system_bus_socket\\0"`];
  const script = `perl -e '${names.map((name) => tryAddress(1, 1, `pack("S a*", 1, ${name})`)).join(" ")}'`;
  expect(scene.plain(script)).toMatch(/^reached\nreached\n/);
  const refusals = [errno.ENOENT, errno.ECONNREFUSED, errno.ENOENT];
  const ran = await scene.sealed(script, served.job);
  expect(ran.text).toBe(`${refusals.join("\n")}\n`);
  expect((await scene.sealed(`find / -xdev -type s 2>/dev/null; true`, served.job)).text).toBe("");
  server.close();
  await served.close();
});
