import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { RunOutcome } from "@touchmark/pipeline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canBuild, type Evidence, openScene, projectFiles, type Scene } from "./scene.ts";

let scene: Scene;
let run: RunOutcome;
let evidence: Evidence;

/** Every probe prints its name and what came of it. */
const probes = String.raw`
probe() { name=$1; shift; if "$@" > /dev/null 2>&1; then echo "$name open"; else echo "$name closed"; fi; }
connect='use Socket; socket(my $s, PF_INET, SOCK_STREAM, 0) or exit 1; connect($s, sockaddr_in($ARGV[1], inet_aton($ARGV[0]))) or exit 2;'
probe outbound perl -e "$connect" 192.0.2.1 443
probe metadata-service perl -e "$connect" 169.254.169.254 80
probe loopback perl -e "$connect" 127.0.0.1 22
probe name-lookup perl -e 'gethostbyname("touchmark-probe.example.org") or exit 1'
probe datagram perl -e 'use Socket; socket(my $s, PF_INET, SOCK_DGRAM, 0) or exit 1;'
probe raw perl -e 'use Socket; socket(my $s, PF_INET, SOCK_RAW, 1) or exit 1;'
probe inet6 perl -e 'use Socket; socket(my $s, PF_INET6, SOCK_STREAM, 0) or exit 1;'
probe vsock perl -e 'socket(my $s, 40, 1, 0) or exit 1;'
for device in sda vda mem kmsg kvm fuse net/tun loop0 nvme0n1 tty; do probe "device-$device" sh -c "exec 3< /dev/$device"; done
probe make-device mknod /tmp/device b 8 0
probe mount mount -t tmpfs none /tmp
probe chroot-out sh -c 'ls /proc/1/root/root || ls /proc/1/root/home/../var/lib/dpkg'
for path in /root /etc/shadow /var/lib /run/docker.sock /sys/kernel /boot /srv /mnt; do probe "path$path" sh -c "test -e $path && ls $path | grep ."; done
`;

const hiddenPath = () => join(scene.directory, "home", "identity");

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene({
    ...projectFiles,
    "build.sh": `${projectFiles["build.sh"]}\n. ./probes.sh > "$TOUCHMARK_OUTPUT/probes.txt"\n`,
    "probes.sh": probes,
  });
  scene.commit({
    "probes.sh": `${probes}\nprobe factory ls ${hiddenPath()}\nprobe keys sh -c 'grep -rlsE "PRIVATE [K]EY-----" /etc /home /work /tmp /var /run /dev/shm | grep .'\n`,
  });
  run = await scene.run({
    environment: { AWS_SECRET_ACCESS_KEY: "very-secret", HTTPS_PROXY: "http://proxy.test:3128" },
  });
  evidence = await scene.evidence(run);
});
afterAll(() => scene?.close());

/** What each probe of the build step came to. */
function answers(): ReadonlyMap<string, string> {
  const output = run.steps.find((step) => step.name === "build")?.output;
  if (output === undefined) throw new Error("the build step has no output");
  const text = readFileSync(join(scene.factory.trees.root(output), "probes.txt"), "utf8");
  return new Map(
    text
      .trim()
      .split("\n")
      .map((line) => line.split(" ") as [string, string]),
  );
}

test.skipIf(!canBuild)("RA-S6-07: sockets, devices and paths of the host are closed to the build", () => {
  const found = answers();
  expect(found.size).toBe(31);
  expect([...found].filter(([, answer]) => answer !== "closed")).toEqual([]);
  const { sandbox } = evidence.workload("build");
  expect(sandbox).toMatchObject({ network: "none", user: { inside: 1001 } });
  expect(Object.keys(sandbox?.namespaces ?? {})).toContain("net");
});

test.skipIf(!canBuild)(
  "RA-ADM-09: name lookup, outbound and metadata-service connections of user code fail, and are logged",
  () => {
    const found = answers();
    for (const name of ["outbound", "metadata-service", "name-lookup"]) expect(found.get(name), name).toBe("closed");
    const { touchmark_trace: seen } = evidence.trace("build");
    expect(seen).toMatchObject({ complete: true });
    const sockets = seen?.refused.filter((row) => row.call === "socket") ?? [];
    // One refused socket at least for each probe of the internet.
    expect(sockets.reduce((sum, row) => sum + row.count, 0)).toBeGreaterThanOrEqual(6);
    for (const row of sockets) expect(row.answer).toBe("EAFNOSUPPORT");
    const { network } = evidence.mounts("build");
    expect(network).toMatchObject({ declared: "none", enforced: "none" });
  },
);

test.skipIf(!canBuild)("RA-CRYP-07: no private key is in stores, repositories, logs or a worker's files", async () => {
  expect(answers().get("keys")).toBe("closed");
  expect(answers().get("factory")).toBe("closed");
  // Keys made here, as PEM and as the bytes inside, are where they belong and nowhere else.
  const { home } = scene.factory;
  const files = readdirSync(home.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const holders = files.filter((path) => /PRIVATE KEY/.test(readFileSync(path, "latin1")));
  expect(holders.length).toBeGreaterThan(2);
  const secrets: string[] = [];
  for (const path of holders) {
    expect(relative(home.paths.identity, path)).not.toMatch(/^\.\./);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const [, body = ""] of readFileSync(path, "latin1").matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----([^-]+)/g))
      secrets.push(body.replace(/\s|\\n/g, ""));
  }
  expect(secrets.length).toBeGreaterThan(2);
  for (const path of files.filter((each) => !holders.includes(each))) {
    const bytes = readFileSync(path);
    for (const secret of secrets) {
      expect(bytes.includes(secret.slice(40, 80)), path).toBe(false);
      expect(bytes.includes(Buffer.from(secret, "base64").subarray(-40)), path).toBe(false);
    }
  }
  // What steps sign with never was a file: the certificates' keys are found nowhere in the home.
  expect(evidence.workload("build").keyHolder).toBe("control-plane");
  const exported = await scene.export(run);
  for (const name of readdirSync(exported.bundlesDirectory))
    expect(readFileSync(join(exported.bundlesDirectory, name), "latin1")).not.toMatch(/PRIVATE KEY/);
});
