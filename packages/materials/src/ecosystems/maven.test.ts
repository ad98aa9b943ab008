import { expect, test } from "vitest";
import type { Upstream } from "../material.ts";
import { maven } from "./maven.ts";

const base = "https://repository.example/maven2/";
const upstream: Upstream = { name: "central", ecosystem: "maven", url: base, exclusive: [], order: 0 };
const classify = (path: string, method: "GET" | "POST" = "GET") =>
  maven.classify({ method, url: new URL(path, base), headers: {} }, upstream);

const junit = "org/junit/junit/4.13/junit-4.13";
const later = "g/a/1-SNAPSHOT/a-1-20240102.030405-6";
test.each([
  [
    `${junit}.jar`,
    { kind: "archive", name: "org.junit:junit", purl: "pkg:maven/org.junit/junit@4.13", immutable: true },
  ],
  [`${junit}.pom`, { kind: "metadata", purl: "pkg:maven/org.junit/junit@4.13" }],
  [`${junit}.module`, { kind: "metadata" }],
  [`${junit}-sources.jar`, { kind: "archive", purl: "pkg:maven/org.junit/junit@4.13?classifier=sources" }],
  [`${junit}-bin.tar.gz`, { purl: "pkg:maven/org.junit/junit@4.13?classifier=bin&type=tar.gz" }],
  [`${junit}.war`, { kind: "archive", purl: "pkg:maven/org.junit/junit@4.13?type=war" }],
  [`${junit}.jar.sha1`, { kind: "signature", fileName: "junit-4.13.jar.sha1", version: "4.13" }],
  [`${junit}.jar.asc`, { kind: "signature" }],
  [`${junit}.jar.asc.sha512`, { kind: "signature" }],
  [`${junit}.pom.sigstore.json`, { kind: "signature" }],
  ["org/junit/junit/maven-metadata.xml", { kind: "index", name: "org.junit:junit", immutable: false }],
  ["org/junit/junit/maven-metadata.xml.sha1", { kind: "signature", immutable: false }],
  ["g/a/1-SNAPSHOT/maven-metadata.xml", { kind: "index", name: "g:a", version: "1-SNAPSHOT" }],
  [`${later}.jar`, { kind: "archive", name: "g:a", version: "1-SNAPSHOT", immutable: false }],
  [`${later}-sources.jar`, { purl: "pkg:maven/g/a@1-SNAPSHOT?classifier=sources" }],
])("E14: %s is read", (path, facts) => expect(classify(path)).toMatchObject({ ecosystem: "maven", ...facts }));

test.each([
  ...["org/junit/junit/4.13/other-4.13.jar", "org/junit/junit/4.13/junit-4.12.jar", "org/junit/junit/4.13/junit-4.13"],
  ...["org/junit/junit/4.13/junit-4.13.php", "org.junit/junit/4.13/junit-4.13.jar", "junit-4.13.jar", "org/junit/"],
  ...[
    `${junit}.jar?x=1`,
    "org//junit/4.13/junit-4.13.jar",
    "org%2fjunit/junit/4.13/junit-4.13.jar",
    "/other/a/1/a-1.jar",
  ],
  ...["org/junit/junit/4.13/junit-4.13-.jar", "archetype-catalog.xml", ".meta/prefixes.txt"],
])("E14: %s is not read", (path) => expect(classify(path)).toBeUndefined());

const announced = (path: string, body: string) =>
  maven.announced(classify(path)!, Buffer.from(body), new URL(path, base));
const sha1 = "ab".repeat(20);

test.each([
  ["alone", sha1],
  ["in upper case, with an end of line", `${sha1.toUpperCase()}\r\n`],
  ["with the file's name", `${sha1}  junit-4.13.jar\n`],
  ["with the path where it was made", `${sha1} */home/ci/out/junit-4.13.jar\n`],
])("E14: a checksum file announces its sibling: %s", (_, body) => {
  expect(announced(`${junit}.jar.sha1`, body)).toMatchObject([
    {
      ...{
        url: `${base}${junit}.jar`,
        kind: "archive",
        purl: "pkg:maven/org.junit/junit@4.13",
        fileName: "junit-4.13.jar",
      },
      digests: [{ algorithm: "sha1", value: sha1, source: "checksum-file", from: `${base}${junit}.jar.sha1` }],
    },
  ]);
});

test.each([
  [`${junit}.pom.sha256`, "cd".repeat(32), "metadata"],
  [`${junit}.jar.asc.md5`, "cd".repeat(16), "signature"],
  ["org/junit/junit/maven-metadata.xml.sha512", "cd".repeat(64), "index"],
])("E14: %s announces what is beside it", (path, body, kind) => {
  expect(announced(path, body)).toMatchObject([{ kind, url: (base + path).replace(/\.[^.]+$/, "") }]);
});

test.each([`${junit}.jar.asc`, `${junit}.pom`, "org/junit/junit/maven-metadata.xml"])(
  "E14: %s announces nothing",
  (path) => {
    expect(announced(path, "<anything/>")).toEqual([]);
  },
);

test.each([
  ["a page", "<html><body>not found</body></html>"],
  ["another length", "ab".repeat(16)],
  ["another file's", `${sha1}  junit-4.12.jar`],
  ["two lines", `${sha1}\n${sha1}\n`],
  ["nothing", ""],
  ["too much", " ".repeat(2000)],
])("E14: a checksum file that is %s is refused", (_, body) => {
  expect(() => announced(`${junit}.jar.sha1`, body)).toThrow(
    expect.objectContaining({ code: "MATERIAL_INDEX_MALFORMED" }),
  );
});

test("E19: Maven finds its settings without a file of the project's, with every upstream and strict checksums", () => {
  const second = { ...upstream, name: "own", url: "https://own.example/m2/?a&b", order: 1 };
  const { environment, files } = maven.clientSettings({
    ...{ proxy: "http://127.0.0.1:3128", proxyPort: 3128, authorityPem: "/a.pem", authorityKeystore: "/a.jks" },
    ...{ directory: "/run/x", home: "/home/builder", upstreams: [upstream, second] },
  });
  expect(environment["MAVEN_OPTS"]).toContain("-Dmaven.conf=/run/x/maven");
  expect(environment["MAVEN_OPTS"]).toContain("-Djavax.net.ssl.trustStore=/a.jks");
  const settings = files["maven/settings.xml"] ?? "";
  expect(settings).toContain(`<repository><id>central</id><url>${base}</url>`);
  expect(settings).toContain("https://own.example/m2/?a&#38;b");
  expect(settings).toContain("<mirrorOf>*,!central,!touchmark-1</mirrorOf>");
  expect(settings.match(/<checksumPolicy>fail/g)).toHaveLength(8);
});
