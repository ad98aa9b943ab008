import type { ClientContext, ClientSettings } from "../ecosystem.ts";

/**
 * Settings for Maven and Gradle without a file of the project's. Maven 3.8 takes no arguments from the environment, but
 * looks for its global settings where the property `maven.conf` says, and MAVEN_OPTS can set that.
 */
export function mavenSettings(context: ClientContext): ClientSettings {
  const trust = [
    `-Djavax.net.ssl.trustStore=${context.authorityKeystore}`,
    "-Djavax.net.ssl.trustStoreType=JKS",
    "-Djavax.net.ssl.trustStorePassword=changeit",
  ];
  const { hostname, port } = new URL(context.proxy);
  const proxies = ["http", "https"].flatMap((scheme) => [
    `-D${scheme}.proxyHost=${hostname}`,
    `-D${scheme}.proxyPort=${port}`,
  ]);
  const java = [...trust, ...proxies, "-Dhttp.nonProxyHosts="].join(" ");
  return {
    environment: {
      MAVEN_OPTS: `${java} -Dmaven.conf=${context.directory}/maven`,
      // Read by Maven 3.9 and later: strict checksums.
      MAVEN_ARGS: "-C",
      GRADLE_OPTS: java,
    },
    files: {
      "maven/settings.xml": settingsXml(context, hostname, port),
      "maven/logging/simplelogger.properties": logging,
    },
  };
}

/** As Maven's own: without it, each line of its log has a thread and a class. */
const logging = [
  "org.slf4j.simpleLogger.defaultLogLevel=info",
  "org.slf4j.simpleLogger.showDateTime=false",
  "org.slf4j.simpleLogger.showThreadName=false",
  "org.slf4j.simpleLogger.showLogName=false",
  "org.slf4j.simpleLogger.logFile=System.out",
  "org.slf4j.simpleLogger.cacheOutputStream=true",
  "org.slf4j.simpleLogger.levelInBrackets=true",
  "org.slf4j.simpleLogger.log.Sisu=info",
  "org.slf4j.simpleLogger.warnLevelString=WARNING",
  "",
].join("\n");

/**
 * Each upstream is a repository, the first by the name `central`, which replaces the one of Maven's super POM; whatever
 * a POM names besides is asked of the first.
 */
function settingsXml(context: ClientContext, host: string, port: string): string {
  const named = context.upstreams.map(({ url }, at) => ({ id: at === 0 ? "central" : `touchmark-${at}`, url }));
  const repository = (element: string) => (one: { readonly id: string; readonly url: string }) =>
    `<${element}><id>${one.id}</id><url>${escapeXml(one.url)}</url>` +
    `<releases><enabled>true</enabled><checksumPolicy>fail</checksumPolicy></releases>` +
    `<snapshots><enabled>${one.id !== "central"}</enabled><checksumPolicy>fail</checksumPolicy></snapshots></${element}>`;
  const others = named.map(({ id }) => `!${id}`).join(",");
  const mirror = (one: { readonly url: string }) =>
    `<mirrors><mirror><id>touchmark</id><mirrorOf>*,${others}</mirrorOf><url>${escapeXml(one.url)}</url></mirror></mirrors>`;
  const proxy = (protocol: string) =>
    `<proxy><id>touchmark-${protocol}</id><active>true</active><protocol>${protocol}</protocol>` +
    `<host>${host}</host><port>${port}</port></proxy>`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0">`,
    `<interactiveMode>false</interactiveMode>`,
    `<proxies>${proxy("http")}${proxy("https")}</proxies>`,
    ...named.slice(0, 1).map(mirror),
    `<profiles><profile><id>touchmark</id>`,
    `<repositories>${named.map(repository("repository")).join("")}</repositories>`,
    `<pluginRepositories>${named.map(repository("pluginRepository")).join("")}</pluginRepositories>`,
    `</profile></profiles>`,
    `<activeProfiles><activeProfile>touchmark</activeProfile></activeProfiles>`,
    `</settings>`,
    "",
  ].join("\n");
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (one) => `&#${one.codePointAt(0)};`);
}
