import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Bench, casesWithImages, makeImage, openBench, own } from "@touchmark/worker/fixture";
import { afterAll, describe, expect, test } from "vitest";

/** Hostile images as the root of a step. Each attack runs over every backend and caller. */
for (const { backend, caller, missing, name } of casesWithImages) {
  describe.skipIf(missing !== null)(name, () => {
    const bench = openBench(caller, backend);
    afterAll(() => bench.close());
    let count = 0;
    const image = (files: Record<string, string> = {}): string => makeImage(bench, `hostile-${++count}`, files);
    const run = (directory: string, script: string, more: Parameters<Bench["job"]>[1] = {}) =>
      bench.run(bench.job(`exec 2>&1; ${script}`, { rootfs: { directory }, ...more }));

    test("W15: AT19: a link where the sandbox mounts leads no mount outside: WORKER_IMAGE_PLACE", async () => {
      const target = bench.fill("target", { kept: "kept\n" });
      const places = ["tmp", "proc", "dev", "run", "sys", "var", "var/tmp", "home", "home/builder", "work", "srv"];
      // An ordinary caller is a process of its own for each; the check is the same.
      if (caller === "user") places.splice(2, 7);
      for (const place of places) {
        for (const to of [`-> ${target}`, "-> ../../../../../../tmp", "-> /oldroot/tmp"].slice(
          0,
          place === "tmp" ? 3 : 1,
        )) {
          const directory = image({ [place]: to });
          const mounts = [{ host: target, at: "/srv/deep/in", access: "read-only" as const }];
          await expect(run(directory, "echo x > /tmp/planted", { mounts })).rejects.toMatchObject({
            code: "WORKER_IMAGE_PLACE",
            message: expect.stringContaining(`at /${place} of the image, found a symbolic link`),
          });
        }
      }
      const etc = image();
      rmSync(join(etc, "etc"), { recursive: true });
      symlinkSync(target, join(etc, "etc"));
      await expect(run(etc, "true")).rejects.toMatchObject({ code: "WORKER_IMAGE_PLACE" });
      expect(readdirSync(target)).toEqual(["kept"]);
    });

    test("W15: AT19: a file or pipe where the sandbox mounts is refused: WORKER_IMAGE_PLACE", async () => {
      for (const place of ["tmp", "proc", "work", "work/output", "home/builder"]) {
        await expect(run(image({ [place]: "file" }), "true")).rejects.toMatchObject({
          code: "WORKER_IMAGE_PLACE",
          message: expect.stringContaining("found a file"),
        });
      }
      const directory = image();
      expect(spawnSync("mkfifo", [join(directory, "run")]).status).toBe(0);
      await expect(run(directory, "true")).rejects.toMatchObject({ code: "WORKER_IMAGE_PLACE" });
      const under = bench.fill("file-below", { a: "a" });
      const mounts = [{ host: join(under, "a"), at: "/srv/lock", access: "read-only" as const }];
      await expect(run(image({ "srv/lock/x": "x" }), "true", { mounts })).rejects.toMatchObject({
        code: "WORKER_IMAGE_PLACE",
        message: expect.stringContaining("expected a file or nothing at /srv/lock"),
      });
    });

    test("W15: AT1: a link that appears after the check is hidden, not followed", async () => {
      const target = bench.make(`swapped-${++count}`);
      const directory = image({ "work/old": "old" });
      const flip = setInterval(() => {
        const [work, aside] = [join(directory, "work"), join(directory, "aside")];
        if (existsSync(aside)) {
          rmSync(work, { force: true });
          renameSync(aside, work);
        } else {
          renameSync(work, aside);
          symlinkSync(target, work);
        }
      }, 3);
      try {
        for (let round = 0; round < 4; round += 1) {
          const job = bench.job("echo x > /work/output/made", { rootfs: { directory } });
          const ended = await bench.run(job).then(
            (ran) => ran.outcome,
            (error: { code: string }) => error.code,
          );
          expect(["succeeded", "WORKER_IMAGE_PLACE"]).toContain(ended);
          expect(readdirSync(job.output.host)).toEqual(ended === "succeeded" ? ["made"] : []);
        }
      } finally {
        clearInterval(flip);
      }
      expect(readdirSync(target)).toEqual([]);
    });

    test("W15: AT20: set-id programs and devices of an image give nothing", async () => {
      const directory = image();
      const program = join(directory, "bin/busybox-set");
      copyFileSync(join(directory, "bin/busybox"), program);
      own(directory, bench.ids);
      chmodSync(program, 0o6755);
      if (process.getuid?.() === 0) {
        spawnSync("mknod", ["-m", "666", join(directory, "memory"), "c", "1", "3"]);
        if (caller === "user") chownSync(join(directory, "memory"), bench.ids.uid ?? 0, bench.ids.gid ?? 0);
      }
      const ran = await run(directory, "/bin/busybox-set cat /proc/self/status; echo x > /memory");
      expect(ran.text).toMatch(/Uid:\t1001\t1001\t1001\t1001\n/);
      expect(ran.text).toMatch(/CapEff:\t0+\n/);
      expect(ran.text).toMatch(/NoNewPrivs:\t1\n/);
      expect(ran.text).toMatch(/Permission denied|Read-only file system/);
      expect(ran.exitCode).not.toBe(0);
    });

    test("W15: an image's own word on users, hosts and resolver counts for nothing", async () => {
      const directory = image({
        "etc/group": "root:x:1001:\n",
        "etc/hosts": "10.0.0.1 proxy\n",
        "etc/resolv.conf": "-> /proc/self/environ",
        "etc/hostname/nested": "evil",
        "etc/nsswitch.conf": "-> ../../../../etc/shadow",
      });
      const ran = await run(directory, "id; cat /etc/passwd /etc/group /etc/hosts /etc/resolv.conf /etc/hostname");
      expect(ran.text).toMatch(/^uid=1001\(builder\) gid=1001\(builder\)/);
      expect(ran.text).toContain("builder:x:1001:1001");
      expect(ran.text).not.toMatch(/10\.0\.0\.1|evil|builder:x:0/);
      expect(ran.outcome).toBe("succeeded");
    });

    test("W15: what an image holds at the output's place is never released", async () => {
      const directory = image({ "work/output/planted": "planted" });
      const job = bench.job("ls -A /work/output; echo made > /work/output/made", { rootfs: { directory } });
      expect((await bench.run(job)).text).toBe("");
      expect(readdirSync(job.output.host)).toEqual(["made"]);
    });

    test("W9: variables and preloads of an image reach no program outside of it", async () => {
      const directory = image({ "etc/ld.so.preload": "/lib/evil.so\n" });
      const libraries =
        spawnSync("ldd", ["/usr/bin/cat"], { encoding: "utf8" }).stdout.match(/\/\S+(?=\s+\(0x)/g) ?? [];
      for (const [from, to] of [
        ...libraries.map((path) => [path, path] as const),
        ["/usr/bin/cat", "/opt/cat"] as const,
      ]) {
        mkdirSync(dirname(join(directory, to)), { recursive: true });
        copyFileSync(from, join(directory, to));
      }
      own(directory, bench.ids);
      const environment = { LD_PRELOAD: "/nonexistent.so", PERL5OPT: "-Mnonexistent", PATH: "/bin" };
      const job = bench.job("exec 2>&1; /opt/cat /etc/os-release", { rootfs: { directory, environment } });
      const ran = await bench.run(job);
      expect(ran.text).toContain("ID=tiny\n");
      expect(ran.text).toContain("/lib/evil.so");
      expect(ran.text).toContain("/nonexistent.so");
      expect(ran.evidence.mounts[0]).toMatchObject({ kind: "image", source: directory });
      expect(ran.evidence.constants).toMatchObject({ LD_PRELOAD: "/nonexistent.so" });
    });

    test("W1: AT19: no start of a step leads out by a descriptor that the sandbox program holds: JOB_INVALID", async () => {
      const out = "/proc/self/fd/5/..";
      const source = bench.fill(`leak-${++count}`, { "by-line": `#!${out}/bin/sh\n`, "sub/kept": "kept\n" });
      const links = {
        fd: "/proc/self/fd/5",
        dev: "/dev/fd/5",
        loop: "far",
        far: "sub/../fd",
        run: `${out}/usr/bin/id`,
        ok: "sub",
      };
      for (const [link, target] of Object.entries(links)) symlinkSync(target, join(source, link));
      const mounts = [{ host: source, at: "/work/in", access: "read-only" as const }];
      const rootfs = { directory: image({ "srv/out": "-> /proc/self/fd/5", "srv/dot": "-> ../work/in/fd" }) };
      const job = (more: object) => ({ ...bench.job("cat kept", { mounts }), ...more });
      const starts = [
        ...["/proc/self/fd/5", "/work/in/fd", "/work/in/dev", "/work/in/loop"].map((directory) => ({ directory })),
        ...["/srv/out", "/srv/dot/usr"].map((directory) => ({ directory, rootfs })),
        ...["/work/in/run", "/work/in/by-line", `${out}/usr/bin/id`, "in/run"].map((program) => ({
          directory: "/work",
          command: [program],
        })),
        { command: ["id"], environment: { PATH: "/work/in/fd/../usr/bin" } },
      ];
      for (const start of starts.filter((_, index) => caller === "root" || index % 3 === 1)) {
        await expect(bench.run(job(start))).rejects.toMatchObject({ code: "JOB_INVALID" });
      }
      expect((await bench.run(job({ directory: "/work/in/ok" }))).text).toBe("kept\n");
    });

    test("W15: marks that an overlay obeys hide or move nothing when an image has them", async () => {
      const directory = image({ "opt/own": "own\n" });
      for (const prefix of process.getuid?.() === 0 ? ["user", "trusted"] : ["user"]) {
        const words = [`${prefix}.overlay.redirect`, `${prefix}.overlay.opaque`].map((mark) =>
          spawnSync("setfattr", ["-n", mark, "-v", mark.endsWith("opaque") ? "y" : "/etc", join(directory, "opt")]),
        );
        expect(words.length).toBe(2);
      }
      const ran = await run(directory, "cat /opt/own; ls /opt; ls /etc/shadow");
      expect(ran.text).toMatch(/^own\nown\n/);
      expect(ran.text).toMatch(/shadow: No such file/);
    });

    test("W15: an image of very many files costs a step no look at them", async () => {
      const directory = image();
      for (let index = 0; index < 5000; index += 1) writeFileSync(join(directory, "etc", `f${index}`), "");
      expect((await run(directory, "echo /etc/f* | cat | echo done")).text).toBe("done\n");
    });

    test("W15: the host's files and an image are never mixed: WORKER_IMAGE_TOOLCHAINS, WORKER_IMAGE_MISSING", async () => {
      const directory = image();
      await expect(run(directory, "true", { view: { toolchains: ["cargo"] } })).rejects.toMatchObject({
        code: "WORKER_IMAGE_TOOLCHAINS",
      });
      const link = join(bench.directory, `link-${++count}`);
      symlinkSync(directory, link);
      for (const wrong of ["/", link, join(directory, "etc/os-release"), "/nonexistent", "relative"]) {
        await expect(run(wrong, "true")).rejects.toMatchObject({ code: "WORKER_IMAGE_MISSING" });
      }
      const rootfs = { directory, environment: { SOURCE_DATE_EPOCH: "0" } };
      await expect(bench.run(bench.job("true", { rootfs }))).rejects.toMatchObject({ code: "JOB_INVALID" });
    });
  });
}
