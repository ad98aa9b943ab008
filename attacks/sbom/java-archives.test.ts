import { forgeZip } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { planted, purls, scan } from "./tree-scene.ts";

const record = (group: string, artifact: string, version: string) => ({
  name: `META-INF/maven/${group}/${artifact}/pom.properties`,
  content: `groupId=${group}\nartifactId=${artifact}\nversion=${version}\n`,
});
const manifest = { name: "META-INF/MANIFEST.MF", content: "Manifest-Version: 1.0\r\n\r\n" };
const vulnerable = forgeZip([
  manifest,
  record("org.apache.logging.log4j", "log4j-core", "2.14.1"),
  { name: "A.class" },
]);
const purl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";

test("V1: a vulnerable jar under an innocent name is what it is", async () => {
  const sbom = await scan(planted({ "lib/harmless-9.9.9.jar": vulnerable, "lib/log4j-core-2.99.0.jar": vulnerable }));
  expect(purls(sbom)).toContain(purl);
  expect(purls(sbom).join()).not.toContain("2.99.0");
});

test("V1: a second record does not hide the first, whichever of them a reader takes", async () => {
  const patched = record("org.apache.logging.log4j", "log4j-core", "2.25.0");
  for (const entries of [
    [patched, record("org.apache.logging.log4j", "log4j-core", "2.14.1")],
    [record("org.apache.logging.log4j", "log4j-core", "2.14.1"), patched],
  ]) {
    const sbom = await scan(planted({ "log4j-core.jar": forgeZip([manifest, ...entries, { name: "A.class" }]) }));
    expect(purls(sbom)).toContain(purl);
    expect(sbom.losses.map(({ code }) => code)).toContain("ZIP_CONFLICT");
  }
});

test("V3: a jar hidden in a jar, under another name, packed twice or behind other bytes, is found", async () => {
  const script = Buffer.from("#!/bin/sh\nexec java -jar $0\n");
  const inner = forgeZip([manifest, { name: "assets/logo.png", content: vulnerable }]);
  const sbom = await scan(
    planted({
      "app.war": Buffer.concat([script, forgeZip([manifest, { name: "WEB-INF/x.bin", content: inner }])]),
      "run.sh": { program: "" },
      "trailing.jar": Buffer.concat([vulnerable, Buffer.from("bytes behind the end")]),
    }),
  );
  const places = sbom.components.filter((one) => one.purl === purl).flatMap(({ occurrences }) => occurrences);
  expect(places.map(({ path }) => path).sort()).toEqual(["app.war!/WEB-INF/x.bin!/assets/logo.png", "trailing.jar"]);
});

test("V5: fifty archives in each other end the reading there, by name, and nowhere else", async () => {
  let nested = vulnerable;
  for (let depth = 1; depth < 50; depth++) nested = forgeZip([manifest, { name: "n.jar", content: nested }]);
  const sbom = await scan(planted({ "a.jar": nested, "b.jar": vulnerable }));
  expect(purls(sbom)).toContain(purl);
  expect(sbom.losses.map(({ code }) => code)).toEqual(["SBOM_JAVA_ARCHIVE_TOO_DEEP"]);
});

test("V5: entries that share bytes, as in a bomb that grows with the square of its size, are refused", async () => {
  const content = Buffer.alloc(1 << 20);
  const bomb = forgeZip([
    { name: "a.jar", content },
    { name: "b.jar", content, central: { offset: 0 } },
  ]);
  const sbom = await scan(planted({ "bomb.jar": bomb, "b.jar": vulnerable }));
  expect(purls(sbom)).toContain(purl);
  expect(sbom.losses.map(({ code }) => code)).toEqual(["ZIP_OVERLAP"]);
});

test("V8: a pom that would grow to a gigabyte, or read a file, is refused, and the project beside it is read", async () => {
  const laughs = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join("");
  const project = (head: string, version: string) =>
    `<?xml version="1.0"?>${head}<project><groupId>g.p</groupId><artifactId>p</artifactId><version>${version}</version></project>`;
  const sbom = await scan(
    planted({
      "a/pom.xml": project(`<!DOCTYPE p [<!ENTITY l0 "ha">${laughs}]>`, "&l9;"),
      "b/pom.xml": project(`<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>`, "&x;"),
      "c/pom.xml": project("", "1"),
    }),
  );
  expect(purls(sbom)).toEqual(["pkg:maven/g.p/p@1"]);
  expect(sbom.losses.map(({ code, path }) => `${code} ${path}`)).toEqual([
    "XML_FORBIDDEN a/pom.xml",
    "XML_FORBIDDEN b/pom.xml",
  ]);
});
