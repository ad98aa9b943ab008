import { spawnSync } from "node:child_process";
import type { Socket } from "node:net";
import {
  bridgeProcesses,
  connectPerl,
  hostArchitecture,
  type ServedBridge,
  serveBridge,
  systemCallNumber,
} from "@touchmark/worker/fixture";
import { expect } from "vitest";
import { errno, inet, tryAddress } from "./addresses.ts";
import { attack, rawCall, refusedCalls, type Scene } from "./scene.ts";

/** A bridge to a control plane that says hello to everybody. */
const hello = (scene: Scene, name: string): Promise<ServedBridge> =>
  serveBridge(scene.bench, `${name}-${scene.caller}`, (socket) => socket.end("hello\n"));

attack("W14: a daemon that a step leaves behind uses no bridge after the step", async (scene) => {
  let after: number | null = null;
  let calls = 0;
  const served = await serveBridge(scene.bench, `daemon-${scene.caller}`, (socket) => {
    calls += 1;
    if (after !== null) after += 1;
    socket.end("hello\n");
  });
  const loop = `while (1) { if (socket(S, 2, 1, 0) && connect(S, ${inet("127.0.0.1", 3128)})) { my @l = <S> } select undef, undef, undef, 0.01 }`;
  const ran = await scene.sealed(
    `(setsid perl -e 'fork && exit; setpgrp; $SIG{HUP} = $SIG{TERM} = "IGNORE"; ${loop}' >/dev/null 2>&1 &); sleep 0.5; exit 0`,
    served.job,
  );
  after = 0;
  expect(ran.outcome).toBe("succeeded");
  expect(calls).toBeGreaterThan(5);
  expect(bridgeProcesses(served.path)).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(after).toBe(0);
  await served.close();
});

attack("W5: a step makes no raw or packet socket, and no interface, address or route", async (scene) => {
  const served = await hello(scene, "raw");
  const lines = [
    ...[1, 6, 255].map((protocol) => `$! = 0; socket(R, 2, 3, ${protocol}); print $! + 0, "\\n";`),
    '$! = 0; socket(R, 17, 3, 0x0300); print $! + 0, "\\n";',
    // Flags of the loopback down, an address on it, a route through it.
    "socket(S, 2, 2, 0);",
    ...[
      [0x8914, 'pack("a16 s x22", "lo", 0)'],
      [0x8916, 'pack("a16 S n C4 x8", "lo", 2, 0, 10, 0, 0, 1)'],
      [0x890b, '"\\0" x 120'],
    ].map(([request, value]) => `$r = ${value}; $! = 0; ioctl(S, ${request}, $r); print $! + 0, "\\n";`),
  ];
  const ran = await scene.sealed(
    `perl -e '${lines.join(" ")}'; cat /proc/sys/net/ipv4/ip_forward; echo 1 2>&1 > /proc/sys/net/ipv4/ip_forward`,
    served.job,
  );
  const [EPERM, EAFNOSUPPORT] = [errno.EPERM, errno.EAFNOSUPPORT];
  expect(ran.text).toMatch(new RegExp(`^${[EPERM, EPERM, EPERM, EAFNOSUPPORT, EPERM, EPERM, EPERM, 0].join("\n")}\n`));
  expect(ran.text).toMatch(/Read-only file system|Permission denied/);
  expect(ran.refused).toMatchObject([{ call: "socket", argument: "17", errno: "EAFNOSUPPORT", count: 1 }]);
  await served.close();
});

attack("W14: what a step listens on is its own affair: the host cannot reach it, nor its bridge", async (scene) => {
  const ports = [4444, 3128];
  const outcomes: string[] = [];
  const served = await serveBridge(scene.bench, `listen-${scene.caller}`, (socket) => {
    for (const port of ports) {
      const script = tryAddress(2, 1, inet("127.0.0.1", port));
      outcomes.push(spawnSync("perl", ["-e", script], { encoding: "utf8" }).stdout.trim());
    }
    socket.end("tried\n");
  });
  const script = `perl -e 'socket(L, 2, 1, 0); bind(L, ${inet("0.0.0.0", 4444)}) && listen(L, 5) or die $!; ${tryAddress(2, 1, inet("127.0.0.1", 4444))} ${connectPerl()} print <S>'`;
  const ran = await scene.sealed(script, served.job);
  expect(ran.text).toBe("reached\ntried\n");
  expect(outcomes).toEqual([String(errno.ECONNREFUSED), String(errno.ECONNREFUSED)]);
  await served.close();
});

attack("W14: a step cannot take the bridge's place for its own other processes", async (scene) => {
  const served = await hello(scene, "place");
  const options = [
    "",
    "setsockopt(L, 1, 2, 1);",
    "setsockopt(L, 1, 15, 1);",
    "setsockopt(L, 1, 2, 1); setsockopt(L, 1, 15, 1);",
  ];
  const binds = options.flatMap((option) =>
    ["127.0.0.1", "0.0.0.0"].map(
      (ip) => `socket(L, 2, 1, 0); ${option} $! = 0; bind(L, ${inet(ip, 3128)}) && listen(L, 5); print $! + 0, "\\n";`,
    ),
  );
  const ran = await scene.sealed(`perl -e '${binds.join(" ")} ${connectPerl()} print <S>'`, served.job);
  expect(ran.text).toBe(`${`${errno.EADDRINUSE}\n`.repeat(binds.length)}hello\n`);
  await served.close();
});

attack("W14: a flood of one step takes nothing from another, and not more than its share", async (scene) => {
  let most = 0;
  const open = new Set<Socket>();
  const flooded = await serveBridge(scene.bench, `flood-${scene.caller}`, (socket) => {
    open.add(socket.on("close", () => open.delete(socket)));
    most = Math.max(most, open.size);
    socket.resume();
  });
  const quiet = await hello(scene, "quiet");
  const flood = `perl -e '$SIG{ALRM} = sub { print scalar(@s), "\\n"; exit }; alarm 2; while (1) { socket(my $s, 2, 1, 0) or last; connect($s, ${inet("127.0.0.1", 3128)}) or last; push @s, $s } sleep 5'`;
  const flooding = scene.sealed(flood, flooded.job);
  while (open.size < 256) await new Promise((resolve) => setTimeout(resolve, 10));
  const ran = await scene.sealed(`perl -e '${connectPerl()} print <S>'`, quiet.job);
  expect(ran.text).toBe("hello\n");
  expect(Number((await flooding).text)).toBeGreaterThan(256);
  expect(most).toBe(256);
  await flooded.close();
  await quiet.close();
});

attack("W14: a step enters no other namespace, and neither sees, stops nor signals the bridge", async (scene) => {
  const pids: number[] = [];
  const served = await serveBridge(scene.bench, `enter-${scene.caller}`, (socket) => {
    pids.push(...bridgeProcesses(served.path));
    socket.end(`${pids.join(" ")}\n`);
  });
  const setns = systemCallNumber(hostArchitecture(), "setns");
  const lines = [
    connectPerl(),
    "@p = split / /, <S>;",
    // Its own is the only one that it can name.
    'open N, "<", "/proc/self/ns/net";',
    rawCall("setns", setns, "fileno N", 0).replace("my $ssetns = ", ""),
    'for (@p) { chomp; $! = 0; kill 9, $_; print $! + 0, " ", -e "/proc/$_/fd" ? "seen" : "unseen", "\\n" }',
  ];
  const ran = await scene.sealed(
    `perl -e '${lines.join(" ")}'; ls -l /proc/*/ns/net 2>/dev/null | grep -o 'net:.*' | sort -u | wc -l`,
    served.job,
  );
  expect(pids.length).toBe(2);
  expect(ran.text).toBe(`setns ${errno.EPERM}\n${`${errno.ESRCH} unseen\n`.repeat(2)}1\n`);
  expect(refusedCalls(ran)).toEqual(["setns EPERM"]);
  expect((await scene.sealed(`perl -e '${connectPerl()} <S>; print "x\\n"'`, served.job)).text).toBe("x\n");
  await served.close();
});

attack("W14: two steps at one time have two networks: one port, two sockets, no way between", async (scene) => {
  const first = await serveBridge(scene.bench, `one-${scene.caller}`, (socket) => socket.end("first\n"));
  const second = await serveBridge(scene.bench, `two-${scene.caller}`, (socket) => socket.end("second\n"));
  const listening = `perl -e 'socket(L, 2, 1, 0); bind(L, ${inet("127.0.0.1", 5555)}) && listen(L, 5) or die $!; ${connectPerl()} print <S>; sleep 2'`;
  const reaching = `sleep 0.5; perl -e '${connectPerl()} print <S>; ${tryAddress(2, 1, inet("127.0.0.1", 5555))}'`;
  const [a, b] = await Promise.all([scene.sealed(listening, first.job), scene.sealed(reaching, second.job)]);
  expect([a.text, b.text]).toEqual(["first\n", `second\n${errno.ECONNREFUSED}\n`]);
  expect(a.evidence.namespaces.net).not.toBe(b.evidence.namespaces.net);
  await first.close();
  await second.close();
});
