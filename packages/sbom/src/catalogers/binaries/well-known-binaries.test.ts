import { existsSync, realpathSync } from "node:fs";
import { expect, test } from "vitest";
import { collected, collectedFrom, contextOf } from "../collected.fixture.ts";
import { elfFile } from "./programs.fixture.ts";
import { findText, wellKnownBinaries } from "./well-known-binaries.ts";

async function found(path: string, text: string | Uint8Array, isProgram = true) {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
  const file = collected(path, isProgram ? elfFile({ sections: [{ name: ".rodata", bytes }] }) : bytes);
  return wellKnownBinaries.wants(file) ? wellKnownBinaries.catalogue([file], contextOf([file])) : undefined;
}

/** Text as the real programs have it: of Debian 12, and of the projects' own builds where those differ. */
test.each([
  ["node", "\0node.js/v24.21.0Protocol-Version", "node", "24.21.0"],
  ["libnode.so.108", "x node.js/v18.20.4\0", "node", "18.20.4"],
  ["python3.11", "3.11.2 (main, \u00003.11.2\0", "python", "3.11.2"],
  ["libpython3.13t.so.1.0", "\u00003.13.0rc2+\0", "python", "3.13.0rc2"],
  ["busybox", "\0BusyBox v1.36.1 (2024-06-10)\0", "busybox", "1.36.1"],
  ["libcrypto.so.3", "\0OpenSSL 3.0.22 25 Aug 2026\0", "openssl", "3.0.22"],
  ["libcrypto.so.1.1", "\0OpenSSL 1.1.1w  11 Sep 2023\0", "openssl", "1.1.1w"],
  ["nginx", "\0nginx version: nginx/1.22.1\0", "nginx", "1.22.1"],
  ["redis-server", "\0A7.0.151790282056000000000\0", "redis", "7.0.15"],
  ["redis-server", "\u00007.2.4buildkitsandbox-1704824405000000000\0", "redis", "7.2.4"],
  ["php-fpm8.2", "X-Powered-By: PHP/8.2.36\0", "php", "8.2.36"],
  ["libphp.so", "X-Powered-By: PHP/8.4.0RC1\0", "php", "8.4.0RC1"],
  ["perl5.36.0", "\0v5.36.0\0", "perl", "5.36.0"],
  ["libruby-3.1.so.3.1.2", "\0ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x]\0", "ruby", "3.1.2"],
  ["ruby", "\0ruby 3.4.1 (2024-12-25 revision 48d4efcb85) +PRISM [x]\0", "ruby", "3.4.1"],
  ["bash", "@(#)Bash version 5.2.15(1) release GNU\0", "bash", "5.2.15"],
  ["curl", "\0curl 7.88.1 (x86_64-pc-linux-gnu) %s\0", "curl", "7.88.1"],
  ["libcurl.so.4.8.0", "\0libcurl/7.88.1\0zlib/", "curl", "7.88.1"],
  ["postgres", "\0postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\0", "postgresql", "15.20"],
  ["haproxy", "\0\u00002.6.12-1+deb12u4\0", "haproxy", "2.6.12"],
  ["memcached", "\0memcached 1.6.18\0", "memcached", "1.6.18"],
  ["apache2", "\0Apache/2.4.71 (Debian)\0", "httpd", "2.4.71"],
  ["mariadbd", "\u000010.11.19-MariaDB\0", "mariadb", "10.11.19"],
])("B5: %s with the text %j is %s %s", async (name, text, product, version) => {
  const result = await found(`usr/local/bin/${name}`, text);
  expect(result?.components.map(({ purl }) => purl)).toEqual([`pkg:generic/${product}@${version}`]);
  expect(result?.components[0]).toMatchObject({ type: "generic", owns: [`usr/local/bin/${name}`] });
  expect(result?.components[0]?.cpes?.[0]).toMatch(/^cpe:2\.3:a:[a-z0-9_.-]+:[a-z0-9_.-]+:[^:]+(:\*){7}$/);
  expect(result?.losses).toEqual([]);
});

test("B5: no text, no component; other names and scripts are not looked into", async () => {
  expect((await found("usr/bin/bash", "nothing"))?.components).toEqual([]);
  expect((await found("usr/bin/redis-server", "\0A7.2.61e3ab-1704824405000000000\0"))?.components).toEqual([]);
  expect(await found("usr/bin/other", "\0v5.36.0\0")).toBeUndefined();
  expect(await found("usr/bin/perl", "#!/bin/sh\n\0v5.36.0\0", false)).toBeUndefined();
});

test("B6: bytes that nearly match everywhere are searched in bounded time", async () => {
  const bytes = Buffer.alloc(8 * 1024 * 1024, "a1.1.1aaaa-");
  for (const name of ["redis-server", "haproxy", "php", "openssl"]) {
    expect((await found(`usr/bin/${name}`, bytes))?.components).toEqual([]);
  }
});

test("B5: a text at the border of two pieces is found", () => {
  const bytes = Buffer.alloc(5 * 1024 * 1024, 0x2e);
  bytes.write("@(#)Bash version 5.2.15(1)", 4 * 1024 * 1024 - 10);
  expect(findText(collected("bash", bytes), /Bash version (\d\.\d\.\d+)/)).toBe("5.2.15");
});

const release =
  'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_RUNTIME_VERSION="17.0.9+9"\nJAVA_VERSION="17.0.9"\nOS_ARCH="x86_64"\n';

test("B5: a Java runtime is known by its release file, and owns its folder", async () => {
  const result = await found("opt/java/openjdk/release", release, false);
  expect(result?.components).toEqual([
    expect.objectContaining({
      purl: "pkg:generic/java@17.0.9",
      supplier: "Eclipse Adoptium",
      architecture: "x86_64",
      cpes: ["cpe:2.3:a:oracle:openjdk:17.0.9:*:*:*:*:*:*:*"],
      properties: [{ name: "touchmark:java-runtime-version", value: "17.0.9+9" }],
      ownsBelow: ["opt/java/openjdk"],
    }),
  ]);
  expect((await found("release", release, false))?.components[0]?.owns).toEqual(["release"]);
  expect((await found("etc/release", 'JAVA_VERSION="; rm"\n', false))?.components).toEqual([]);
});

const real = ["/bin/bash", "/usr/bin/perl", process.execPath].filter((path) => existsSync(path));

test.skipIf(real.length === 0)("B5: real programs of this system tell their versions", async () => {
  for (const path of real) {
    const host = realpathSync(path);
    const file = collectedFrom(path.slice(1), host);
    const { components } = await wellKnownBinaries.catalogue([file], contextOf([file]));
    expect(components, path).toHaveLength(1);
    if (path === process.execPath) expect(components[0]?.version).toBe(process.versions.node);
  }
});
