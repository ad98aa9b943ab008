import type { AskClient, AskedUpstream } from "../ecosystem.ts";

/**
 * Repositories of the installed Maven: those of its super POM, which lies in a jar of the installation, and the mirrors
 * of the user's settings, which come before.
 */
export async function askMaven(ask: AskClient): Promise<readonly AskedUpstream[]> {
  const version = await ask("mvn", ["--version"]);
  const home = /^Maven home: (\/.+)$/m.exec((version ?? "").replace(/\u001b\[[\d;]*m/g, ""))?.[1]?.trim();
  if (home === undefined) return [];
  const listing = await ask("ls", [`${home}/lib`]);
  const jar = listing
    ?.split("\n")
    .find((name) => /^maven-model-builder-[\w.-]+\.jar$/.test(name) || name === "maven-model-builder.jar");
  if (jar === undefined) return [];
  const superPom = await ask("unzip", ["-p", `${home}/lib/${jar}`, "org/apache/maven/model/pom-4.0.0.xml"]);
  const found: AskedUpstream[] = [];
  for (const url of repositoryUrls(superPom ?? "")) {
    if (!found.some((one) => one.url === url)) found.push({ url, exclusive: [], from: "Maven's super POM" });
  }
  return found;
}

/** Addresses of `<repository>` elements; a small text of the installation, not of the network. */
export function repositoryUrls(xml: string): readonly string[] {
  const found: string[] = [];
  for (const [, body = ""] of xml.matchAll(
    /<(?:repository|pluginRepository)>([\s\S]{0,4096}?)<\/(?:repository|pluginRepository)>/g,
  )) {
    const url = /<url>\s*([^<\s]+)\s*<\/url>/.exec(body)?.[1];
    if (url !== undefined && URL.canParse(url)) found.push(url.endsWith("/") ? url : `${url}/`);
  }
  return found;
}
