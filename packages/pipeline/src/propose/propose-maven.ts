import type { ProjectFiles } from "./project-files.ts";
import { limits, type Proposal, type ToolchainsFor } from "./proposal.ts";

/** Proposes steps for a pom.xml. */
export function proposeMaven(files: ProjectFiles, toolchainsFor: ToolchainsFor): Proposal | undefined {
  const text = files.read("pom.xml");
  if (text === undefined) return undefined;
  // The project's own coordinates stand outside of parent, dependencies and build.
  const own = text
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<(parent|dependencies|dependencyManagement|build|profiles|reporting)>[\s\S]*?<\/\1>/g, "");
  const value = (name: string) => new RegExp(`<${name}>\\s*([A-Za-z0-9._-]+)\\s*</${name}>`).exec(own)?.[1];
  const name = value("artifactId") ?? "project";
  const packaging = value("packaging") ?? "jar";
  const modules = /<modules>/.test(own);
  const toolchains = toolchainsFor("mvn", "java");
  const keep =
    modules || packaging === "pom"
      ? ['find . -path "*/target/*.jar" ! -name "original-*" -exec cp {} "$TOUCHMARK_OUTPUT" ";"']
      : [`cp target/${name}-*.${packaging} "$TOUCHMARK_OUTPUT/${name}.${packaging}"`];
  return {
    language: "java",
    tools: ["maven"],
    project: name,
    steps: [
      {
        name: "fetch",
        comment: "Downloads dependencies and plugins. A plugin that resolves more while it runs must be named here.",
        command: [
          "mvn",
          "--batch-mode",
          "-Dmaven.repo.local=/work/repository",
          "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:go-offline",
        ],
        inputs: [{ from: "source", at: "/work/source", write: true }],
        output: "/work/repository",
        fetch: true,
        toolchains,
        limits: limits.fetch,
      },
      {
        name: "build",
        comment: "Compiles, tests and packs, offline.",
        run: [
          'mvn --batch-mode --offline -Dmaven.repo.local=/work/repository -Dproject.build.outputTimestamp="$SOURCE_DATE_EPOCH" package',
          ...keep,
        ],
        inputs: [
          { from: "source", at: "/work/source", write: true },
          { from: "fetch", at: "/work/repository", write: true },
        ],
        toolchains,
        limits: limits.build,
      },
    ],
    artifacts:
      modules || packaging === "pom"
        ? [{ name: "jars", from: "build", path: ".", kind: "directory", description: "The archives of all modules." }]
        : [{ name, from: "build", path: `${name}.${packaging}`, kind: "java-archive", description: "The archive." }],
    findings: [
      {
        severity: "warning",
        file: "pom.xml",
        message: "Maven has no lockfile with digests: the repository decides which bytes belong to a version",
        fix: "Name exact versions, also of plugins. What was really used is recorded with its digest.",
      },
    ],
  };
}
