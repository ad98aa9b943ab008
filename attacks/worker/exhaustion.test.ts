import { readdirSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import { attack } from "./scene.ts";

const small = {
  memoryBytes: 96 << 20,
  pids: 64,
  seconds: 20,
  outputBytes: 4 << 20,
  logBytes: 64 << 10,
  temporaryBytes: 4 << 20,
};

attack("W8: an output bomb ends as output-limit", async ({ bench, plain, sealed }) => {
  const script =
    "i=0; while [ $i -lt 60 ]; do head -c 1000000 /dev/zero > $OUT/$i || exit 1; i=$((i+1)); sleep 0.02; done; echo filled";
  expect(plain(script, { env: { OUT: bench.make("plain") } })).toBe("filled\n");
  const ran = await sealed(script, { limits: small, environment: { OUT: "/work/output" } });
  expect(ran.outcome).toBe("output-limit");
});

attack("W8: a bomb of empty files ends as output-limit", async ({ bench, plain, sealed }) => {
  const script = 'perl -e \'for (1 .. 9000) { open F, ">", "$ENV{OUT}/$_" or die } print "filled\\n"\'';
  expect(plain(script, { env: { OUT: bench.make("plain") } })).toBe("filled\n");
  const ran = await sealed(script, { limits: small, environment: { OUT: "/work/output" } });
  expect(ran.outcome).toBe("output-limit");
});

attack("W8: a log bomb is counted and cut", async ({ plain, sealed }) => {
  const script = "head -c 20000000 /dev/zero | tr '\\0' x; head -c 5000000 /dev/zero >&2";
  expect(plain(`{ ${script}; } 2>/dev/null | wc -c`).trim()).toBe("20000000");
  const ran = await sealed(script, { limits: small });
  expect([ran.outcome, ran.logBytes, ran.truncated, ran.text.length]).toEqual([
    "succeeded",
    25_000_000,
    true,
    64 << 10,
  ]);
});

attack("W8: a fork bomb is stopped, and nothing of it is left", async ({ plain, sealed }) => {
  const script =
    'perl -e \'for (1 .. 300) { my $p = fork; die "no more\\n" unless defined $p; if (!$p) { sleep 4; exit } } print "forked\\n"; exit\'';
  expect(plain(script)).toBe("forked\n");
  const ran = await sealed(script, { limits: small });
  expect(ran.outcome).toBe(ran.evidence.cgroup === null ? "failed" : "process-limit");
  expect(ran.text).not.toContain("forked");
});

attack("W8: a memory bomb inside a pipeline that ends well is out-of-memory", async ({ plain, sealed }) => {
  const script = 'perl -e \'$x = "x" x (200 << 20); print "taken\\n"; sleep 2\' | cat; exit 0';
  expect(plain(script)).toBe("taken\n");
  const ran = await sealed(script, { limits: small });
  expect(ran.outcome).toBe("out-of-memory");
});

attack("W8: memory hidden in temporary files is bounded too", async ({ bench, plain, sealed }) => {
  const script = "head -c 50000000 /dev/zero > $TMPDIR/x && echo hidden";
  expect(plain(script, { env: { TMPDIR: bench.make("plain") } })).toBe("hidden\n");
  const ran = await sealed(script, { limits: small });
  expect(ran.text).toMatch(/No space left on device/);
});

attack("W2: a daemon in a session of its own, orphaned twice, dies with the step", async ({ plain, sealed }) => {
  const mark = `31${process.pid}${Date.now() % 1e6}`;
  const script = `(setsid sh -c "setsid sleep ${mark} >/dev/null 2>&1 & exit" &) ; sleep 0.4; echo left`;
  const alive = (): number[] =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => commandOf(pid).includes(mark));
  expect(plain(script)).toBe("left\n");
  const survivors = alive();
  expect(survivors.length).toBe(1);
  for (const pid of survivors) process.kill(pid, "SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 50));
  const ran = await sealed(script);
  expect(ran.text).toBe("left\n");
  expect(alive()).toEqual([]);
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
