import { readArchiveName } from "./archive-name.ts";

/**
 * Groups of artifacts whose archives say nothing of them: built by Gradle, Ant or Bazel, so without META-INF/maven. By
 * beginning of the artifact's name, longest first; a `$` ends it. From the projects' own pages of how to depend on them.
 */
const known: readonly (readonly [start: string, group: string])[] = (
  [
    ["spring-boot", "org.springframework.boot"],
    ["spring-security-", "org.springframework.security"],
    ["spring-data-", "org.springframework.data"],
    ["spring-cloud-", "org.springframework.cloud"],
    ["spring-batch-", "org.springframework.batch"],
    ["spring-integration-", "org.springframework.integration"],
    ["spring-session-", "org.springframework.session"],
    ["spring-kafka$", "org.springframework.kafka"],
    ["spring-ws-", "org.springframework.ws"],
    ["spring-ldap-", "org.springframework.ldap"],
    ["spring-plugin-", "org.springframework.plugin"],
    ["spring-hateoas$", "org.springframework.hateoas"],
    ["spring-retry$", "org.springframework.retry"],
    ["spring-amqp$", "org.springframework.amqp"],
    ["spring-rabbit$", "org.springframework.amqp"],
    ...[
      ..."aop aspects beans context context-indexer context-support core core-test expression instrument jcl jdbc jms".split(
        " ",
      ),
      ..."messaging orm oxm r2dbc test tx web webflux webmvc webmvc-portlet websocket".split(" "),
    ].map((name): [string, string] => [`spring-${name}$`, "org.springframework"]),
    ["bcprov-", "org.bouncycastle"],
    ["bcpkix-", "org.bouncycastle"],
    ["bcutil-", "org.bouncycastle"],
    ["bcpg-", "org.bouncycastle"],
    ["bcmail-", "org.bouncycastle"],
    ["bctls-", "org.bouncycastle"],
    ["guice$", "com.google.inject"],
    ["guice-", "com.google.inject.extensions"],
    ["h2$", "com.h2database"],
    ["hsqldb$", "org.hsqldb"],
    ["kotlin-", "org.jetbrains.kotlin"],
    ["kotlinx-", "org.jetbrains.kotlinx"],
    ["annotations$", "org.jetbrains"],
    ["groovy$", "org.codehaus.groovy"],
    ["groovy-", "org.codehaus.groovy"],
    ["scala-library$", "org.scala-lang"],
    ["scala-reflect$", "org.scala-lang"],
    ["scala-compiler$", "org.scala-lang"],
    ["asm$", "org.ow2.asm"],
    ...["analysis", "commons", "tree", "util"].map((name): [string, string] => [`asm-${name}$`, "org.ow2.asm"]),
    ["okhttp$", "com.squareup.okhttp3"],
    ["okio$", "com.squareup.okio"],
    ["okio-jvm$", "com.squareup.okio"],
    ["retrofit$", "com.squareup.retrofit2"],
    ["reactor-core$", "io.projectreactor"],
    ["reactor-netty", "io.projectreactor.netty"],
    ["reactive-streams$", "org.reactivestreams"],
    ["micrometer-", "io.micrometer"],
    ["rxjava$", "io.reactivex.rxjava3"],
    ["kafka-clients$", "org.apache.kafka"],
    ["kafka-streams$", "org.apache.kafka"],
    ["kafka_2.", "org.apache.kafka"],
    ["lucene-", "org.apache.lucene"],
    ["elasticsearch$", "org.elasticsearch"],
    ["elasticsearch-", "org.elasticsearch"],
    ["ant$", "org.apache.ant"],
    ["ant-", "org.apache.ant"],
    ["hibernate-core$", "org.hibernate"],
    ["hibernate-entitymanager$", "org.hibernate"],
    ["hibernate-commons-annotations$", "org.hibernate.common"],
    ["jboss-logging$", "org.jboss.logging"],
    ["junit-jupiter", "org.junit.jupiter"],
    ["junit-platform-", "org.junit.platform"],
    ["junit-vintage-", "org.junit.vintage"],
    ["mockito-", "org.mockito"],
    ["opentest4j$", "org.opentest4j"],
    ["apiguardian-api$", "org.apiguardian"],
    ["grpc-", "io.grpc"],
    ["opentelemetry-", "io.opentelemetry"],
    ["jaxb-api$", "javax.xml.bind"],
    ["tomcat-embed-", "org.apache.tomcat.embed"],
    ["tomcat-", "org.apache.tomcat"],
    ["catalina$", "org.apache.tomcat"],
    ["bnd", "biz.aQute.bnd"],
    ["mssql-jdbc$", "com.microsoft.sqlserver"],
    ["ojdbc", "com.oracle.database.jdbc"],
    ["aspectjweaver$", "org.aspectj"],
    ["aspectjrt$", "org.aspectj"],
    ["javassist$", "org.javassist"],
    ["xstream$", "com.thoughtworks.xstream"],
    ["flyway-", "org.flywaydb"],
  ] as [string, string][]
).sort(([one], [other]) => other.length - one.length);

/** Groups that are spelled like their only artifact; archives of that age carry no other trace. */
const alike = new Set(
  (
    "aopalliance antlr axis cglib commons-beanutils commons-cli commons-codec commons-collections commons-configuration " +
    "commons-daemon commons-dbcp commons-digester commons-discovery commons-el commons-fileupload commons-httpclient " +
    "commons-io commons-jxpath commons-lang commons-logging commons-net commons-pool commons-validator dom4j jaxen jdom " +
    "joda-time junit log4j oro velocity wsdl4j xalan xmlunit xpp3 jline jython servletapi struts taglibs"
  ).split(" "),
);

/**
 * The group that an artifact's archive does not state itself; undefined where it is not known. Major versions decide
 * where a project moved. @param version empty where it is not known
 */
export function knownGroup(artifact: string, version: string): string | undefined {
  const major = Number(/^\d+/.exec(version)?.[0] ?? Number.NaN);
  if (/^groovy(?:-|$)/.test(artifact) && major >= 4) return "org.apache.groovy";
  if (/^hibernate-core$/.test(artifact) && major >= 6) return "org.hibernate.orm";
  if (artifact === "rxjava" && major < 3) return major === 2 ? "io.reactivex.rxjava2" : "io.reactivex";
  if (artifact === "okhttp" && major < 3) return "com.squareup.okhttp";
  if (alike.has(artifact)) return artifact;
  return known.find(([start]) =>
    start.endsWith("$") ? artifact === start.slice(0, -1) : artifact.startsWith(start),
  )?.[1];
}

const groupForm = /^[a-z][\w-]*(?:\.[\w-]+)+$/i;

/**
 * The group that a manifest states: `Implementation-Vendor-Id` is it where Maven wrote the manifest; a symbolic name of
 * OSGi is `GROUP.ARTIFACT`, with what both share standing once.
 */
export function statedGroup(manifest: ReadonlyMap<string, string>, artifact: string): string | undefined {
  const vendor = manifest.get("implementation-vendor-id");
  const symbolic = manifest.get("bundle-symbolicname")?.split(";")[0]?.trim();
  const candidates = [symbolic, manifest.get("automatic-module-name"), manifest.get("extension-name")];
  if (vendor !== undefined && groupForm.test(vendor)) return vendor;
  if (vendor !== undefined && vendor === artifact) return vendor;
  for (const name of candidates) {
    if (name === undefined || !groupForm.test(name)) continue;
    // org.jsoup is the whole group of jsoup; org.yaml.snakeyaml has it in front.
    if (name.endsWith(`.${artifact}`)) {
      const before = name.slice(0, -artifact.length - 1);
      return groupForm.test(before) ? before : name;
    }
    // org.apache.felix + felix-main or org.slf4j + slf4j.api: the last word of the group stands once.
    const dotted = `.${artifact.replaceAll("-", ".")}`;
    const first = /^\.[^.]+/.exec(dotted)?.[0] ?? "";
    if (name.endsWith(dotted)) {
      const before = name.slice(0, -dotted.length);
      return groupOrNothing(dotted === first ? before : before + first);
    }
  }
  return undefined;
}

function groupOrNothing(name: string): string | undefined {
  return groupForm.test(name) ? name : undefined;
}

/** True when the archive's own name is this artifact's: `guava-31.1-jre.jar`, `guava.jar`, `guava-all.jar` of guava. */
export function isNamedAfter(fileName: string, group: string, artifact: string): boolean {
  const { artifact: named } = readArchiveName(fileName);
  return [artifact, `${group}.${artifact}`].some(
    (name) => named === name || named.startsWith(`${name}-`) || named.startsWith(`${name}_`),
  );
}

const domain = /^(?:com|org|net|io|dev|app|edu|gov|[a-z]{2})\.[a-z]/;

/**
 * Group and artifact of an archive that is named `GROUP.ARTIFACT`, as some packers do: the manifest or the known artifact
 * tells where one ends. A bundle of OSGi that has the whole name is none of these.
 */
export function splitName(
  named: string,
  manifest: ReadonlyMap<string, string>,
  version: string,
): { readonly group: string; readonly artifact: string } | undefined {
  const [, standard] = /^((?:javax|jakarta)\.[a-z.]+?)(?:-api)?$/.exec(named) ?? [];
  if (standard !== undefined) return { group: standard, artifact: named };
  const vendor = manifest.get("implementation-vendor-id") ?? "";
  if (groupForm.test(vendor) && named.startsWith(`${vendor}.`)) {
    return { group: vendor, artifact: named.slice(vendor.length + 1) };
  }
  const dot = named.lastIndexOf(".");
  if (dot < 0) return undefined;
  const [group, artifact] = [named.slice(0, dot), named.slice(dot + 1)];
  if (knownGroup(artifact, version) === group) return { group, artifact };
  const symbolic = manifest.get("bundle-symbolicname")?.split(";")[0]?.trim() ?? "";
  if (symbolic.includes(".") && named.endsWith(`.${symbolic}`)) {
    return { group: named.slice(0, -symbolic.length - 1), artifact: symbolic };
  }
  const isBundle = symbolic === named && !artifact.includes("-") && !group.endsWith(`.${artifact}`);
  return !isBundle && domain.test(group) && groupForm.test(group) ? { group, artifact } : undefined;
}
