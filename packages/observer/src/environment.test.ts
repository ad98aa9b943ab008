import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { describe, expect, test } from "vitest";
import { describeEnvironment } from "./environment.ts";
import type { Observation } from "./observation.ts";
import { canObserve, hasTool, newDirectory, tryObserved } from "./testing.ts";

function observation(...paths: string[]): Observation {
  const read = paths.map(
    (path) => ({ path, origin: "toolchain", digest: sha256(path), digestTime: "after-use" }) as const,
  );
  const none = { count: 0, sample: [] };
  return {
    tier: "strace-seccomp",
    complete: true,
    losses: [],
    coverage: {
      processes: "none",
      opens: "none",
      names: "none",
      executables: "none",
      network: "none",
      refusedCalls: "none",
      notCovered: [],
    },
    processes: [],
    files: { read, written: [], deleted: [], transient: none, directories: none },
    network: [],
    refused: [],
    events: { lines: 0, opens: 0, failedOpens: 0, processes: 0 },
    log: undefined,
  };
}

function debian(): { root: string; info: string } {
  const root = newDirectory();
  const dpkg = join(root, "var/lib/dpkg");
  mkdirSync(join(dpkg, "info"), { recursive: true });
  const paragraph = (name: string, version: string, status: string) =>
    `Package: ${name}\nStatus: install ok ${status}\nArchitecture: amd64\nVersion: ${version}\n`;
  writeFileSync(
    join(dpkg, "status"),
    [
      paragraph("libc6", "2.36", "installed"),
      paragraph("dash", "0.5", "installed"),
      paragraph("old", "1", "config-files"),
    ].join("\n"),
  );
  writeFileSync(join(dpkg, "info/libc6:amd64.list"), "/.\n/lib/libc.so.6\n/usr/bin/sh\n");
  writeFileSync(join(dpkg, "info/dash.list"), "/usr/bin/sh\n");
  writeFileSync(join(dpkg, "info/old.list"), "/usr/bin/old\n");
  writeFileSync(join(dpkg, "diversions"), "/usr/bin/sh\n/usr/bin/sh.distrib\ndash\n");
  return { root, info: join(dpkg, "info") };
}

describe("the environment that was used", () => {
  test("O23: files are given to packages through merged /usr and diversions; others stand alone", () => {
    const { root } = debian();
    const seen = observation(
      "/usr/lib/libc.so.6",
      "/usr/bin/sh",
      "/usr/bin/sh.distrib",
      "/usr/bin/old",
      "/usr/local/x",
    );
    const used = describeEnvironment(seen, { root });
    expect(used.packages).toEqual([
      { name: "dash", version: "0.5", architecture: "amd64" },
      { name: "libc6", version: "2.36", architecture: "amd64" },
    ]);
    expect(used.files.map((file) => [file.path, file.package])).toEqual([
      ["/usr/bin/old", undefined],
      ["/usr/bin/sh", "dash"],
      ["/usr/bin/sh.distrib", "libc6"],
      ["/usr/lib/libc.so.6", "libc6"],
      ["/usr/local/x", undefined],
    ]);
    expect(used).toMatchObject({ manager: "dpkg", complete: true });
  });

  test("O23: answers are kept while the database is the same, and asked again when it changed", () => {
    const { root, info } = debian();
    const cache = join(newDirectory(), "owners");
    const seen = observation("/usr/bin/sh");
    describeEnvironment(seen, { root, cache });
    writeFileSync(join(info, "dash.list"), "");
    expect(describeEnvironment(seen, { root, cache }).packages[0]?.name).toBe("dash");
    const status = join(root, "var/lib/dpkg/status");
    writeFileSync(status, readFileSync(status, "utf8").replace("0.5", "0.6"));
    expect(describeEnvironment(seen, { root, cache }).packages).toEqual([]);
  });

  test("O23: an incomplete trace makes the environment incomplete; a database that is not read is called unknown", () => {
    const root = newDirectory();
    const incomplete = { ...observation("/usr/bin/sh"), complete: false };
    expect(describeEnvironment([incomplete], { root })).toMatchObject({ manager: "none", complete: false });
    mkdirSync(join(root, "var/lib/rpm"), { recursive: true });
    expect(describeEnvironment([incomplete], { root }).manager).toBe("unknown");
  });

  test.skipIf(!canObserve || !hasTool("dpkg"))(
    "O23: for a real step the packages are those that dpkg names",
    async () => {
      const seen = (await tryObserved({ command: ["sh", "-c", "cat a | sort >/dev/null"] })).observation;
      const { files, packages } = describeEnvironment(seen);
      expect(packages.map((each) => each.name)).toEqual(expect.arrayContaining(["coreutils", "dash", "libc6"]));
      const sort = files.find((file) => file.path === "/usr/bin/sort");
      expect(execFileSync("dpkg", ["-S", "/usr/bin/sort"], { encoding: "utf8" })).toContain(`${sort?.package}:`);
      const { version } = packages.find((each) => each.name === sort?.package) ?? {};
      expect(execFileSync("dpkg-query", ["-W", "-f", "${Version}", sort?.package ?? ""], { encoding: "utf8" })).toBe(
        version,
      );
    },
  );
});
