import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { forgeZip } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { archivesIn, byPath, dependencies, edgesOf, jar, manifest, pom, record } from "./jar.fixture.ts";

const log4j = jar(...record("org.apache.logging.log4j", "log4j-core", "2.14.1"), { name: "org/A.class", content: "x" });

test("V1: an archive is the artifact of its record, whatever its name", () => {
  const found = archivesIn({ "lib/log4j-core-2.14.1.jar": log4j, "opt/app/data.bin": log4j, "x/other-9.9.jar": log4j });
  const purl = "org.apache.logging.log4j/log4j-core@2.14.1";
  expect(byPath(found)).toEqual({
    "lib/log4j-core-2.14.1.jar": purl,
    "opt/app/data.bin": purl,
    // A name and version that nothing in it bears out: the artifact was unpacked into something else.
    "x/other-9.9.jar": "<other@9.9>",
    "x/other-9.9.jar!/META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties": purl,
  });
  const [first] = found.components;
  expect(first?.hashes).toEqual(
    ["sha1", "sha256"].map((algorithm) => ({ algorithm, value: createHash(algorithm).update(log4j).digest("hex") })),
  );
  expect(first?.owns).toEqual(["lib/log4j-core-2.14.1.jar"]);
  expect(found.losses).toEqual([]);
});

test("V1: of several records the file's name tells the own one; the others were unpacked into it", () => {
  const shaded = jar(
    ...record("org.example", "app-client", "1.0"),
    ...record("org.example", "app", "1.0"),
    ...record("com.google.guava", "guava", "31.1-jre"),
  );
  const found = archivesIn({
    "app-client-1.0-shaded.jar": shaded,
    "org.example.app-1.0.jar": shaded,
    "all.jar": shaded,
  });
  const folder = "META-INF/maven";
  expect(byPath(found)).toEqual({
    "app-client-1.0-shaded.jar": "org.example/app-client@1.0",
    [`app-client-1.0-shaded.jar!/${folder}/com.google.guava/guava/pom.properties`]: "com.google.guava/guava@31.1-jre",
    [`app-client-1.0-shaded.jar!/${folder}/org.example/app/pom.properties`]: "org.example/app@1.0",
    "org.example.app-1.0.jar": "org.example/app@1.0",
    [`org.example.app-1.0.jar!/${folder}/com.google.guava/guava/pom.properties`]: "com.google.guava/guava@31.1-jre",
    [`org.example.app-1.0.jar!/${folder}/org.example/app-client/pom.properties`]: "org.example/app-client@1.0",
    "all.jar": "<all@>",
    [`all.jar!/${folder}/com.google.guava/guava/pom.properties`]: "com.google.guava/guava@31.1-jre",
    [`all.jar!/${folder}/org.example/app-client/pom.properties`]: "org.example/app-client@1.0",
    [`all.jar!/${folder}/org.example/app/pom.properties`]: "org.example/app@1.0",
  });
  expect(edgesOf(found)).toContain("org.example/app-client@1.0 > com.google.guava/guava@31.1-jre");
});

test("V1: two records of one path are both told, and so is that there are two", () => {
  const twice = jar(...record("g.x", "a", "1"), ...record("g.x", "a", "2"));
  const { components, losses } = archivesIn({ "a-1.jar": twice });
  expect(components.map(({ version }) => version).sort()).toEqual(["1", "2"]);
  expect(losses.map(({ code }) => code)).toEqual(["ZIP_CONFLICT"]);
});

test("V2: without a record the name of the file and the manifest say what it is", () => {
  const named = (attributes: Record<string, string>) => forgeZip([manifest(attributes), { name: "A.class" }]);
  const files = {
    "spring-core-5.3.17.jar": named({ "Implementation-Title": "spring-core" }),
    "bcprov-jdk15on-1.69.jar": named({}),
    "commons-logging-1.1.jar": named({}),
    "reactor-extra-3.4.jar": named({ "Bundle-SymbolicName": "io.projectreactor.addons.reactor-extra" }),
    "jsoup-1.15.3.jar": named({ "Automatic-Module-Name": "org.jsoup" }),
    "felix-main-7.0.jar": named({ "Bundle-SymbolicName": "org.apache.felix.main;singleton:=true" }),
    "foo-2.0.jar": named({ "Implementation-Vendor-Id": "com.example.foo" }),
    "io.circe.circe-core_3-0.14.jar": named({ "Implementation-Vendor-Id": "io.circe" }),
    "org.eclipse.platform.org.eclipse.osgi-3.24.jar": named({ "Bundle-SymbolicName": "org.eclipse.osgi" }),
    "jakarta.el-api-4.0.jar": named({}),
    "log4j-1.2-api-2.17.1.jar": named({ "Implementation-Vendor-Id": "org.apache.logging.log4j" }),
    "netty-epoll-4.1.70.Final-linux-x86_64.jar": named({ "Implementation-Vendor-Id": "io.netty" }),
    "unknown-1.0.jar": named({}),
    "bare.jar": named({ "Implementation-Version": "7.1 build 3" }),
  };
  expect(byPath(archivesIn(files))).toEqual({
    "spring-core-5.3.17.jar": "org.springframework/spring-core@5.3.17",
    "bcprov-jdk15on-1.69.jar": "org.bouncycastle/bcprov-jdk15on@1.69",
    "commons-logging-1.1.jar": "commons-logging/commons-logging@1.1",
    "reactor-extra-3.4.jar": "io.projectreactor.addons/reactor-extra@3.4",
    "jsoup-1.15.3.jar": "org.jsoup/jsoup@1.15.3",
    "felix-main-7.0.jar": "org.apache.felix/felix-main@7.0",
    "foo-2.0.jar": "com.example.foo/foo@2.0",
    "io.circe.circe-core_3-0.14.jar": "io.circe/circe-core_3@0.14",
    "org.eclipse.platform.org.eclipse.osgi-3.24.jar": "org.eclipse.platform/org.eclipse.osgi@3.24",
    "jakarta.el-api-4.0.jar": "jakarta.el/jakarta.el-api@4.0",
    "log4j-1.2-api-2.17.1.jar": "org.apache.logging.log4j/log4j-1.2-api@2.17.1",
    "netty-epoll-4.1.70.Final-linux-x86_64.jar": "io.netty/netty-epoll@4.1.70.Final?classifier=linux-x86_64",
    // Nothing says their group: they have no package URL rather than an invented one.
    "unknown-1.0.jar": "<unknown@1.0>",
    "bare.jar": "<bare@7.1>",
  });
});

const large = Buffer.alloc(70_000);

test("V3: archives in archives are read, stored, packed and renamed, and lie at OUTER!/INNER", () => {
  const inner = jar(...record("g.x", "inner", "1"), { name: "lib/log4j.txt", content: log4j });
  const app = jar(
    ...record("g.x", "app", "2"),
    { name: "BOOT-INF/lib/inner-1.jar", content: inner, stored: true },
    { name: "hidden.dat", content: log4j },
    {
      name: "x/Y.class",
      content: jar(...record("g.x", "large", "3"), { name: "zeros", content: large, stored: true }),
    },
  );
  const found = archivesIn({
    "srv/app.war": Buffer.concat([Buffer.from("#!/bin/sh\n"), app]),
    "d.ear": forgeZip([manifest(), { name: "d.zip", content: forgeZip([{ name: "a/app.jar", content: app }]) }]),
    "as-a-tree.zip": app,
  });
  const log = "org.apache.logging.log4j/log4j-core@2.14.1";
  expect(byPath(found)).toEqual({
    "srv/app.war": "g.x/app@2?type=war",
    "srv/app.war!/BOOT-INF/lib/inner-1.jar": "g.x/inner@1",
    "srv/app.war!/BOOT-INF/lib/inner-1.jar!/lib/log4j.txt": log,
    "srv/app.war!/hidden.dat": log,
    "srv/app.war!/x/Y.class": "g.x/large@3",
    "d.ear": "<d@>",
    "d.ear!/d.zip!/a/app.jar": "g.x/app@2",
    "d.ear!/d.zip!/a/app.jar!/BOOT-INF/lib/inner-1.jar": "g.x/inner@1",
    "d.ear!/d.zip!/a/app.jar!/BOOT-INF/lib/inner-1.jar!/lib/log4j.txt": log,
    "d.ear!/d.zip!/a/app.jar!/hidden.dat": log,
    "d.ear!/d.zip!/a/app.jar!/x/Y.class": "g.x/large@3",
  });
  expect(found.components.find(({ key }) => key === "srv/app.war")?.kind).toBe("application");
});

test("V4: poms in archives tell the edges, inside, beside, and around", () => {
  const a = jar(
    ...record(
      "g.x",
      "a",
      "1",
      pom("g.x", "a", "1", dependencies("${project.groupId}:b", "g.x:t:1:test", "g.x:p:1:provided")),
    ),
  );
  const b = jar(...record("g.x", "b", "1", pom("g.x", "b", "1")));
  const c = jar(...record("g.x", "c", "1", pom("g.x", "c", "1", dependencies("g.x:elsewhere:1"))));
  const loop = jar(...record("g.x", "loop", "1", pom("g.x", "loop", "1", dependencies("g.x:loop:1"))));
  const fat = jar(
    ...record("g.x", "fat", "1", pom("g.x", "fat", "1", dependencies("g.x:a:1"))),
    ...[a, b, c].map((content, index) => ({ name: `lib/${"abc"[index]}-1.jar`, content, stored: true })),
  );
  expect(edgesOf(archivesIn({ "l/a-1.jar": a, "l/b-1.jar": b, "l/c-1.jar": c, "l/t-1.jar": loop }))).toEqual([
    "> g.x/a@1",
    "> g.x/c@1",
    "> g.x/loop@1",
    "g.x/a@1 > g.x/b@1",
  ]);
  expect(edgesOf(archivesIn({ "fat.jar": fat }))).toEqual([
    "> g.x/fat@1",
    "g.x/a@1 > g.x/b@1",
    "g.x/fat@1 > g.x/a@1",
    // Nothing else in it asks for c.
    "g.x/fat@1 > g.x/c@1",
  ]);
  const { edges } = archivesIn({ "l/b-1.jar": b, "l/c-1.jar": c });
  expect(edges).toEqual([{ from: "l/b-1.jar", to: [] }]);
});

test("V4: licences, supplier and descriptions come from the pom, else the manifest", () => {
  const more = `<name>A</name><description>Does\n things</description><url>https://example.org/a</url>
    <organization><name>Example</name></organization>
    <licenses><license><name>MIT</name></license><license><url>Apache-2.0</url></license></licenses>`;
  const [a, b] = archivesIn({
    "a-1.jar": jar(...record("g.x", "a", "1", pom("g.x", "a", "1", more))),
    "b-1.jar": forgeZip([manifest({ "Bundle-License": "Apache-2.0;link=x", "Bundle-Vendor": "Someone" })]),
  }).components;
  expect(a).toMatchObject({ supplier: "Example", description: "Does things", homepage: "https://example.org/a" });
  expect(a?.declaredLicences?.map(({ expression }) => expression)).toEqual(["MIT OR Apache-2.0"]);
  expect(b?.declaredLicences?.map(({ expression }) => expression)).toEqual(["Apache-2.0"]);
  expect(b?.supplier).toBe("Someone");
});

test("V4: licence texts in an archive are told with their place", () => {
  const tagged = { name: "META-INF/LICENSE.txt", content: "SPDX-License-Identifier: BSD-3-Clause\n" };
  const cut = { name: "LICENSE", content: "x", central: { crc32: 1 } };
  const [a] = archivesIn({ "a-1.jar": jar(tagged, cut) }).components;
  expect(a?.detectedLicences).toEqual([
    { expression: "BSD-3-Clause", confidence: 1, path: "a-1.jar!/META-INF/LICENSE.txt" },
  ]);
});

const java = spawnSync("jar", ["--version"]).status === 0;
test.skipIf(!java)("V1: an archive by the JDK's own tool is read", async () => {
  const { mkdtempSync, readFileSync, rmSync, writeFileSync } = await import("node:fs");
  const folder = mkdtempSync("/tmp/jar-");
  try {
    writeFileSync(`${folder}/m.txt`, `Implementation-Vendor-Id: com.example.tool\nX: ${"long ".repeat(40)}end\n`);
    writeFileSync(`${folder}/a.txt`, "x");
    const made = spawnSync("jar", ["-c", "-f", "tool-1.2.jar", "-m", "m.txt", "a.txt"], { cwd: folder });
    expect(made.status).toBe(0);
    expect(byPath(archivesIn({ "tool-1.2.jar": readFileSync(`${folder}/tool-1.2.jar`) }))).toEqual({
      "tool-1.2.jar": "com.example.tool/tool@1.2",
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
