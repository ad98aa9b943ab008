import { lintRules } from "../pipeline/lint-rules.ts";
import { containerRules } from "./rules.ts";

const intro = `# The rules of \`touchmark lint\`

Made from the code by \`npm run docs\`; [lint.md](lint.md) says how the command is used.

An **error** ends the command with 3. A **warning** and a **note** do not. A finding is set aside by a comment with a
reason, and is then shown as suppressed:

\`\`\`dockerfile
# touchmark-ignore: runs-as-root the entry point drops root itself
FROM debian:12@sha256:…
\`\`\`

Several rules are named with commas between them. The comment covers the instruction or line after it, or its own line
when something stands before it. Names of practices are those of [requirements.json](requirements.json).

## Container files

Dockerfiles and Containerfiles, Compose files, Kubernetes manifests, Helm charts, Makefiles and shell scripts.
`;

/** docs/lint-rules.md: every rule of the lint. */
export function lintRulesPage(): string {
  const container = Object.entries(containerRules).map(([id, row]) =>
    [
      `### ${id}`,
      "",
      `${row.title} (${row.severity}). ${row.why}`,
      "",
      `- Found in: \`${row.example}\``,
      `- What to do: ${row.fix}`,
      `- Practice: ${row.practice}`,
      "",
    ].join("\n"),
  );
  const pipeline = Object.entries(lintRules).map(([id, meaning]) => `- **${id}**: ${meaning}`);
  return [intro, ...container, "## touchmark.yaml", "", ...pipeline, ""].join("\n");
}
