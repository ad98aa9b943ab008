import type { Outcome } from "./suite.ts";

/** What a run came to, for a file. */
export interface Report {
  readonly registry: string;
  readonly counts: Readonly<Record<"must" | "should", Readonly<Record<"passed" | "failed" | "notOffered", number>>>>;
  readonly checks: readonly {
    readonly id: string;
    readonly level: string;
    readonly workflow: string;
    readonly section: string;
    readonly says: string;
    readonly state: string;
    readonly reason?: string;
  }[];
  /** Figures of the official suite for the same registry, where it was run. */
  readonly official?: string;
}

export function reportOf(registry: string, outcomes: readonly Outcome[], official?: string): Report {
  const count = (level: string, state: string): number =>
    outcomes.filter((one) => one.check.level === level && one.state === state).length;
  const counts = (level: string) => ({
    passed: count(level, "passed"),
    failed: count(level, "failed"),
    notOffered: count(level, "not offered"),
  });
  return {
    registry,
    counts: { must: counts("MUST"), should: counts("SHOULD") },
    checks: outcomes.map(({ check: { id, level, workflow, section, says }, state, reason }) => ({
      ...{ id, level, workflow, section, says, state },
      ...(reason === undefined ? {} : { reason }),
    })),
    ...(official === undefined ? {} : { official }),
  };
}

const marks: Readonly<Record<string, string>> = { passed: "ok", failed: "FAILED", "not offered": "–" };

/** One line a check, and the counts. */
export function tableOf(report: Report): string {
  const lines = report.checks.map(({ id, level, state, says, reason }) => {
    const because = reason === undefined ? "" : `\n${" ".repeat(24)}${reason}`;
    return `${id.padEnd(8)}${level.padEnd(8)}${(marks[state] ?? state).padEnd(8)}${says}${because}`;
  });
  return [...lines, "", ...countLines(report)].join("\n");
}

function countLines({ registry, counts }: Report): string[] {
  return (["must", "should"] as const).map((level) => {
    const { passed, failed, notOffered } = counts[level];
    const all = passed + failed + notOffered;
    return `${registry}: ${level.toUpperCase()} ${passed} of ${all} passed, ${failed} failed, ${notOffered} not offered`;
  });
}

/** The page of several reports; the first names the checks. */
export function pageOf(reports: readonly Report[]): string {
  const [first] = reports;
  if (first === undefined) throw new Error("expected a report");
  const count = ({ passed, failed, notOffered }: Report["counts"]["must"]): string =>
    `${passed} / ${failed} / ${notOffered}`;
  const summary = reports.map(
    ({ registry, counts, official }) =>
      `| ${registry} | ${count(counts.must)} | ${count(counts.should)} | ${official ?? "not run"} |`,
  );
  const failures = reports.flatMap(({ registry, checks }) =>
    checks
      .filter(({ state }) => state === "failed")
      .map((one) => `- ${registry} ${one.id}: ${lasting(one.reason ?? "")}`),
  );
  const rows = first.checks.map(({ id, level, section, says }) => {
    const states = reports.map((report) => marks[report.checks.find((one) => one.id === id)?.state ?? ""] ?? "");
    return `| ${id} | ${section} | ${level} | ${escaped(says)} | ${states.join(" | ")} |`;
  });
  const names = reports.map(({ registry }) => registry);
  return `# Conformance with OCI distribution-spec 1.1

Made by \`node conformance/distribution/page.ts\` from reports of \`node conformance/distribution/run.ts --url URL --json\`.
The checks are written from the text of the specification, v1.1.1: one for each MUST and SHOULD that a client can see of a
registry. What the specification asks of clients alone is tested with our client. A number is that of the section
(1 pull, 2 push, 3 content discovery, 4 every answer, 5 content management) and the place in it.

Passed / failed / not offered, which the specification leaves to a registry; the official suite is v1.1.1's own:

| Registry | MUST | SHOULD | official suite |
|---|---|---|---|
${summary.join("\n")}

## Again by hand

\`\`\`sh
touchmark registry serve --listen 127.0.0.1:5000 --dir /tmp/registry --insecure-anonymous-write &
node conformance/distribution/run.ts --url http://127.0.0.1:5000
# the official suite, from a clone of the specification at v1.1.1
(cd distribution-spec/conformance && go test -c -o oci-conformance)
OCI_ROOT_URL=http://127.0.0.1:5000 OCI_NAMESPACE=a/b OCI_CROSSMOUNT_NAMESPACE=c/d OCI_TEST_PULL=1 OCI_TEST_PUSH=1 \\
OCI_TEST_CONTENT_DISCOVERY=1 OCI_TEST_CONTENT_MANAGEMENT=1 OCI_HIDE_SKIPPED_WORKFLOWS=0 \\
OCI_DELETE_MANIFEST_BEFORE_BLOBS=0 OCI_REPORT_DIR=/tmp distribution-spec/conformance/oci-conformance
\`\`\`

With \`oci-conformance\` among the peers, \`packages/registry/src/server/conformance.test.ts\` runs it on every change.

## Checks

| | Section | | | ${names.join(" | ")} |
|---|---|---|---|${names.map(() => "---|").join("")}
${rows.join("\n")}

## Failures

${failures.join("\n") || "None."}
`;
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ").slice(0, 220);
}

/** Without what every run draws anew. */
function lasting(text: string): string {
  const names = text
    .replaceAll(/sha256:[0-9a-f]{10,64}/g, "DIGEST")
    .replaceAll(/\/v2\/\S*?(?=\/(?:blobs|manifests|referrers|tags)\/)/g, "/v2/NAME");
  return escaped(names.replaceAll(/(uploads\/)[\w-]+(?:\?_state=[\w-]+)?/g, "$1ID")).slice(0, 160);
}
