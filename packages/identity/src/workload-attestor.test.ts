import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readlinkSync } from "node:fs";
import { systemClock } from "@touchmark/core";
import { type FactoryFixture, factoryFixture } from "@touchmark/test-kit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { kernelWorkloadAttestor, selectorsOf, workloadRegistry } from "./index.ts";

// Facts of processes are those of the Linux kernel; elsewhere the attestor says so.
const linux = process.platform === "linux";
const attestor = kernelWorkloadAttestor({ clock: systemClock });
const refusal = (code: string) => expect.objectContaining({ code });
const children: ChildProcess[] = [];
let factory: FactoryFixture;
beforeAll(async () => {
  factory = await factoryFixture();
});
afterAll(() => factory.dispose());
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Starts a program that waits, and answers once it runs (and is no longer our own image before its exec). */
async function start(command: string, ...args: string[]): Promise<ChildProcess & { pid: number }> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
  children.push(child);
  await once(child, "spawn");
  return child as ChildProcess & { pid: number };
}
const selector = (list: readonly { type: string; value: string }[], type: string) =>
  list.find((each) => each.type === type)?.value;
const spiffeId = (step: string) => `spiffe://factory.example/project/p/pipeline/l/step/${step}`;

test.runIf(linux)("W1: selectors are the kernel's facts", async () => {
  const child = await start("/bin/sleep", "60");
  const workload = attestor.attest(child.pid);
  const { selectors } = workload;
  expect(new Set(selectors.map(({ label }) => label))).toEqual(new Set(["kernel"]));
  expect(selector(selectors, "pid")).toBe(String(child.pid));
  expect(selector(selectors, "start-time")).toMatch(/^\d+$/);
  expect(`pid:[${selector(selectors, "pid-namespace")}]`).toBe(readlinkSync("/proc/self/ns/pid"));
  expect(selector(selectors, "uid")).toBe(String(process.getuid?.()));
  const executable = selector(selectors, "executable") ?? "";
  const digest = createHash("sha256").update(readFileSync(executable)).digest("hex");
  expect(selector(selectors, "executable-digest")).toBe(`sha256:${digest}`);
  expect(() => workload.confirm()).not.toThrow();
});

test("W1: another system is refused", () => {
  const platform = Object.getOwnPropertyDescriptor(process, "platform") as PropertyDescriptor;
  Object.defineProperty(process, "platform", { ...platform, value: "darwin" });
  try {
    expect(() => attestor.attest(process.pid)).toThrow(refusal("WORKLOAD_UNSUPPORTED"));
  } finally {
    Object.defineProperty(process, "platform", platform);
  }
});

test.runIf(linux)("W2: a process that we did not start is refused, also ourselves and the first one", () => {
  for (const pid of [1, process.ppid, process.pid]) {
    expect(() => attestor.attest(pid)).toThrow(refusal("WORKLOAD_NOT_OURS"));
  }
  expect(() => attestor.attest(2 ** 22 + 1)).toThrow(refusal("WORKLOAD_GONE"));
});

test.runIf(linux)("W2: a process that the kernel does not show to us is refused", () => {
  // An unprivileged child asks about the first process; its parent is number 0.
  const script = `import { kernelWorkloadAttestor } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    try { kernelWorkloadAttestor({ clock: { now: () => new Date() }, owner: 0 }).attest(1); } catch (e) { console.log(e.code); }`;
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { ...user, encoding: "utf8" });
  expect(stdout).toBe("WORKLOAD_UNREADABLE\n");
});

test.runIf(linux)("W3: an ended process is refused", async () => {
  const child = await start("/bin/sleep", "60");
  const workload = attestor.attest(child.pid);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(() => workload.confirm()).toThrow(refusal("WORKLOAD_GONE"));
});

test.runIf(linux)("W3: a process that executes another program is refused", async () => {
  const child = await start("/bin/sh", "-c", "read line; exec sleep 60");
  const workload = attestor.attest(child.pid);
  workload.confirm();
  child.stdin?.write("go\n");
  await expect.poll(() => readlinkSync(`/proc/${child.pid}/exe`)).toMatch(/sleep|coreutils|busybox/);
  expect(() => workload.confirm()).toThrow(refusal("WORKLOAD_EXECUTABLE_CHANGED"));
});

test.runIf(linux && process.getuid?.() === 0)("W3: a process that becomes another user is refused", async () => {
  const script =
    "process.stdin.once('data', () => { process.setgid(65534); process.setuid(65534); console.log('done'); }); console.log('up')";
  const child = await start(process.execPath, "-e", script);
  await once(child.stdout ?? child, "data");
  const workload = attestor.attest(child.pid);
  child.stdin?.write("go\n");
  await once(child.stdout ?? child, "data");
  expect(() => workload.confirm()).toThrow(refusal("WORKLOAD_CHANGED"));
});

test.runIf(linux)("W4: an identity goes to the workload that it is bound to, and to no other", async () => {
  const registry = workloadRegistry(factory.identity);
  const [build, pack] = await Promise.all([start("/bin/sleep", "60"), start("/bin/sleep", "61")]);
  const [first, second] = [attestor.attest(build.pid), attestor.attest(pack.pid)];
  registry.register(spiffeId("build"), first.selectors);
  registry.register(spiffeId("pack"), second.selectors);
  expect((await registry.newSigner(first, spiffeId("build"))).spiffeId).toBe(spiffeId("build"));
  await expect(registry.newSigner(first, spiffeId("pack"))).rejects.toMatchObject({
    code: "WORKLOAD_SELECTOR_MISMATCH",
  });
  await expect(registry.newSigner(first, spiffeId("other"))).rejects.toMatchObject({ code: "IDENTITY_UNREGISTERED" });
});

test.runIf(linux)(
  "W4: an identity is bound once, to kernel facts, and only one that the factory may have",
  async () => {
    const registry = workloadRegistry(factory.identity);
    const { selectors } = attestor.attest((await start("/bin/sleep", "60")).pid);
    registry.register(spiffeId("build"), selectors);
    expect(() => registry.register(spiffeId("build"), selectors)).toThrow(refusal("IDENTITY_REGISTERED"));
    expect(() => registry.register(spiffeId("a"), [])).toThrow(refusal("SELECTORS_MISSING"));
    const claim = [{ type: "uid", value: "0", label: "self-claim" }] as const;
    expect(() => registry.register(spiffeId("a"), claim)).toThrow(refusal("SELECTORS_MISSING"));
    expect(() => registry.register("spiffe://factory.example/attest", selectors)).toThrow(
      refusal("IDENTITY_NOT_PERMITTED"),
    );
  },
);

test.runIf(linux)(
  "W6: a passed check is a label that the gate's records must have; a claimed one is none",
  async () => {
    const label = { type: "gate-step", value: "sha256:decision", label: "gate" } as const;
    const passed: (typeof label)[] = [];
    const registry = workloadRegistry(factory.identity, () => passed);
    const workload = attestor.attest((await start("/bin/sleep", "60")).pid);
    registry.register(spiffeId("build"), [...workload.selectors, label]);
    const missing = { code: "WORKLOAD_LABEL_MISSING" };
    await expect(registry.newSigner(workload, spiffeId("build"))).rejects.toMatchObject(missing);
    const forged = { ...workload, selectors: [...workload.selectors, label] };
    await expect(registry.newSigner(forged, spiffeId("build"))).rejects.toMatchObject(missing);
    passed.push({ ...label, value: "sha256:another" } as unknown as typeof label);
    await expect(registry.newSigner(workload, spiffeId("build"))).rejects.toMatchObject(missing);
    passed.push(label);
    expect((await registry.newSigner(workload, spiffeId("build"))).spiffeId).toBe(spiffeId("build"));
  },
);

test.runIf(linux)("W5: after its end a workload counts if it was confirmed while it ran and was reaped", async () => {
  const registry = workloadRegistry(factory.identity);
  const child = await start("/bin/sleep", "60");
  const workload = attestor.attest(child.pid);
  registry.register(spiffeId("build"), workload.selectors);
  workload.confirm();
  child.kill("SIGKILL");
  await once(child, "exit");
  workload.ended();
  expect((await registry.newSigner(workload, spiffeId("build"))).issuance.spiffeId).toBe(spiffeId("build"));
});

test.runIf(linux)("W5: a workload that was never confirmed while it ran stays gone", async () => {
  const child = await start("/bin/sleep", "60");
  const workload = attestor.attest(child.pid);
  child.kill("SIGKILL");
  await once(child, "exit");
  workload.ended();
  expect(() => workload.confirm()).toThrow(refusal("WORKLOAD_GONE"));
});

test("W1: facts of a worker become selectors in the same way", () => {
  const facts = {
    pid: 7,
    parent: 1,
    startTime: "99",
    uid: 1001,
    gid: 1001,
    pidNamespace: "4026532000",
    cgroup: "0::/step",
    executable: "/usr/bin/make",
    executableDigest: `sha256:${"0".repeat(64)}` as const,
  };
  expect(selectorsOf(facts).map(({ type }) => type)).toEqual([
    "pid",
    "start-time",
    "pid-namespace",
    "uid",
    "gid",
    "cgroup",
    "executable",
    "executable-digest",
  ]);
});
