import { expect, test } from "vitest";
import type { Found } from "../../catalogue/cataloger.ts";
import { collected, contextOf } from "../collected.fixture.ts";
import { gradleLockfiles } from "./gradle.ts";
import { edgesOf, shown } from "./jar.fixture.ts";

function locksIn(files: Readonly<Record<string, string>>): Found {
  const all = Object.entries(files).map(([path, content]) => collected(path, content));
  return gradleLockfiles.catalogue(
    all.filter((file) => gradleLockfiles.wants(file)),
    contextOf(all),
  ) as Found;
}

const hex = "ab".repeat(32);
const lock =
  "# comment\ng.x:a:1=compileClasspath,runtimeClasspath\ng.x:t:2=testRuntimeClasspath\nempty=annotationProcessor\n";
const metadata = `<?xml version="1.0"?><verification-metadata><components><component group="g.x" name="a" version="1"><artifact name="a-1.jar"><sha256 value="${hex}"/></artifact></component></components></verification-metadata>`;

test("V9: lockfiles of Gradle have scopes, digests, and a project that needs them", () => {
  const found = locksIn({
    "app/gradle.lockfile": lock,
    "app/buildscript-gradle.lockfile": "g.x:plugin:3=classpath\n",
    "app/gradle/verification-metadata.xml": metadata,
    "app/settings.gradle.kts": 'pluginManagement {}\nrootProject.name = "shop"\n',
  });
  expect(Object.fromEntries(found.components.map((one) => [shown(one), one.scope]))).toEqual({
    "<shop@>": "runtime",
    "g.x/a@1": "runtime",
    "g.x/t@2": "development",
    "g.x/plugin@3": "build",
  });
  expect(found.components.find(({ name }) => name === "g.x:a")?.hashes).toEqual([{ algorithm: "sha256", value: hex }]);
  expect(edgesOf(found)).toEqual(["<shop@> > g.x/a@1", "<shop@> > g.x/plugin@3", "<shop@> > g.x/t@2", "> <shop@>"]);
  expect(found.losses).toEqual([]);
});

test("V9: lockfiles of single configurations are read as well", () => {
  const found = locksIn({
    "gradle/dependency-locks/runtimeClasspath.lockfile": "# c\r\ng.x:a:1\r\n",
    "gradle/dependency-locks/testCompileClasspath.lockfile": "g.x:a:1\ng.x:t:2\n",
  });
  expect(found.components.map((one) => `${shown(one)} ${one.scope}`).sort()).toEqual([
    "<gradle-project@> runtime",
    "g.x/a@1 development",
    "g.x/a@1 runtime",
    "g.x/t@2 development",
  ]);
});

test("V9: a lockfile that is none is a loss, and others count", () => {
  const found = locksIn({ "a/gradle.lockfile": "no lockfile\n", "b/gradle.lockfile": lock });
  expect(found.losses.map(({ path, code }) => [path, code])).toEqual([["a/gradle.lockfile", "LOCKFILE_MALFORMED"]]);
  expect(found.components.map(shown)).toContain("g.x/a@1");
});

test("V10: long lines and many of them are read in one pass", () => {
  const found = locksIn({
    "gradle/dependency-locks/a.lockfile": `a${" ".repeat(1_000_000)}b\n`,
    "b/gradle.lockfile": lock,
    "b/settings.gradle": `${"\n".repeat(900_000)}rootProject.name = 'late'`,
  });
  expect(found.losses.map(({ code }) => code)).toEqual(["LOCKFILE_MALFORMED"]);
  expect(found.components.map(shown)).toContain("<late@>");
});
