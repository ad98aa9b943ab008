import fc from "fast-check";
import { expect, test } from "vitest";
import {
  apkPackageUrl,
  cargoPackageUrl,
  composerPackageUrl,
  debPackageUrl,
  gemPackageUrl,
  genericPackageUrl,
  gitPackageUrl,
  golangPackageUrl,
  mavenPackageUrl,
  npmPackageUrl,
  nugetPackageUrl,
  type PackageUrl,
  packageUrl,
  packageUrlWithoutVersion,
  parsePackageUrl,
  pypiName,
  pypiPackageUrl,
  rpmPackageUrl,
} from "./package-url.ts";

const commit = "55438abcc10c8ed3f6a4e1a4e2f8a4e0b5c5c9d1";

test.each([
  ["pkg:npm/foobar@12.3.1", "pkg:npm/foobar@12.3.1"],
  ["pkg:npm/%40angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1"],
  ["pkg:npm/@angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1"],
  ["pkg:npm/@angular/animation", "pkg:npm/%40angular/animation"],
  ["PKG://NPM/foobar@12.3.1", "pkg:npm/foobar@12.3.1"],
  ["pkg:pypi/Django_package@1.11.1.dev1", "pkg:pypi/django-package@1.11.1.dev1"],
  [
    "pkg:Maven/org.apache.xmlgraphics/batik-anim@1.9.1?repositorY_url=repo.example/release&classifier=sources",
    "pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1?classifier=sources&repository_url=repo.example/release",
  ],
  ["pkg:GOLANG/google.golang.org/genproto#/googleapis/api/", "pkg:golang/google.golang.org/genproto#googleapis/api"],
  ["pkg:golang/github.com/Gorilla/Context@v1.0.0%2Bx", "pkg:golang/github.com/gorilla/context@v1.0.0%2Bx"],
  ["pkg:deb/Debian/Curl@7.50.3-1?arch=i386&distro=jessie", "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie"],
  ["pkg:deb/debian/tzdata@1:2.0~rc1-1", "pkg:deb/debian/tzdata@1:2.0~rc1-1"],
  ["pkg:generic/x?b=&a=1", "pkg:generic/x?a=1"],
  ["pkg:generic/x@a%2Fb#./y/", "pkg:generic/x@a%2Fb#y"],
  ["pkg:oci/Debian@SHA256:AB", "pkg:oci/debian@sha256:ab"],
])("U1: %s is %s", (text, canonical) => {
  expect(packageUrl(parsePackageUrl(text))).toBe(canonical);
  expect(packageUrl(parsePackageUrl(canonical))).toBe(canonical);
});

test("U1: whatever parts a package has, they come back", () => {
  const word = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }).filter((s) => s.isWellFormed());
  const part = word.filter((s) => !/[\u0000-\u001f\u007f-\u009f/]/.test(s) && s !== "." && s !== "..");
  const qualifiers = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9._-]{0,8}$/), part, { maxKeys: 3 });
  const parts = fc.record(
    {
      type: fc.constantFrom("generic", "npm", "unheard-of"),
      namespace: fc.array(part, { minLength: 1, maxLength: 3 }).map((all) => all.join("/")),
      name: part,
      version: part,
      qualifiers,
      subpath: part,
    },
    { requiredKeys: ["type", "name"] },
  );
  fc.assert(
    fc.property(parts, (given) => {
      const { qualifiers = {}, ...rest } = given;
      const expected = { ...rest, ...(Object.keys(qualifiers).length > 0 && { qualifiers: { ...qualifiers } }) };
      const text = packageUrl(given);
      expect(text).toMatch(/^pkg:[\x21-\x7e]+$/);
      expect(parsePackageUrl(text)).toEqual(expected);
      expect(packageUrl(parsePackageUrl(text))).toBe(text);
    }),
  );
});

test("U2: every ecosystem has its own spelling", () => {
  expect(npmPackageUrl("@types/node", "24.0.0")).toBe("pkg:npm/%40types/node@24.0.0");
  expect(npmPackageUrl("JSONStream", "1.0.3")).not.toBe(npmPackageUrl("jsonstream", "1.0.3"));
  expect(pypiPackageUrl("Zope.Interface__x", "6.0")).toBe("pkg:pypi/zope-interface-x@6.0");
  expect(pypiName("A._-b")).toBe("a-b");
  expect(golangPackageUrl("github.com/BurntSushi/toml", "v1.3.2")).toBe("pkg:golang/github.com/burntsushi/toml@v1.3.2");
  expect(golangPackageUrl("go4.org", "v0.0.0+incompatible")).toBe("pkg:golang/go4.org@v0.0.0%2Bincompatible");
  expect(cargoPackageUrl("Inflector", "0.11.4")).toBe("pkg:cargo/Inflector@0.11.4");
  expect(mavenPackageUrl("org.a", "b", "1", { classifier: "sources", type: "jar" })).toBe(
    "pkg:maven/org.a/b@1?classifier=sources",
  );
  expect(mavenPackageUrl("org.a", "b", "1", { type: "pom" })).toBe("pkg:maven/org.a/b@1?type=pom");
  expect(debPackageUrl("libc6", "2.36-9+deb12u1", { architecture: "amd64", distribution: "bookworm" })).toBe(
    "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64&distro=bookworm",
  );
  expect(gitPackageUrl("https://git.example/o/repo.git", commit)).toBe(
    `pkg:generic/repo@${commit}?vcs_url=git%2Bhttps://git.example/o/repo.git%40${commit}`,
  );
  expect(genericPackageUrl("tool.tgz", { version: "1", url: "https://x.example/tool.tgz", sha256: "ab" })).toBe(
    "pkg:generic/tool.tgz@1?checksum=sha256:ab&download_url=https://x.example/tool.tgz",
  );
  expect(packageUrlWithoutVersion("pkg:npm/%40types/node@24.0.0")).toBe("pkg:npm/%40types/node");
});

test("U2: system and language packages of rpm, apk, gem, composer and nuget", () => {
  expect(rpmPackageUrl("Bash", "5.2.26-3.el9", { vendor: "Rocky", architecture: "x86_64", epoch: 2 })).toBe(
    "pkg:rpm/rocky/Bash@5.2.26-3.el9?arch=x86_64&epoch=2",
  );
  expect(rpmPackageUrl("tiny", "1-1", { distribution: "fedora-41" })).toBe("pkg:rpm/tiny@1-1?distro=fedora-41");
  expect(apkPackageUrl("musl", "1.2.5-r0", { architecture: "x86_64", distribution: "alpine-3.20.3" })).toBe(
    "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3",
  );
  expect(gemPackageUrl("nokogiri", "1.16.0", "x86_64-linux")).toBe("pkg:gem/nokogiri@1.16.0?platform=x86_64-linux");
  expect(gemPackageUrl("rake", "13.2.1", "ruby")).toBe("pkg:gem/rake@13.2.1");
  expect(composerPackageUrl("Symfony/Console", "v7.1.0")).toBe("pkg:composer/symfony/console@v7.1.0");
  expect(nugetPackageUrl("Newtonsoft.Json", "13.0.3")).toBe("pkg:nuget/Newtonsoft.Json@13.0.3");
});

test.each([
  "npm/x@1",
  "pkg:",
  "pkg:npm",
  "pkg:npm/",
  "pkg:/x",
  "pkg:npm/%zz",
  "pkg:npm/a%ff",
  "pkg:npm/a%2Fb/c",
  "pkg:generic/x?a",
  "pkg:generic/x?a=1&A=2",
  "pkg:generic/x?1a=1",
  "pkg:npm/a\u0000b",
  `pkg:npm/${"x".repeat(5000)}`,
])("U3: %j is no package URL", (text) => {
  expect(() => parsePackageUrl(text)).toThrow(expect.objectContaining({ code: "PACKAGE_URL_MALFORMED" }));
});

test.each<PackageUrl>([
  { type: "1npm", name: "x" },
  { type: "npm", name: "" },
  { type: "npm", name: ".." },
  { type: "npm", name: "a/b" },
  { type: "npm", name: "a\u0007" },
  { type: "npm", name: "a", version: "\ud800" },
  { type: "npm", name: "a", namespace: "x/../y" },
  { type: "generic", name: "a", qualifiers: { "x y": "1" } },
  { type: "generic", name: "a", qualifiers: { x: "1", X: "2" } },
  { type: "generic", name: "a", qualifiers: { x: "\n" } },
  { type: "maven", name: "a" },
  { type: "deb", name: "a" },
  { type: "pypi", name: "a", namespace: "b" },
  { type: "generic", name: "é".repeat(900) },
])("U3: %j is no package", (parts) => {
  expect(() => packageUrl(parts)).toThrow(expect.objectContaining({ code: "PACKAGE_URL_PART_INVALID" }));
});

test("U3: no text makes the reader do anything but answer or refuse", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      try {
        const spelled = packageUrl(parsePackageUrl(`pkg:${text}`));
        expect(packageUrl(parsePackageUrl(spelled))).toBe(spelled);
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/^PACKAGE_URL_/);
      }
    }),
    { numRuns: 2000 },
  );
});
