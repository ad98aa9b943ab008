import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { startBridge } from "./bridge.ts";
import { bridgeProcesses, connectPerl, serveBridge } from "./bridge-fixture.ts";
import { type Caller, missingFor, openBench } from "./fixture.ts";
import { insecureProcessWorker } from "./insecure-process.ts";
import type { HeldStep } from "./job.ts";
import { namespaceInode } from "./process-facts.ts";
import { openSandboxHost } from "./sandbox-host.ts";
import { runStep } from "./step-run.ts";

const strace = spawnSync("strace", ["--version"], { stdio: "ignore" }).status === 0;
const own = process.getuid?.() === 0 ? "root" : "user";

for (const caller of ["root", "user"] satisfies Caller[]) {
  const missing = missingFor(caller);
  describe.skipIf(missing !== null)(`as ${caller}${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
    const bench = openBench(caller);
    afterAll(() => bench.close());

    test("W14: when the control plane does not listen, a connection ends at once and the step goes on", async () => {
      const served = await serveBridge(bench, "gone", () => {});
      const gone = `sleep 1; perl -e '${connectPerl()} print "got ", length(join "", <S>), "\\n"'`;
      const running = bench.run(bench.job(gone, served.job));
      for (let i = 0; i < 300 && bridgeProcesses(served.path).length < 2; i += 1) await sleep(10);
      await served.close();
      expect((await running).text).toBe("got 0\n");
    });

    test("W14: a bridge that dies takes the network with it, and the step ends as it will", async () => {
      const served = await serveBridge(bench, "killed", (socket) => {
        for (const pid of bridgeProcesses(served.path)) process.kill(pid, "SIGKILL");
        socket.end("late\n");
      });
      const script = `perl -e '${connectPerl()} print "first ", length(join "", <S>), "\\n"'; perl -e '${connectPerl()} print "reached\\n"'; exit 0`;
      const ran = await bench.run(bench.job(script, served.job));
      await served.close();
      const ECONNREFUSED = 111;
      expect(ran.text).toBe(`first 0\nconnect ${ECONNREFUSED}\n`);
      expect(ran.outcome).toBe("succeeded");
    });

    test.skipIf(!strace)("W14: the bridge works under a tracer, which never sees it", async () => {
      const traceDirectory = bench.make("trace");
      const served = await serveBridge(bench, "traced", (socket) => socket.end("hello\n"));
      const ran = await bench.run(bench.job(`perl -e '${connectPerl()} print <S>'`, served.job), { traceDirectory });
      await served.close();
      expect(ran.text).toContain("hello\n");
      expect(ran.evidence.bridge?.interfaces).toEqual(["lo"]);
      const trace = readFileSync(join(traceDirectory, "trace.log"), "utf8");
      expect(trace).toMatch(
        /connect\(3, \{sa_family=AF_INET, sin_port=htons\(3128\), sin_addr=inet_addr\("127.0.0.1"\)\}, 16\) = 0/,
      );
      expect(trace).not.toContain(served.path);
    });

    test("W11: a shell has the same bridge", async () => {
      const served = await serveBridge(bench, "shell", (socket) => socket.end("hello\n"));
      const script = `test "$(perl -e '${connectPerl()} print <S>')" = hello && exit 9`;
      expect(await bench.shell(bench.job(script, served.job))).toBe(9);
      await served.close();
      expect(bridgeProcesses(served.path)).toEqual([]);
    });

    test("W14: when run resolves, however the step ended, no bridge is left", async () => {
      const served = await serveBridge(bench, "left", (socket) => socket.resume());
      const hang = bench.job(`perl -e '${connectPerl()} print <S>'`, served.job);
      const ends = [
        bench.run(bench.job("exit 3", served.job)),
        bench.run({ ...hang, limits: { ...hang.limits, seconds: 1 } }),
        bench.run({ ...bench.job("sleep 20", served.job), signal: AbortSignal.timeout(600) }),
      ];
      expect((await Promise.all(ends)).map((ran) => ran.outcome)).toEqual(["failed", "timed-out", "cancelled"]);
      expect(bridgeProcesses(served.path)).toEqual([]);
      await served.close();
    });

    test("W10: SIGKILL of the factory ends the bridge too", async () => {
      const served = await serveBridge(bench, "factory", (socket) => socket.resume());
      const program = fileURLToPath(new URL("./fixture-life.ts", import.meta.url));
      const job = JSON.stringify(bench.job(`perl -e '${connectPerl()} print <S>'`, served.job));
      const words = [program, "bubblewrap", bench.make("state-factory"), "false", job];
      const env = { PATH: process.env.PATH };
      const factory = spawn(process.execPath, words, { ...bench.ids, stdio: ["ignore", "ignore", "inherit"], env });
      for (let i = 0; i < 400 && bridgeProcesses(served.path).length < 2; i += 1) await sleep(20);
      expect(bridgeProcesses(served.path).length).toBe(2);
      factory.kill("SIGKILL");
      for (let i = 0; i < 200 && bridgeProcesses(served.path).length > 0; i += 1) await sleep(20);
      expect(bridgeProcesses(served.path)).toEqual([]);
      await served.close();
    });

    test("W4: what is provided is shown read-only, also over the file of certificates", async () => {
      const served = await serveBridge(bench, "provided", () => {});
      const host = bench.fill("files", { "ca.pem": "authority\n", "settings/npmrc": "registry\n" });
      const provided = [
        { host: join(host, "ca.pem"), at: "/etc/ssl/certs/ca-certificates.crt" },
        { host, at: "/run/touchmark/materials" },
      ];
      const script = `cat /etc/ssl/certs/ca-certificates.crt /run/touchmark/materials/settings/npmrc
        echo x 2>&1 >> /run/touchmark/materials/ca.pem; rm /etc/ssl/certs/ca-certificates.crt 2>&1; touch /run/x 2>&1; exit 0`;
      const ran = await bench.run(bench.job(script, { ...served.job, provided }));
      await served.close();
      expect(ran.text).toMatch(/^authority\nregistry\n/);
      expect(ran.text.match(/Read-only file system|Device or resource busy/g)?.length).toBe(3);
      expect(ran.evidence.mounts).toContainEqual({
        at: "/run/touchmark/materials",
        kind: "generated",
        source: host,
        access: "read-only",
      });
    });
  });
}

const missing = missingFor(own);
describe.skipIf(missing !== null)(`as we are${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  const bench = openBench(own);
  const opened = openSandboxHost(bench.make("host"), {});
  afterAll(async () => {
    (await opened).recorder?.close();
    await bench.close();
  });

  test.each([true, false])(
    "W13: the caller sees the held sandbox before its command (recorder: %s)",
    async (recorded) => {
      const host = { ...(await opened), ...(recorded ? {} : { recorder: null }) };
      const order: string[] = [];
      let facts: HeldStep | undefined;
      const served = await serveBridge(bench, `held-${recorded}`, (socket) => socket.end("hello\n"));
      const job = bench.job(`touch $TOUCHMARK_OUTPUT/ran; perl -e '${connectPerl()} print <S>'`, {
        ...served.job,
        onOutput: (chunk) => order.push(Buffer.from(chunk).toString()),
      });
      const ran = await runStep(host, {
        ...job,
        onHeld: async (held) => {
          facts = held;
          await sleep(200);
          order.push(`held ${existsSync(join(job.output.host, "ran"))} ${namespaceInode(held.pid, "net")}`);
        },
      });
      await served.close();
      expect(order).toEqual([`held false ${facts?.namespaces.net}`, "hello\n"]);
      expect(facts).toMatchObject({ pid: ran.evidence.process.pid, startTime: ran.evidence.process.startTime });
      expect(facts?.namespaces).toEqual(ran.evidence.namespaces);
    },
  );

  test("W13: an error of the caller's while the sandbox is held ends the step, which never ran", async () => {
    const job = bench.job("touch $TOUCHMARK_OUTPUT/ran");
    const refuse = async (): Promise<void> => {
      throw Object.assign(new Error("no"), { code: "NOT_TODAY" });
    };
    await expect(runStep(await opened, { ...job, onHeld: refuse })).rejects.toMatchObject({ code: "NOT_TODAY" });
    expect(existsSync(join(job.output.host, "ran"))).toBe(false);
  });

  test("W14: a bridge that cannot be made is an error of ours, and no step starts without it", async () => {
    const host = await opened;
    const served = await serveBridge(bench, "unmade", () => {});
    const self = { pid: process.pid, startTime: "0", namespaces: { net: namespaceInode(process.pid, "net") ?? "" } };
    const bridge = { port: 39_128, socket: served.path };
    const failed = { code: "SANDBOX_FAILED" };
    // A network that is not the held one; one that has more than a loopback; no socket.
    await expect(startBridge(host, bridge, { ...self, namespaces: { net: "1" } }, null)).rejects.toMatchObject(failed);
    await expect(startBridge(host, bridge, self, null)).rejects.toMatchObject(failed);
    const elsewhere = { port: 39_128, socket: `${served.path}-none` };
    await expect(startBridge(host, elsewhere, self, null)).rejects.toMatchObject(failed);
    expect(bridgeProcesses(served.path)).toEqual([]);
    const job = bench.job("touch $TOUCHMARK_OUTPUT/ran", served.job);
    await expect(runStep({ ...host, perl: host.perl, bridgeFilterFile: "/nonexistent" }, job)).rejects.toMatchObject(
      failed,
    );
    expect(existsSync(join(job.output.host, "ran"))).toBe(false);
    await served.close();
  });

  test("W1: a bridge belongs to network proxy, has a free port, and a socket that nothing mounted shows", async () => {
    const host = await opened;
    const served = await serveBridge(bench, "asked", () => {});
    const { bridge, network } = served.job;
    if (bridge === undefined) throw new Error("no bridge");
    const plain = bench.make("plain");
    writeFileSync(join(plain, "file"), "");
    const cases: [string, object][] = [
      ["JOB_INVALID", { bridge }],
      ["JOB_INVALID", { bridge, network: "open" }],
      ["JOB_INVALID", { network }],
      ["JOB_INVALID", { network, bridge: { ...bridge, port: 80 } }],
      ["JOB_INVALID", { network, bridge: { ...bridge, port: 65_536 } }],
      ["JOB_INVALID", { network, bridge: { ...bridge, socket: "socket" } }],
      ["JOB_INPUT_MISSING", { network, bridge: { ...bridge, socket: join(plain, "file") } }],
      ["JOB_INVALID", { network, bridge, mounts: [{ host: served.directory, at: "/work/in", access: "read-only" }] }],
      ["JOB_INVALID", { network, bridge, provided: [{ host: served.directory, at: "/run/touchmark/x" }] }],
      ["JOB_INVALID", { network, bridge, view: { toolchains: [served.directory] } }],
      ["JOB_INVALID", { provided: [{ host: plain, at: "/etc/ssl/certs/ca-certificates.crt" }] }],
      ["JOB_INVALID", { network, bridge, provided: [{ host: plain, at: "/etc/ssl/certs/ca-certificates.crt" }] }],
      ["JOB_INVALID", { provided: [{ host: plain, at: "/etc/x" }] }],
      ["JOB_INVALID", { provided: [{ host: plain, at: "/run/touchmark" }] }],
      ["JOB_INVALID", { provided: [{ host: plain, at: "/run/touchmark/../x" }] }],
      ["JOB_INVALID", { provided: [{ host: plain, at: "/work/output/x" }] }],
      ["JOB_INPUT_MISSING", { provided: [{ host: join(plain, "none"), at: "/run/touchmark/x" }] }],
    ];
    const insecure = insecureProcessWorker({ stateDirectory: bench.make("insecure"), asked: true });
    await expect(insecure.run(bench.job("true", served.job))).rejects.toMatchObject({ code: "JOB_INVALID" });
    for (const [code, more] of cases) {
      await expect(runStep(host, bench.job("true", more)), JSON.stringify(more)).rejects.toMatchObject({ code });
    }
    await served.close();
  });
});
