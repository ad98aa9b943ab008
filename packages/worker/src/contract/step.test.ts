import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bubblewrapWorker } from "../bubblewrap.ts";
import { cases, openBench } from "../fixture.ts";
import { hostArchitecture } from "../system-calls.ts";

for (const { backend, caller, name, missing } of cases) {
  describe.skipIf(missing !== null)(name, () => {
    const bench = openBench(caller, backend);
    afterAll(() => bench.close());

    test("W2: a step runs, prints, writes its output and ends", async () => {
      const job = bench.job("echo out; echo err >&2; echo made > $TOUCHMARK_OUTPUT/file");
      const ran = await bench.run(job);
      expect([ran.outcome, ran.exitCode, ran.signal]).toEqual(["succeeded", 0, null]);
      expect(ran.text.split("\n").sort()).toEqual(["", "err", "out"]);
      expect(ran.logBytes).toBe(8);
      expect(readFileSync(join(job.output.host, "file"), "utf8")).toBe("made\n");
    });

    test("W2: exit code and signal of the command come back", async () => {
      expect(await bench.run(bench.job("exit 7"))).toMatchObject({ outcome: "failed", exitCode: 7, signal: null });
      const killed = await bench.run({
        ...bench.job(""),
        command: ["/usr/bin/perl", "-e", 'unpack "P1", pack "Q", 8'],
      });
      expect(killed).toMatchObject({ outcome: "failed", exitCode: 139, signal: "SIGSEGV" });
    });

    test("W2: a cancelled step ends and says so", async () => {
      const abort = new AbortController();
      const job = bench.job("sleep 60", { signal: abort.signal });
      setTimeout(() => abort.abort(), 700);
      const ran = await bench.run(job);
      expect(ran).toMatchObject({ outcome: "cancelled", exitCode: null });
      expect(ran.durationMs).toBeLessThan(20_000);
    });

    test("W2: a step that is cancelled before its sandbox stands was cancelled, and never ran", async () => {
      // At once, and at moments of its making.
      for (const after of [0, 20, 40, 60, 80, 100]) {
        const abort = new AbortController();
        if (after === 0) abort.abort();
        else setTimeout(() => abort.abort(), after);
        const job = bench.job("sleep 2; touch $TOUCHMARK_OUTPUT/ran", { signal: abort.signal });
        expect(await bench.run(job)).toMatchObject({ outcome: "cancelled", exitCode: null, text: "" });
        expect(existsSync(join(job.output.host, "ran"))).toBe(false);
      }
    });

    test("W3: the step is user 1001 inside, and what it made is ours afterwards", async () => {
      const job = bench.job("id -u; id -un; id -G; touch $TOUCHMARK_OUTPUT/file");
      const ran = await bench.run(job);
      expect(ran.text).toBe("1001\nbuilder\n1001\n");
      expect(statSync(join(job.output.host, "file")).uid).toBe(statSync(job.output.host).uid);
      expect(ran.evidence.tier).toBe(caller === "root" ? "sandbox-own-user" : "sandbox-same-user");
      if (caller === "root") expect(ran.evidence.user.host).toBeGreaterThanOrEqual(2_000_000);
      else expect(ran.evidence.degraded.map((row) => row.code)).toContain("SAME_USER");
    });

    test("W4: the view holds programs, an /etc of ours, and no home, socket or state", async () => {
      const ran = await bench.run(
        bench.job("ls / ; ls -A /home /run /sys /var /root /work; cat /etc/passwd; ls /etc/shadow"),
      );
      expect(ran.exitCode).not.toBe(0);
      expect(ran.text).toContain("builder:x:1001:1001:builder:/home/builder:/bin/sh");
      expect(ran.text).not.toMatch(/\broot:x:0:0:root:\/root/);
      expect(ran.text).toMatch(/cannot access '\/etc\/shadow'/);
      expect(ran.text).toMatch(/cannot access '\/root'/);
      expect(ran.text).toMatch(/\/home:\nbuilder\n/);
    });

    test("W4: only the three standard descriptors are open, and standard output can be opened again", async () => {
      const ran = await bench.run(bench.job("ls /proc/self/fd | tr '\\n' ' '; echo again > /dev/stdout"));
      // The fourth is the directory that ls reads.
      expect(ran.text).toBe("0 1 2 3 again\n");
    });

    test("W4: certificates and resolver are shown only where the network is open", async () => {
      const script =
        "test -e /etc/resolv.conf && echo resolver; ls /etc/ssl/certs >/dev/null 2>&1 && echo certificates; true";
      expect((await bench.run(bench.job(script))).text).toBe("");
      const open = await bench.run(bench.job(script, { network: "open" }));
      expect(open.text).toContain("resolver");
      expect(open.evidence.degraded.map((row) => row.code)).toContain("OPEN_NETWORK");
    });

    test("W4: a certificate file that a variable names is shown, a file with a key is not", async () => {
      const certificate = join(bench.make(`ca-${caller}`), "ca.pem");
      writeFileSync(certificate, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
      const key = join(bench.make(`key-${caller}`), "key.pem");
      writeFileSync(key, "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n");
      const environment = { NODE_EXTRA_CA_CERTS: certificate, SSL_CERT_FILE: key };
      const ran = await bench.run(
        bench.job("cat $NODE_EXTRA_CA_CERTS; cat $SSL_CERT_FILE", { network: "open", environment }),
      );
      expect(ran.text).toContain("BEGIN CERTIFICATE");
      expect(ran.text).not.toContain("PRIVATE KEY");
    });

    test("W4: a declared toolchain is shown read-only at its own path, below a closed home too", async () => {
      const tool = bench.fill("toolchain", { "bin/greet": "#!/bin/sh\necho hello\n" });
      const ran = await bench.run(bench.job(`greet && touch ${tool}/x`, { view: { toolchains: [tool] } }));
      expect(ran.text).toMatch(/^hello\n.*Read-only file system/);
      expect(ran.evidence.mounts).toContainEqual({ at: tool, kind: "toolchain", source: tool, access: "read-only" });
    });

    test("W7: a read-only input cannot be changed, in content, name or attribute", async () => {
      const source = bench.make("source-ro");
      writeFileSync(join(source, "a"), "first\n");
      const script =
        "for c in 'echo x > a' 'rm a' 'mv a b' 'touch new' 'chmod 600 a' 'ln a b'; do sh -c \"$c\" 2>&1; done; cat a";
      const mounts = [{ host: source, at: "/work/source", access: "read-only" as const }];
      const ran = await bench.run(bench.job(script, { mounts, directory: "/work/source" }));
      expect(ran.text.match(/Read-only file system/g)?.length).toBe(6);
      expect(ran.text).toMatch(/first\n$/);
    });

    test("W7: a copy-on-write input can be changed in every way and stays as it was", async () => {
      const source = bench.fill("source-cow", { a: "first\n", "dir/b": "second\n" });
      const script =
        "echo more >> a && cat a && rm -r dir && mkdir dir && echo new > dir/c && mv a z && ls -R && stat -c %u . z";
      const mounts = [{ host: source, at: "/work/source", access: "copy-on-write" as const }];
      const ran = await bench.run(bench.job(script, { mounts, directory: "/work/source" }));
      expect(ran.text).toBe("first\nmore\n.:\ndir\nz\n\n./dir:\nc\n1001\n1001\n");
      expect(readFileSync(join(source, "a"), "utf8")).toBe("first\n");
      expect(existsSync(join(source, "dir", "b"))).toBe(true);
      expect(ran.evidence.mounts.find((row) => row.at === "/work/source")).toMatchObject({ means: "overlay" });
    });

    test("W7: mounts nest, with and without a place in the input below, writable and not", async () => {
      const source = bench.make("source-nest");
      writeFileSync(join(source, "main"), "main\n");
      const modules = bench.make("modules");
      writeFileSync(join(modules, "dep"), "dep\n");
      for (const access of ["read-only", "copy-on-write"] as const) {
        const mounts = [
          { host: modules, at: "/work/source/deep/node_modules", access: "read-only" as const },
          { host: source, at: "/work/source", access },
        ];
        const job = bench.job(
          "cat main deep/node_modules/dep; echo x > new; echo x > deep/node_modules/x; touch dist/out",
          { mounts, directory: "/work/source" },
        );
        const ran = await bench.run({ ...job, output: { ...job.output, at: "/work/source/dist" } });
        expect(ran.text.startsWith("main\ndep\n")).toBe(true);
        expect(ran.text.match(/Read-only file system/g)?.length).toBe(access === "read-only" ? 2 : 1);
        expect(existsSync(join(job.output.host, "out"))).toBe(true);
        expect(existsSync(join(source, "deep"))).toBe(false);
      }
    });

    test("W7: a single file can be an input", async () => {
      const file = join(bench.make("file-input"), "lock.json");
      writeFileSync(file, "{}");
      const mounts = [{ host: file, at: "/work/lock.json", access: "read-only" as const }];
      expect((await bench.run(bench.job("cat /work/lock.json", { mounts }))).text).toBe("{}");
    });

    test("W9: host name, path, locale, zone, mask, home and epoch are the same everywhere", async () => {
      const ran = await bench.run(bench.job("hostname; umask; env | sort", { environment: { EXTRA: "a b" } }));
      expect(ran.text).toBe(
        [
          ...[
            "touchmark",
            "0022",
            "EXTRA=a b",
            "HOME=/home/builder",
            "LANG=C.UTF-8",
            "LC_ALL=C.UTF-8",
            "LOGNAME=builder",
          ],
          ...["PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", "PWD=/", "SHELL=/bin/sh"],
          ...["SOURCE_DATE_EPOCH=1700000000", "TERM=dumb", "TMPDIR=/tmp", "TOUCHMARK_OUTPUT=/work/output", "TZ=UTC"],
          ...["USER=builder", ""],
        ].join("\n"),
      );
    });

    test("W9: the step's variables reach the step and no program of ours outside", async () => {
      const environment = { PERL5OPT: "-Mnonexistent", LD_PRELOAD: "/nonexistent.so", BASH_ENV: "/nonexistent" };
      const ran = await bench.run(bench.job("echo $PERL5OPT", { environment }));
      expect(ran.text).toContain("-Mnonexistent\n");
      expect(ran.outcome).toBe("succeeded");
    });

    test("W13: evidence gives namespaces of the step's own, the filter, the mounts and what was weaker", async () => {
      const ran = await bench.run(bench.job("for n in cgroup ipc mnt net pid uts; do readlink /proc/self/ns/$n; done"));
      const { namespaces } = ran.evidence;
      const inside = [...ran.text.matchAll(/^(\w+):\[(\d+)\]$/gm)].map((row) => [row[1], row[2]]);
      expect(inside.length).toBe(6);
      for (const [kind, inode] of inside) expect(namespaces).toMatchObject({ [String(kind)]: inode });
      expect(namespaces.user).toMatch(/^\d+$/);
      expect(ran.evidence.seccomp).toMatchObject({ architecture: hostArchitecture(), recorded: true });
      expect(ran.evidence.seccomp?.digest).toMatch(/^sha256:/);
    });

    test("W1: a place behind a symbolic link of the source is refused", async () => {
      const source = bench.make("source-link");
      symlinkSync("/etc", join(source, "node_modules"));
      const mounts = [
        { host: source, at: "/work/source", access: "read-only" as const },
        { host: bench.make("source-link-modules"), at: "/work/source/node_modules", access: "read-only" as const },
      ];
      await expect(bench.run(bench.job("true", { mounts }))).rejects.toMatchObject({ code: "JOB_INVALID" });
    });
  });
}

test("W13: without bubblewrap the probe gives no tier and the command that would help", async () => {
  const bench = openBench(process.getuid?.() === 0 ? "root" : "user");
  const worker = bubblewrapWorker({ stateDirectory: bench.directory, programs: { bwrap: "/bin/false" } });
  const probe = await worker.probe();
  expect(probe.tier).toBeNull();
  expect(probe.missing.length).toBeGreaterThan(0);
  await expect(worker.run(bench.job("true"))).rejects.toMatchObject({ code: "SANDBOX_UNAVAILABLE" });
  await bench.close();
});
