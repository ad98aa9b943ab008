import type { LintFinding, LintRule } from "./lint-rules.ts";

/** Something in the text of a command that weakens a build. */
export interface CommandRule {
  readonly rule: LintRule;
  readonly severity: LintFinding["severity"];
  readonly pattern: RegExp;
  readonly unless?: RegExp;
  readonly message: string;
  readonly fix: string;
}

const start = String.raw`(?:^|[\n;&|(]|\b(?:exec|env|sudo|time|then|do|else)\s)\s*`;

/** What the lint looks for in commands and scripts. */
export const commandRules: readonly CommandRule[] = [
  {
    rule: "pipe-to-shell",
    severity: "error",
    pattern:
      /\b(?:curl|wget)\b[^\n;]*\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\b(?:ba|z|da)?sh\s+(?:-c\s+)?["']?(?:<\(|\$\()\s*(?:curl|wget)/,
    message: "executes what a server sends",
    fix: "Download in a fetch step, compare with a digest from the repository (sha256sum -c), then execute.",
  },
  {
    rule: "unpinned-reference",
    severity: "warning",
    pattern: /[\w/.-]+(?::|@)latest\b/,
    message: "`latest` is another thing tomorrow",
    fix: "Name the exact version, or better its digest.",
  },
  {
    rule: "unpinned-reference",
    severity: "warning",
    pattern: new RegExp(`${start}(?:npx|pnpx|bunx)\\s+(?:--?[\\w-]+\\s+)*(?!-)[\\w@/.-]+`),
    unless: /--no-install|--offline|npx\s+--no\b|npx\s+[^\n]*@\d/,
    message: "fetches a program when it is not installed",
    fix: "Add the tool to devDependencies and call it with `npx --no-install`, or as node_modules/.bin/NAME.",
  },
  {
    rule: "unpinned-reference",
    severity: "warning",
    pattern: new RegExp(`${start}git\\s+clone\\b[^\\n;&|]*`),
    message: "takes whatever the branch holds today",
    fix: "Declare a submodule (`source: { submodules: true }`), which pins the commit.",
  },
  {
    rule: "unpinned-reference",
    severity: "warning",
    pattern: new RegExp(`${start}(?:curl|wget)\\s[^\\n;&|]*`),
    unless: /sha(?:256|512)sum\s+(?:-\w+\s+)*(?:-c|--check)|shasum\s+[^\n]*-c/,
    message: "downloads without comparing a digest",
    fix: "Compare with a digest from the repository: sha256sum -c FILE.",
  },
  {
    rule: "unlocked-install",
    severity: "warning",
    pattern: new RegExp(`${start}npm\\s+(?:--?[\\w-]+\\s+)*(?:install|i|add|update)\\b[^\\n;&|]*`),
    message: "may choose other versions than the lockfile names",
    fix: "Use `npm ci --ignore-scripts`.",
  },
  {
    rule: "unlocked-install",
    severity: "warning",
    pattern: new RegExp(`${start}(?:pnpm|yarn|bun)\\s+(?:install|add|update)\\b[^\\n;&|]*`),
    unless: /--frozen-lockfile|--immutable/,
    message: "may choose other versions than the lockfile names",
    fix: "Add --frozen-lockfile (pnpm, yarn 1, bun) or --immutable (yarn).",
  },
  {
    rule: "unlocked-install",
    severity: "warning",
    pattern: /\b(?:pip3?|uv pip|python3? -m pip)\s+(?:install|download|wheel)\b[^\n;&|]*/,
    unless: /--require-hashes|--no-index|--no-deps/,
    message: "accepts whatever the index serves under a version",
    fix: "Lock with hashes (`pip-compile --generate-hashes`, `uv export`) and use --require-hashes.",
  },
  {
    rule: "unlocked-install",
    severity: "warning",
    pattern: /\bgo\s+(?:get|install)\s+[^\n;&|]*@(?:latest|master|main)\b|\bgo\s+get\b[^\n;&|]*/,
    message: "chooses versions itself",
    fix: "Record the version in go.mod and go.sum, and use `go mod download`.",
  },
  {
    rule: "unlocked-install",
    severity: "warning",
    pattern: /\bcargo\s+(?:fetch|vendor|build|test|install)\b[^\n;&|]*/,
    unless: /--locked|--frozen|--offline/,
    message: "may write another Cargo.lock",
    fix: "Add --locked.",
  },
  {
    rule: "unlocked-install",
    severity: "warning",
    pattern: /\b(?:apt-get|apt|dnf|yum|apk|brew)\s+(?:-\w+\s+)*(?:install|add)\b[^\n;&|]*/,
    message: "changes the toolchain while it builds",
    fix: "Install tools on the host, or let a later release's image hold them. The factory records what is used.",
  },
];
