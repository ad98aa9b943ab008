import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fixedClock, systemClock } from "@touchmark/core";
import {
  type AttestedWorkload,
  joinTokens,
  kernelWorkloadAttestor,
  stepId,
  workloadRegistry,
} from "@touchmark/identity";
import { type FactoryFixture, factoryFixture, findProgram } from "@touchmark/test-kit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

/* Processes that pass for others. Each first succeeds against a check that a hurried program would make. */

const linux = process.platform === "linux";
const identityModule = new URL("../../packages/identity/src/index.ts", import.meta.url).href;
const unshare = linux ? findProgram("unshare") : undefined;
const asRoot = process.getuid?.() === 0 ? [] : ["-U", "-r"];
const mayUnshare =
  unshare !== undefined &&
  spawnSync(unshare, [
    ...asRoot,
    "--pid",
    "--fork",
    "--mount-proc",
    "/bin/sh",
    "-c",
    "echo 9 >/proc/sys/kernel/ns_last_pid",
  ]).status === 0;
const run = promisify(execFile);
const attestor = kernelWorkloadAttestor({ clock: systemClock });
const step = (name: string) => stepId("factory.example", "demo", "default", name);
const children: ChildProcess[] = [];
let factory: FactoryFixture;
let scratch: string;
beforeAll(async () => {
  factory = await factoryFixture();
  scratch = mkdtempSync(join(tmpdir(), "touchmark-workload-"));
});
afterAll(() => {
  factory.dispose();
  rmSync(scratch, { recursive: true, force: true });
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function start(command: string, ...args: string[]): Promise<ChildProcess & { pid: number }> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
  children.push(child);
  await once(child, "spawn");
  return child as ChildProcess & { pid: number };
}
const value = (workload: AttestedWorkload, type: string) =>
  workload.selectors.find((selector) => selector.type === type)?.value;
const digestOf = (path: string) => `sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`;

test.runIf(linux)("a step asks for the identity of another step", async () => {
  const [build, pack] = await Promise.all([start("/bin/sleep", "60"), start("/bin/sleep", "61")]);
  // Undefended: the asker names the identity, and is believed.
  expect((await factory.identity.newSigner({ spiffeId: step("pack") })).spiffeId).toBe(step("pack"));
  const registry = workloadRegistry(factory.identity);
  const [asker, owner] = [attestor.attest(build.pid), attestor.attest(pack.pid)];
  registry.register(step("build"), asker.selectors);
  registry.register(step("pack"), owner.selectors);
  await expect(registry.newSigner(asker, step("pack"))).rejects.toMatchObject({ code: "WORKLOAD_SELECTOR_MISMATCH" });
  expect((await registry.newSigner(owner, step("pack"))).spiffeId).toBe(step("pack"));
});

test.runIf(linux)("a process connects, then executes the trusted program", async () => {
  const sleep = readlinkSync(`/proc/${(await start("/bin/sleep", "60")).pid}/exe`);
  const trusted = digestOf(sleep);
  const evil = await start("/bin/sh", "-c", "read line; exec sleep 60");
  const workload = attestor.attest(evil.pid);
  const registry = workloadRegistry(factory.identity);
  registry.register(step("exec"), [{ type: "executable-digest", value: trusted, label: "kernel" }]);
  evil.stdin?.write("now\n");
  await expect.poll(() => readlinkSync(`/proc/${evil.pid}/exe`)).toBe(sleep);
  // Undefended: whoever looks only now sees the trusted program.
  expect(digestOf(`/proc/${evil.pid}/exe`)).toBe(trusted);
  await expect(registry.newSigner(workload, step("exec"))).rejects.toMatchObject({
    code: "WORKLOAD_EXECUTABLE_CHANGED",
  });
});

test.runIf(linux)("a program puts the trusted file at its own path once it runs", async () => {
  const program = join(scratch, "program");
  copyFileSync("/bin/cat", program);
  chmodSync(program, 0o755);
  const child = await start(program);
  copyFileSync("/bin/sleep", `${program}.new`);
  renameSync(`${program}.new`, program);
  const trusted = digestOf("/bin/sleep");
  // Undefended: the file at the path of the command hashes as it should.
  expect(digestOf(program)).toBe(trusted);
  const workload = attestor.attest(child.pid);
  expect(value(workload, "executable-digest")).toBe(digestOf("/bin/cat"));
  const registry = workloadRegistry(factory.identity);
  registry.register(step("swap"), [{ type: "executable-digest", value: trusted, label: "kernel" }]);
  await expect(registry.newSigner(workload, step("swap"))).rejects.toMatchObject({
    code: "WORKLOAD_SELECTOR_MISMATCH",
  });
});

test.runIf(linux)("a stranger of the same user asks to be attested", async () => {
  const shell = await start("/bin/sh", "-c", "setsid sleep 60 >/dev/null & echo $!; exit 0");
  const [[line]] = (await Promise.all([once(shell.stdout ?? shell, "data"), once(shell, "exit")])) as [
    [Buffer],
    unknown,
  ];
  const orphan = Number(line.toString());
  try {
    // Undefended: the user matches, and so does the program.
    expect(statSync(`/proc/${orphan}`).uid).toBe(process.getuid?.());
    await expect
      .poll(() => /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${orphan}/status`, "latin1"))?.[1])
      .not.toBe(String(shell.pid));
    expect(() => attestor.attest(orphan)).toThrow(expect.objectContaining({ code: "WORKLOAD_NOT_OURS" }));
  } finally {
    process.kill(orphan, "SIGKILL");
  }
});

test.skipIf(!mayUnshare)("another process gets the number of one that was attested", async () => {
  // In a namespace of its own the next number can be chosen, so that the kernel really hands it out again.
  const script = join(scratch, "reuse.mjs");
  writeFileSync(
    script,
    `import { spawn } from "node:child_process";
    import { once } from "node:events";
    import { readFileSync, writeFileSync } from "node:fs";
    import { kernelWorkloadAttestor } from ${JSON.stringify(identityModule)};
    const start = async () => { const child = spawn("/bin/sleep", ["60"]); await once(child, "spawn"); return child; };
    const first = await start();
    const workload = kernelWorkloadAttestor({ clock: { now: () => new Date() } }).attest(first.pid);
    workload.confirm();
    const careless = () => readFileSync("/proc/" + first.pid + "/comm", "latin1").trim();
    const expected = careless();
    first.kill("SIGKILL");
    await once(first, "exit");
    await new Promise((resolve) => setTimeout(resolve, 50));
    let second;
    for (let tries = 0; tries < 50 && second?.pid !== first.pid; tries++) {
      second?.kill("SIGKILL");
      writeFileSync("/proc/sys/kernel/ns_last_pid", String(first.pid - 1));
      second = await start();
    }
    const seen = careless() === expected && second.pid === first.pid;
    let code = "accepted";
    try { workload.confirm(); } catch (error) { code = error.code; }
    second.kill("SIGKILL");
    console.log(JSON.stringify({ seen, code }));`,
  );
  const { stdout } = await run(unshare ?? "", [...asRoot, "--pid", "--fork", "--mount-proc", process.execPath, script]);
  // Undefended: number and name are those that were attested.
  expect(JSON.parse(stdout)).toEqual({ seen: true, code: "WORKLOAD_PID_REUSED" });
});

test("a join token is replayed, also by many at the same moment", async () => {
  const directory = join(scratch, "tokens");
  const tokens = joinTokens({ directory, clock: systemClock });
  const token = tokens.create();
  // Undefended: compare with the stored digest, and forget to spend it.
  const known = readFileSync(join(directory, `${createHash("sha256").update(token).digest("hex")}.json`), "utf8");
  const careless = () => JSON.parse(known).expires > new Date().toISOString();
  expect([careless(), careless()]).toEqual([true, true]);
  const script = `import { joinTokens } from ${JSON.stringify(identityModule)};
    const [directory, token] = process.argv.slice(1);
    try { joinTokens({ directory, clock: { now: () => new Date() } }).redeem(token); console.log("joined"); }
    catch (error) { console.log(error.code); }`;
  const attempts = await Promise.all(
    Array.from({ length: 6 }, () => run(process.execPath, ["--input-type=module", "-e", script, directory, token])),
  );
  const answers = attempts.map(({ stdout }) => stdout.trim()).sort();
  expect(answers).toEqual([...Array<string>(5).fill("JOIN_TOKEN_USED"), "joined"]);
});

test("a join token is kept until the clock is set back", () => {
  const clock = fixedClock("2026-11-21T10:00:00Z");
  const tokens = joinTokens({ directory: join(scratch, "back"), clock });
  const token = tokens.create({ lifetimeSeconds: 60 });
  const expires = new Date("2026-11-21T10:01:00Z");
  clock.set("2026-11-21T12:00:00Z");
  expect(() => tokens.redeem(token)).toThrow(expect.objectContaining({ code: "JOIN_TOKEN_EXPIRED" }));
  // Undefended: with the clock set back, the expiry alone would let it in.
  clock.set("2026-11-21T10:00:30Z");
  expect(clock.now() < expires).toBe(true);
  expect(() => tokens.redeem(token)).toThrow(expect.objectContaining({ code: "JOIN_TOKEN_USED" }));
});
