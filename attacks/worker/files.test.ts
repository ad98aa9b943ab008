import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { hostArchitecture, systemCallNumber } from "@touchmark/worker/fixture";
import { expect } from "vitest";
import { attack, refusedCalls } from "./scene.ts";

const readOnly = (host: string, at = "/work/source") => ({ host, at, access: "read-only" as const });

attack("W7: AT19: a build cannot plant itself in its inputs: EROFS", async ({ bench, plain, sealed }) => {
  const source = bench.fill("project", { "lib/plugin.js": "clean\n" });
  const script = "echo infected >> lib/plugin.js && echo planted; cat lib/plugin.js";
  expect(plain(script, { cwd: bench.fill("plain", { "lib/plugin.js": "clean\n" }) })).toContain("infected");
  const ran = await sealed(script, { mounts: [readOnly(source)], directory: "/work/source" });
  expect(ran.text).toMatch(/cannot create lib\/plugin.js: Read-only file system\nclean\n/);
  expect(readFileSync(join(source, "lib/plugin.js"), "utf8")).toBe("clean\n");
});

attack(
  "W7: AT1: a source cannot be swapped while it is compiled, nor by a step beside: EROFS",
  async ({ bench, plain, sealed }) => {
    // A watcher in the background waits for the compiler, swaps the file, and restores it afterwards.
    const build =
      "(while ! test -e /tmp/go-$$; do :; done; cp a.c /tmp/a-$$; { echo backdoor > a.c; } 2>&1; touch /tmp/in-$$) & " +
      "touch /tmp/go-$$; while ! test -e /tmp/in-$$; do :; done; cat a.c > $OUT; cp /tmp/a-$$ a.c 2>/dev/null; cat $OUT a.c";
    const plainSource = bench.fill("swapped", { "a.c": "clean\n" });
    expect(plain(build, { cwd: plainSource, env: { OUT: join(plainSource, "out") } })).toBe("backdoor\nclean\n");
    const source = bench.fill("sealed", { "a.c": "clean\n" });
    const environment = { OUT: "/work/output/out" };
    const ran = await sealed(build, { mounts: [readOnly(source)], directory: "/work/source", environment });
    expect(ran.text).toMatch(/Read-only file system/);
    expect(ran.text).toMatch(/clean\nclean\n$/);
    // The same source, writable and private in one step, unchanged in another that runs at the same time.
    const mine = { host: source, at: "/work/source", access: "copy-on-write" as const };
    const [swapper, compiler] = await Promise.all([
      sealed("echo backdoor > a.c; sleep 0.5; cat a.c", { mounts: [mine], directory: "/work/source" }),
      sealed("sleep 0.3; cat a.c", { mounts: [readOnly(source)], directory: "/work/source" }),
    ]);
    expect([swapper.text, compiler.text]).toEqual(["backdoor\n", "clean\n"]);
  },
);

attack(
  "W4: a link in the output leads nowhere inside, and is neither followed nor changed outside",
  async ({ bench, plain }) => {
    const target = bench.fill("secret", { key: "secret\n" });
    const script = (out: string) =>
      `ln -s ${target}/key ${out}/link && ln -s ${target} ${out}/directory; cat ${out}/link; echo x >> ${out}/link`;
    expect(plain(script(bench.make("plain-output")))).toBe("secret\n");
    expect(readFileSync(join(target, "key"), "utf8")).toBe("secret\nx\n");
    const before = statSync(join(target, "key"));
    const job = bench.job(script("/work/output"));
    const ran = await bench.run(job);
    expect(ran.text).toMatch(/cat: \/work\/output\/link: No such file or directory/);
    expect(readlinkSync(join(job.output.host, "link"))).toBe(join(target, "key"));
    expect(lstatSync(join(job.output.host, "directory")).isSymbolicLink()).toBe(true);
    const after = statSync(join(target, "key"));
    expect([after.uid, after.mode, after.mtimeMs]).toEqual([before.uid, before.mode, before.mtimeMs]);
  },
);

attack(
  "W5: a step cannot give out a set-user-id program: EPERM, and the bit is gone by every other way",
  async ({ bench, plain }) => {
    const openat2 = "437";
    const how = 'my ($n, $h) = ($ARGV[0], pack "QQQ", 0101, 04755, 0); syscall(' + openat2 + ", -100, $n, $h, 24);";
    const script = (out: string) =>
      `cp /bin/sh ${out}/sh && chmod 4755 ${out}/sh; perl -e '${how}' ${out}/other; stat -c %a ${out}/sh`;
    expect(plain(script(bench.make("plain-output")))).toBe("4755\n");
    const job = bench.job(script("/work/output"));
    const ran = await bench.run(job);
    expect(ran.text).toMatch(/Operation not permitted\n755\n$/);
    expect(refusedCalls(ran).every((row) => /^f?chmod(at2?)? EPERM$/.test(row))).toBe(true);
    for (const name of ["sh", "other"]) expect(lstatSync(join(job.output.host, name)).mode & 0o7000).toBe(0);
  },
);

attack("W7: a hard link cannot carry an input or a system program into the output: EXDEV", async ({ bench, plain }) => {
  const source = bench.fill("linked", { a: "clean\n" });
  const out = bench.make("plain-output");
  expect(plain(`ln a ${out}/a && echo changed > ${out}/a; cat a`, { cwd: source })).toBe("changed\n");
  const other = bench.fill("sealed", { a: "clean\n" });
  const ran = await bench.run(
    bench.job("ln a /work/output/a; ln /usr/bin/env /work/output/env; cat a", {
      mounts: [readOnly(other)],
      directory: "/work/source",
    }),
  );
  expect(ran.text.match(/Invalid cross-device link/g)?.length).toBe(2);
  expect(ran.text).toMatch(/clean\n$/);
});

attack(
  "W3: a step of a root factory cannot make device nodes: EPERM",
  async ({ bench, plain, sealed }) => {
    expect(plain(`mknod ${bench.make("plain")}/d c 1 3 && echo made`)).toBe("made\n");
    const ran = await sealed("mknod /work/output/d c 1 3 || mknod /tmp/d b 8 0");
    expect(ran.text.match(/Operation not permitted/g)?.length).toBe(2);
  },
  ["root"],
);

attack(
  "W3: a step of a root factory cannot read what only root may read, even in a directory that is shown: EACCES",
  async ({ bench, plain, sealed }) => {
    const tool = bench.fill("toolchain", { "bin/tool": "#!/bin/sh\n", token: "secret\n" });
    plain(`chmod 600 ${tool}/token; mkdir -m 700 ${tool}/closed; echo secret > ${tool}/closed/token`);
    const script = `cat ${tool}/token ${tool}/closed/token`;
    expect(plain(script)).toBe("secret\nsecret\n");
    const ran = await sealed(script, { view: { toolchains: [tool] } });
    expect(ran.text.match(/Permission denied/g)?.length).toBe(2);
    expect(ran.text).not.toContain("secret\n");
  },
  ["root"],
);

attack("W1: a link in the source cannot move a mount to another place: JOB_INVALID", async ({ bench, plain }) => {
  const source = bench.make("hostile");
  symlinkSync("/etc", join(source, "node_modules"));
  // Whoever mounts or copies by name follows the link.
  expect(plain("ls node_modules/passwd", { cwd: source })).toBe("node_modules/passwd\n");
  const mounts = [readOnly(source), readOnly(bench.make("modules"), "/work/source/node_modules")];
  await expect(bench.run(bench.job("true", { mounts }))).rejects.toMatchObject({ code: "JOB_INVALID" });
});

attack(
  "W2: directories that nobody may enter, or too deep for a path, do not outlive the step's private view",
  async ({ bench }) => {
    const source = bench.fill("deep", { a: "a" });
    const deep =
      'perl -e \'for (1 .. 300) { mkdir "d" x 50; chdir "d" x 50 } open F, ">f"\'; mkdir -m 0 closed; chmod 0 .';
    const ran = await bench.run(
      bench.job(deep, {
        mounts: [{ host: source, at: "/work/source", access: "copy-on-write" }],
        directory: "/work/source",
      }),
    );
    expect(ran.exitCode).toBe(0);
    expect(existsSync(join(bench.directory, "state", "sandbox", "steps"))).toBe(true);
    expect(lstatSync(source).mode & 0o777).not.toBe(0);
    const left = await bench.run(bench.job("true"));
    expect(left.outcome).toBe("succeeded");
  },
);

attack("W4: one step cannot leave a message for the next in a shared place", async ({ bench, plain, sealed }) => {
  const mark = `touchmark-${process.pid}-${Date.now()}`;
  expect(plain(`echo m > /tmp/${mark}; cat /tmp/${mark}; rm /tmp/${mark}`)).toBe("m\n");
  await sealed(`for d in /tmp /var/tmp /dev/shm $HOME; do echo m > $d/${mark} || exit 1; done`);
  const ran = await sealed("ls -A /tmp /var/tmp /dev/shm $HOME");
  expect(ran.text).not.toContain(mark);
  mkdirSync(join(bench.directory, "unused"));
  writeFileSync(join(bench.directory, "unused", "x"), String(systemCallNumber(hostArchitecture(), "openat")));
});
