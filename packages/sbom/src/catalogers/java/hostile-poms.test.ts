import fc from "fast-check";
import { expect, test } from "vitest";
import { dependencies, pom, shown } from "./jar.fixture.ts";
import { child, codes, managed, parent, projectsIn, properties } from "./maven.fixture.ts";

test("V8: document types, circles and growth are refused by name, and other projects are read", () => {
  const good = { "good/pom.xml": pom("g.p", "good", "1", dependencies("g.d:a:1")) };
  const laughs = `<!DOCTYPE p [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>${pom("g.p", "p", "&b;")}`;
  const growth = properties(
    ["p40", "x"],

    ...Array.from({ length: 40 }, (_, at): [string, string] => [`p${at}`, `\${p${at + 1}}\${p${at + 1}}`]),
  );
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{ "pom.xml": laughs }, "XML_FORBIDDEN"],
    [{ "pom.xml": "<project/>" }, "SBOM_JAVA_POM_MALFORMED"],
    [{ "pom.xml": pom("g p", "p", "1") }, "SBOM_JAVA_NAME"],
    [{ "pom.xml": pom("g.p", "p", "1", growth + dependencies("g.d:x:${p0}")) }, "SBOM_JAVA_POM_CYCLE"],
    [
      { "pom.xml": pom("g.p", "p", "1", properties(["a", "${b}"], ["b", "${a}"]) + dependencies("g.d:x:${a}")) },
      "SBOM_JAVA_POM_CYCLE",
    ],
    [
      {
        "a/pom.xml": child("a", parent("g.p", "b", "1", "../b")).replace(
          "<artifactId>a",
          "<groupId>g.p</groupId><version>1</version><artifactId>a",
        ),
        "b/pom.xml": child("b", parent("g.p", "a", "1", "../a")).replace(
          "<artifactId>b",
          "<groupId>g.p</groupId><version>1</version><artifactId>b",
        ),
      },
      "SBOM_JAVA_POM_CYCLE",
    ],
    [
      {
        "pom.xml": pom(
          "g.p",
          "p",
          "1",
          managed(dependencies("g.p:p:1:import").replace("</scope>", "</scope><type>pom</type>")) +
            dependencies("g.d:x"),
        ),
      },
      "SBOM_JAVA_POM_CYCLE",
    ],
  ];
  for (const [files, code] of cases) {
    const found = projectsIn({ ...files, ...good });
    expect(codes(found)).toContain(code);
    expect(found.components.map(shown)).toContain("g.d/a@1");
  }
});

test("V8: imports in circles, in rows and in doubling trees end", () => {
  const imports = (...names: readonly string[]): string =>
    managed(
      dependencies(...names.map((name) => `g.b:${name}:1:import`)).replaceAll("</scope>", "</scope><type>pom</type>"),
    );
  const row: Record<string, string> = {};
  for (let at = 0; at < 600; at++) row[`r/${at}.pom`] = pom("g.b", `b${at}`, "1", imports(`b${at + 1}`, `b${at + 2}`));
  const found = projectsIn({
    ...row,
    "pom.xml": pom("g.p", "p", "1", imports("b0") + dependencies("g.d:nowhere", "g.d:a:1")),
  });
  expect(found.components.map(shown)).toContain("g.d/a@1");
  expect(codes(found)).toContain("SBOM_JAVA_VERSION_UNKNOWN");
});

test("V8: the number of artifacts that one project leads to is bounded", () => {
  const files: Record<string, string> = {};
  const level = (at: number): string[] => Array.from({ length: 250 }, (_, index) => `g.l${at}:a${index}:1`);
  for (let at = 0; at < 220; at++) files[`r/${at}.pom`] = pom(`g.l${at}`, "a0", "1", dependencies(...level(at + 1)));
  const found = projectsIn({ ...files, "pom.xml": pom("g.p", "p", "1", dependencies(...level(0))) });
  expect(codes(found)).toContain("SBOM_JAVA_TOO_MANY");
});

test("V10: no pom does anything but answer, with losses", () => {
  const words = fc.constantFrom(
    ..."<parent>|</parent>|<dependencies>|</dependencies>|<dependency>|</dependency>|<groupId>g|</groupId>|<artifactId>a|</artifactId>|<version>1|<version>${a}|</version>|<scope>import|</scope>|<type>pom|</type>|<properties>|</properties>|<a>${b}|</a>|<b>${a}x|</b>|<dependencyManagement>|</dependencyManagement>|<modules><module>../|</module></modules>|<relativePath>..|</relativePath>|<profiles><profile>|</profile></profiles>".split(
      "|",
    ),
  );
  const file = fc
    .array(fc.oneof({ weight: 9, arbitrary: words }, { weight: 1, arbitrary: fc.string() }), { maxLength: 30 })
    .map((parts) => `<project><artifactId>a</artifactId>${parts.join("")}</project>`);
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("pom.xml", "a/pom.xml", "a/b/pom.xml", "x.pom"), file), (files) => {
      projectsIn(files);
    }),
    { numRuns: 500 },
  );
  const blocks = fc.constantFrom(
    parent("g", "a", "1"),
    parent("g", "b", "${v}", "b/pom.xml"),
    properties(["v", "1"]),
    properties(["v", "${w}"], ["w", "${v}"]),
    dependencies("g:a:1", "g:b:${v}", "g:c"),
    managed(dependencies("g:c:2", "g:a:1:import").replaceAll("</scope>", "</scope><type>pom</type>")),
    "<modules><module>b</module><module>..</module></modules>",
  );
  const whole = fc
    .tuple(fc.constantFrom("a", "b"), fc.array(blocks, { maxLength: 5 }))
    .map(([name, parts]) => pom("g", name, "1", parts.join("")));
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("pom.xml", "b/pom.xml", "b/b/pom.xml", "r/a.pom", "r/b.pom"), whole),
      (files) => {
        projectsIn(files);
      },
    ),
  );
});
