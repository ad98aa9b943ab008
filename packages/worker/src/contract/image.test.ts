import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { casesWithImages, openBench } from "../fixture.ts";
import { makeImage } from "../image-fixture.ts";

for (const { backend, caller, name, missing } of casesWithImages) {
  describe.skipIf(missing !== null)(name, () => {
    const bench = openBench(caller, backend);
    afterAll(() => bench.close());

    test("W15: the image is all that a step sees of programs: nothing of the host's shows", async () => {
      const rootfs = { directory: makeImage(bench, "plain", { "opt/own": "own\n" }) };
      const script =
        "exec 2>&1; cat /opt/own /etc/os-release; ls /; ls /usr /lib /lib64 /root; echo /etc/*; ls /run; pwd";
      const ran = await bench.run(bench.job(script, { rootfs }));
      expect(ran.text).toMatch(/^own\nID=tiny\nbin\ndev\netc\nhome\nopt\nproc\nrun\nsys\ntmp\nvar\nwork\n/);
      expect(ran.text.match(/No such file or directory/g)?.length).toBe(4);
      expect(ran.text).toContain(
        "/etc/group /etc/hostname /etc/hosts /etc/machine-id /etc/nsswitch.conf /etc/os-release /etc/passwd /etc/resolv.conf /etc/shells\n/\n",
      );
    });

    test("W15: an image is read-only, and temporary places and the output are not", async () => {
      const directory = makeImage(bench, "writable", { file: "one" });
      const before = readdirSync(directory).sort();
      const script = `exec 2>&1; for p in /file /new /etc/new /run/new /dev/new /opt; do touch $p || mkdir $p; done
        for p in /tmp /var/tmp $HOME /dev/shm $TOUCHMARK_OUTPUT; do echo x > $p/made && cat $p/made; done`;
      const job = bench.job(script, { rootfs: { directory } });
      const ran = await bench.run(job);
      expect(ran.text.match(/Read-only file system|Permission denied/g)?.length).toBe(11);
      expect(ran.text).toMatch(/(?:x\n){5}$/);
      expect(readFileSync(join(job.output.host, "made"), "utf8")).toBe("x\n");
      expect(readdirSync(directory).sort()).toEqual(before);
    });

    test("W15: inputs, provided files and the output lie over the image, also where it has no place for them", async () => {
      const rootfs = {
        directory: makeImage(bench, "mounts", { "work/output/planted": "planted", "srv/in/old": "old" }),
      };
      const source = bench.fill("image-source", { a: "a\n" });
      const provided = bench.fill("image-provided", { given: "given\n" });
      const mounts = [
        { host: source, at: "/srv/in", access: "read-only" as const },
        { host: source, at: "/work/deep/er", access: "copy-on-write" as const },
      ];
      const script = `ls /srv/in /work/output; cat /work/deep/er/a /run/touchmark/x/given; echo b > /work/deep/er/a && cat /work/deep/er/a
        ls /run /run/touchmark`;
      const job = bench.job(script, { rootfs, mounts, provided: [{ host: provided, at: "/run/touchmark/x" }] });
      const ran = await bench.run(job);
      expect(ran.text).toBe("/srv/in:\na\n\n/work/output:\na\ngiven\nb\n/run:\ntouchmark\n\n/run/touchmark:\nx\n");
      expect(readdirSync(job.output.host)).toEqual([]);
      expect(existsSync(join(rootfs.directory, "work/deep"))).toBe(false);
    });

    test("W15: who the step is does not depend on the image, and its files are the step's", async () => {
      const rootfs = {
        directory: makeImage(bench, "who"),
        environment: { HOME: "/root", PATH: "/bin", X: "1", LANG: "C" },
      };
      const ran = await bench.run(
        bench.job("id -u; id -un; cat /etc/hostname; stat -c %u /bin/busybox; env", { rootfs }),
      );
      expect(ran.text).toMatch(/^1001\nbuilder\ntouchmark\n1001\n/);
      for (const row of ["HOME=/home/builder", "PATH=/bin", "X=1", "LANG=C.UTF-8"])
        expect(ran.text).toContain(`${row}\n`);
      expect(ran.evidence.constants).toMatchObject({ PATH: "/bin", X: "1", HOME: "/home/builder" });
    });

    test("W15: the evidence names the image, what is ours in it, and what is the step's own", async () => {
      const directory = makeImage(bench, "evidence");
      const { mounts } = (await bench.run(bench.job("true", { rootfs: { directory } }))).evidence;
      expect(mounts[0]).toEqual({ at: "/", kind: "image", source: directory, access: "read-only", means: "overlay" });
      const passwd = mounts.find((row) => row.at === "/etc/passwd");
      expect(passwd).toMatchObject({ kind: "generated", access: "read-only" });
      expect(readFileSync(passwd?.source ?? "", "utf8")).toContain("builder:x:1001:1001");
      expect(mounts.filter((row) => row.kind === "system" || row.kind === "toolchain")).toEqual([]);
      expect(mounts).toContainEqual({ at: "/tmp", kind: "temporary", source: null, access: "read-write" });
    });

    test("W15: a program, interpreter or loader that the image lacks is named", async () => {
      const files = { "opt/script": "#!/usr/bin/perl\n", "opt/good": "#!/bin/sh\necho good\n" };
      const rootfs = { directory: makeImage(bench, "programs", files) };
      const run = (...command: string[]) => bench.run({ ...bench.job("", { rootfs }), command });
      const refused = (message: RegExp) => ({ code: "WORKER_IMAGE_PROGRAM", message: expect.stringMatching(message) });
      await expect(run("perl", "-e", "1")).rejects.toMatchObject(refused(/the program perl .* looked for on \/usr/));
      await expect(run("/opt/script")).rejects.toMatchObject(
        refused(/\/usr\/bin\/perl in the image, which \/opt\/script/),
      );
      await expect(run("/etc/passwd")).rejects.toMatchObject(refused(/no executable file/));
      expect((await run("/opt/good")).text).toBe("good\n");
      const tools = bench.fill("image-tools", { build: "#!/bin/sh\necho built\n" });
      const mounts = [{ host: tools, at: "/work/tools", access: "read-only" as const }];
      const job = bench.job("", { rootfs, mounts, directory: "/work" });
      expect((await bench.run({ ...job, command: ["tools/build"] })).text).toBe("built\n");
    });
  });
}
