import { test } from "vitest";
import { hostUpstreams } from "./live.fixture.ts";
import { fetchTwice, type LiveFetch, reasonAgainst } from "./live-fetch.fixture.ts";
import { maven } from "./maven.ts";

const compiler = "<groupId>org.apache.maven.plugins</groupId><artifactId>maven-compiler-plugin</artifactId>";
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId><artifactId>live</artifactId><version>1</version>
  <properties><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
  <dependencies>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId><version>2.0.9</version></dependency>
  </dependencies>
  <build><plugins><plugin>${compiler}<version>3.11.0</version></plugin></plugins></build>
</project>
`;

const live: LiveFetch = {
  ecosystem: "maven",
  programs: ["mvn", "java"],
  toolchains: [],
  upstreams: await hostUpstreams("maven"),
  project: { "pom.xml": pom },
  script: 'mvn -B -ntp compiler:compile\ncp -a "$HOME/.m2/repository" "$TOUCHMARK_OUTPUT/repository"',
  notes: /(_remote\.repositories|resolver-status\.properties|\.lastUpdated) /,
  // The client asks for a checksum behind the file: as the factory, ask for the best one before.
  expected: async (_, url) => {
    for (const ending of ["sha512", "sha256", "sha1"]) {
      const address = new URL(`${url.href}.${ending}`);
      const answer = await fetch(address);
      const upstream = { name: "m", ecosystem: "maven", url: new URL("/", url).href, exclusive: [], order: 0 } as const;
      const facts = maven.classify({ method: "GET", url: address, headers: {} }, upstream);
      if (!answer.ok || facts === undefined) continue;
      return maven.announced(facts, new Uint8Array(await answer.arrayBuffer()), address)[0]?.digests ?? [];
    }
    return [];
  },
};
const reason = reasonAgainst(live);

test.skipIf(reason !== "")(
  `E20: mvn compiler:compile, one dependency and its plugins${reason}`,
  { timeout: 300_000 },
  () => fetchTwice(live),
);
