import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { bridgeProcesses, connectPerl, serveBridge } from "../bridge-fixture.ts";
import { cases, openBench } from "../fixture.ts";
import { namespaceInode } from "../process-facts.ts";

const MiB = 1 << 20;

for (const { backend, caller, name, missing } of cases) {
  describe.skipIf(missing !== null)(name, () => {
    const bench = openBench(caller, backend);
    afterAll(() => bench.close());

    test("W14: the loopback leads to the socket of the control plane, and nothing else is there", async () => {
      const served = await serveBridge(bench, "hello", (socket) => socket.end("hello\n"));
      const look =
        "cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /proc/net/route | tail -n +2; ls -A /etc/ssl/certs";
      const ran = await bench.run(bench.job(`perl -e '${connectPerl()} print <S>'; ${look}`, served.job));
      await served.close();
      expect(ran.text.replaceAll(" ", "")).toBe("hello\nlo\nca-certificates.crt\n");
      expect(ran.evidence.network).toBe("proxy");
      expect(ran.evidence.bridge).toMatchObject({ port: 3128, interfaces: ["lo"], connections: 256 });
      expect(ran.evidence.bridge?.addresses).toContain("127.0.0.1");
      const loopback = /^(127\.[\d.]+(\/\d+)?|::1)$/;
      expect(ran.evidence.bridge?.addresses.filter((address) => !loopback.test(address))).toEqual([]);
      expect(ran.evidence.namespaces.net).not.toBe(namespaceInode(process.pid, "net"));
      expect(ran.evidence.degraded.map((row) => row.code).filter((code) => code.includes("NETWORK"))).toEqual([]);
    });

    test("W14: 64 MiB go through the bridge and come back, byte for byte, with both ends writing at once", async () => {
      const sums: string[] = [];
      const served = await serveBridge(bench, "echo", (socket) => {
        const hash = createHash("sha256");
        socket.on("data", (chunk) => hash.update(chunk)).on("end", () => sums.push(hash.digest("hex")));
        socket.pipe(socket);
      });
      const script = `head -c ${64 * MiB} /dev/urandom > /tmp/a
        perl -e '${connectPerl()} if (!fork) { open F, "<", "/tmp/a"; while (sysread F, $b, 100_003) { for ($o = 0; $o < length $b;) { $o += syswrite(S, $b, length($b) - $o, $o) // die $! } } shutdown S, 1; exit }
          open G, ">", "/tmp/b"; while (sysread S, $b, 99_991) { syswrite G, $b } wait'
        cmp /tmp/a /tmp/b && sha256sum < /tmp/a | cut -c-64`;
      const ran = await bench.run(bench.job(script, served.job));
      await served.close();
      expect(ran.outcome).toBe("succeeded");
      expect(ran.text).toBe(`${sums[0]}\n`);
      expect(sums.length).toBe(1);
    });

    test("W14: a side that ends its half still hears the other to its end, whichever is first", async () => {
      const heard: string[] = [];
      const served = await serveBridge(bench, "half", (socket) => {
        let text = "";
        socket.setEncoding("latin1").on("data", (chunk: string) => {
          text += chunk;
          // The first kind: our half ends at once, theirs goes on.
          if (text === "first\n") socket.end("early\n");
        });
        socket.on("end", () => {
          heard.push(text);
          if (!text.startsWith("first")) socket.end(`late ${text.length}\n`);
        });
      });
      const script = `perl -e '${connectPerl()} syswrite S, "first\\n"; print <S>; select undef, undef, undef, 0.1; syswrite S, "x" x 200_000; shutdown S, 1; print <S>, "end\\n"'
        perl -e '${connectPerl()} syswrite S, "second\\n" x 1000; shutdown S, 1; print <S>, "end\\n"'`;
      const ran = await bench.run(bench.job(script, served.job));
      for (let i = 0; i < 100 && heard.length < 2; i += 1) await sleep(10);
      await served.close();
      expect(ran.text).toBe("early\nend\nlate 7000\nend\n");
      expect(heard.map((text) => text.length)).toEqual([200_006, 7000]);
    });

    test("W14: 200 connections at one time each get their own bytes", async () => {
      const open: Socket[] = [];
      const served = await serveBridge(bench, "many", (socket) => {
        const chunks: Buffer[] = [];
        socket.on("data", (chunk: Buffer) => chunks.push(chunk));
        socket.on("end", () => {
          open.push(Object.assign(socket, { answer: Buffer.concat(chunks) }));
          // Nobody is answered before all are here.
          if (open.length === 200) for (const one of open) one.end(Reflect.get(one, "answer"));
        });
      });
      const script = `perl -e 'for my $i (1 .. 200) { next if fork; ${connectPerl()} my $t = "$i," x 20_000; syswrite S, $t; shutdown S, 1; my $r = join "", <S>; print $r eq $t ? "same\\n" : "other\\n"; exit } 1 while wait > 0' | sort | uniq -c`;
      const job = bench.job(script, served.job);
      const ran = await bench.run({ ...job, limits: { ...job.limits, pids: 400 } });
      await served.close();
      expect(ran.text.trim()).toBe("200 same");
    });

    test("W14: no more than 256 connections are carried at one time; the others wait for their turn", async () => {
      let all = 0;
      let before = 0;
      const served = await serveBridge(bench, "flood", (socket) => {
        all += 1;
        // Nobody is answered for long enough that all would have come.
        const answer = (): void => {
          before ||= all;
          socket.end("x");
        };
        setTimeout(answer, before === 0 ? 500 : 0);
        socket.resume();
      });
      const script = `perl -e 'for (1 .. 400) { ${connectPerl().replaceAll("S,", "my $s,").replace("my $s, pack", "$s, pack")} push @s, $s } $n += length(join "", <$_>) + 0 * close($_) for @s; print "$n\\n"'`;
      const ran = await bench.run(bench.job(script, served.job));
      await served.close();
      expect(ran.text).toBe("400\n");
      expect([before, all]).toEqual([256, 400]);
    });

    test("W14: connections that are cut cost the bridge nothing: it neither ends nor turns in circles", async () => {
      let cut = 0;
      let spent = Number.NaN;
      const ticks = (): number => Math.max(...bridgeProcesses(served.path).map(processorTicks));
      const served = await serveBridge(bench, "cut", (socket) => {
        socket.once("data", (chunk: Buffer) => {
          if (chunk.toString() === "ticks") {
            const before = ticks();
            setTimeout(() => {
              spent = ticks() - before;
              socket.end("last\n");
            }, 300);
            return;
          }
          // Much more than the other side will ever read.
          socket.write(Buffer.alloc(4 * MiB));
          cut += 1;
          if (cut % 2 === 0) socket.destroy();
        });
      });
      // Linger of zero: the end of the process resets the connection.
      const opening = connectPerl().replaceAll("S,", "my $s,").replace("my $s, pack", "$s, pack");
      const script = `perl -e 'for (1 .. 60) { ${opening} setsockopt $s, 1, 13, pack "ii", 1, 0; syswrite $s, "go"; push @s, $s } sleep 1'
        sleep 0.5; perl -e '${connectPerl()} syswrite S, "ticks"; print <S>'`;
      const ran = await bench.run(bench.job(script, served.job));
      await served.close();
      expect([ran.text, cut]).toEqual(["last\n", 60]);
      expect(spent).toBeLessThan(15);
    });

    test("W14: what a slow control plane does not read yet waits in the step, not in the bridge", async () => {
      let memory = 0;
      const served = await serveBridge(bench, "slow", (socket) => {
        setTimeout(() => {
          memory = Math.max(...bridgeProcesses(served.path).map(residentKiB));
          let bytes = 0;
          socket.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
          });
          socket.on("end", () => socket.end(`${bytes}\n`));
        }, 700);
      });
      const script = `perl -e '${connectPerl()} for (1 .. 64) { $b = "x" x ${MiB}; for ($o = 0; $o < length $b;) { $o += syswrite S, $b, length($b) - $o, $o } } shutdown S, 1; print <S>'`;
      const ran = await bench.run(bench.job(script, served.job));
      await served.close();
      expect(ran.text).toBe(`${64 * MiB}\n`);
      expect(memory).toBeGreaterThan(0);
      expect(memory).toBeLessThan(32 * 1024);
    });
  });
}

/** Hundredths of a second that a process has had of the processor. */
function processorTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function residentKiB(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}
