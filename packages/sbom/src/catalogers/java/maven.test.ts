import { expect, test } from "vitest";
import { dependencies, edgesOf, pom } from "./jar.fixture.ts";
import { child, codes, managed, parent, projectsIn, properties, scopesOf } from "./maven.fixture.ts";

test("V6: versions, scopes and dependencies are inherited, managed, imported and interpolated as Maven does", () => {
  const bom = pom("g.b", "bom", "5", properties(["x", "7"]) + managed(dependencies("g.d:imported:${x}", "g.d:own:9")));
  const top = pom(
    "g.p",
    "top",
    "1",
    properties(["x", "1"], ["y", "${x}.${project.version}"]) +
      managed(
        `${dependencies("g.d:own:${y}", "g.d:tests:3:test").replace("</dependencies>", "")}<dependency><groupId>g.b</groupId><artifactId>bom</artifactId><version>5</version><type>pom</type><scope>import</scope></dependency></dependencies>`,
      ) +
      dependencies("g.d:everywhere:4"),
  );
  const app = child(
    "app",
    parent("g.p", "top", "1") +
      properties(["x", "2"]) +
      dependencies(
        "g.d:own",
        "g.d:imported",
        "g.d:tests",
        "g.d:exact:[1.5]",
        "g.d:given:1:provided",
        "${project.groupId}:same:${pom.version}",
      ),
  );
  const found = projectsIn({ "pom.xml": top, "app/pom.xml": app, "repo/g/b/bom/5/bom-5.pom": bom });
  expect(scopesOf(found)).toEqual({
    "g.p/top@1": "runtime",
    "g.p/app@1": "runtime",
    // Properties of the child count in what the parent manages.
    "g.d/own@2.1": "runtime",
    // An import has properties of its own.
    "g.d/imported@7": "runtime",
    "g.d/tests@3": "development",
    "g.d/exact@1.5": "runtime",
    "g.d/given@1": "build",
    "g.p/same@1": "runtime",
    "g.d/everywhere@4": "runtime",
  });
  expect(codes(found)).toEqual(["SBOM_JAVA_TRANSITIVE_UNKNOWN", "SBOM_JAVA_TRANSITIVE_UNKNOWN"]);
  const own = found.components.find(({ name }) => name === "g.d:exact");
  expect(own?.occurrences).toEqual([{ path: "app/pom.xml", rule: "maven-pom", line: 1 }]);
  expect(own?.direct).toBe(true);
});

test("V6: what dependencies depend on follows from their poms, the nearest version first", () => {
  const repository = {
    "r/a.pom": pom("g.d", "a", "1", dependencies("g.d:c:1", "g.d:t:1:test", "g.d:u:1:provided", "g.d:x:1")),
    "r/b.pom": pom("g.d", "b", "1", dependencies("g.d:mid:1:runtime")),
    "r/mid.pom": pom("g.d", "mid", "1", dependencies("g.d:c:2", "g.d:m:1")),
    "r/c1.pom": pom("g.d", "c", "1"),
    "r/c2.pom": pom("g.d", "c", "2", dependencies("g.d:never:1")),
    "r/m2.pom": pom("g.d", "m", "2", dependencies("g.d:a:1")),
    "r/j.pom": pom("g.d", "j", "1", dependencies("g.d:h:1")),
    "r/h.pom": pom("g.d", "h", "1"),
  };
  const exclusion = `<dependency><groupId>g.d</groupId><artifactId>a</artifactId><version>1</version><exclusions><exclusion><groupId>g.d</groupId><artifactId>x</artifactId></exclusion></exclusions></dependency>`;
  const project = pom(
    "g.p",
    "p",
    "1",
    managed(dependencies("g.d:m:2")) +
      dependencies("g.d:b:1", "g.d:j:1:test").replace("<dependencies>", `<dependencies>${exclusion}`),
  );
  const found = projectsIn({ "pom.xml": project, ...repository });
  expect(edgesOf(found)).toEqual([
    "> g.p/p@1",
    "g.d/a@1 > g.d/c@1",
    "g.d/b@1 > g.d/mid@1",
    "g.d/j@1 > g.d/h@1",
    "g.d/m@2 > g.d/a@1",
    "g.d/mid@1 > g.d/c@1",
    "g.d/mid@1 > g.d/m@2",
    "g.p/p@1 > g.d/a@1",
    "g.p/p@1 > g.d/b@1",
    "g.p/p@1 > g.d/j@1",
  ]);
  expect(scopesOf(found)).toMatchObject({ "g.d/h@1": "development", "g.d/mid@1": "runtime", "g.d/c@1": "runtime" });
  expect(found.losses).toEqual([]);
});

test("V6: modules are edges of who lists them, and dependencies on each other", () => {
  const found = projectsIn({
    "pom.xml": pom(
      "g.p",
      "all",
      "1",
      "<packaging>pom</packaging><modules><module>one</module><module>two/pom.xml</module></modules>",
    ),
    "one/pom.xml": pom("g.p", "one", "1", dependencies("g.p:two:1")),
    "two/pom.xml": pom("g.p", "two", "1"),
    "WEB-INF/classes/META-INF/maven/g.p/war/pom.xml": pom("g.p", "war", "1", dependencies("g.d:lies-beside:1")),
  });
  expect(edgesOf(found)).toEqual([
    "> g.p/all@1",
    "> g.p/war@1",
    "g.p/all@1 > g.p/one@1",
    "g.p/all@1 > g.p/two@1",
    "g.p/one@1 > g.p/two@1",
  ]);
  expect(found.losses).toEqual([]);
});

test("V6: profiles, optional dependencies, types and classifiers keep what they are", () => {
  const more = `<dependencies>
    <dependency><groupId>g.d</groupId><artifactId>o</artifactId><version>1</version><optional>true</optional></dependency>
    <dependency><groupId>g.d</groupId><artifactId>n</artifactId><version>1</version><classifier>linux</classifier></dependency>
    <dependency><groupId>g.d</groupId><artifactId>tj</artifactId><version>1</version><type>test-jar</type></dependency>
    <dependency><groupId>g.d</groupId><artifactId>w</artifactId><version>1</version><type>war</type></dependency></dependencies>
    <profiles><profile><id>extra</id>${dependencies("g.d:e:1")}</profile>
    <profile><activation><activeByDefault>true</activeByDefault></activation>${properties(["v", "8"])}${dependencies("g.d:f:${v}")}</profile></profiles>`;
  const found = projectsIn({ "pom.xml": pom("g.p", "p", "1", more) });
  expect(scopesOf(found)).toEqual({
    "g.p/p@1": "runtime",
    "g.d/o@1": "optional",
    "g.d/n@1?classifier=linux": "runtime",
    "g.d/tj@1?classifier=tests": "runtime",
    "g.d/w@1?type=war": "runtime",
    "g.d/e@1": "optional",
    "g.d/f@8": "runtime",
  });
  expect(found.components.find(({ name }) => name === "g.d:e")?.properties).toContainEqual({
    name: "touchmark:maven-profile",
    value: "extra",
  });
});

test("V7: what the tree does not say is a loss, and no version is invented", () => {
  const found = projectsIn({
    "pom.xml": child(
      "p",
      parent("g.out", "parent", "3") +
        dependencies("g.d:managed-outside", "g.d:range:[1,2)", "g.d:latest:LATEST", "g.d:property:${nowhere}"),
    ),
    "bom/pom.xml": pom(
      "g.p",
      "imports",
      "1",
      managed(dependencies("g.out:bom:1:import").replace("</scope>", "</scope><type>pom</type>")) +
        dependencies("g.d:z"),
    ),
  });
  expect(codes(found).sort()).toEqual([
    "SBOM_JAVA_PARENT_MISSING",
    "SBOM_JAVA_PARENT_MISSING",
    "SBOM_JAVA_TRANSITIVE_UNKNOWN",
    "SBOM_JAVA_TRANSITIVE_UNKNOWN",
    "SBOM_JAVA_VERSION_UNKNOWN",
    "SBOM_JAVA_VERSION_UNKNOWN",
  ]);
  expect(found.losses[0]?.message).toContain("g.out:parent:3");
  expect(
    found.components.filter(({ name }) => name.startsWith("g.d:")).map(({ purl, version }) => [purl, version]),
  ).toEqual([
    ["pkg:maven/g.d/managed-outside", ""],
    ["pkg:maven/g.d/range", ""],
    ["pkg:maven/g.d/latest", ""],
    ["pkg:maven/g.d/property", ""],
    ["pkg:maven/g.d/z", ""],
  ]);
  expect(found.components.find(({ name }) => name === "g.d:range")?.properties).toEqual([
    { name: "touchmark:version-written", value: "[1,2)" },
  ]);
});

test("V7: a parent is the one that is named, not what lies beside", () => {
  const beside = pom("g.other", "top", "1", properties(["v", "bad"]));
  const named = pom("g.p", "top", "1", properties(["v", "good"]));
  const own = (path?: string): string => child("p", parent("g.p", "top", "1", path) + dependencies("g.d:a:${v}"));
  for (const [files, version] of [
    [{ "pom.xml": beside, "p/pom.xml": own(), "elsewhere/pom.xml": named }, "good"],
    [{ "up/parent.xml/pom.xml": named, "p/pom.xml": own("../up/parent.xml") }, "good"],
    [{ "pom.xml": beside, "p/pom.xml": own("") }, ""],
    [{ "p/pom.xml": own("../../../../etc") }, ""],
  ] as const) {
    const found = projectsIn(files);
    expect(found.components.find(({ name }) => name === "g.d:a")?.version).toBe(version);
  }
});
