import { parseArgs } from "node:util";
import { reportOf, tableOf } from "./report.ts";
import { runSuite } from "./suite.ts";

const usage = `usage: node conformance/distribution/run.ts --url URL [options]

Checks a registry against the text of OCI distribution-spec 1.1. Writes into repositories of its own, and leaves them there.

  --url URL              http(s)://HOST[:PORT]
  --user NAME:PASSWORD   who may push, pull and delete
  --repository PREFIX    repositories of the run lie below it (conformance)
  --workflow NAME        pull, push, content discovery, content management; may be repeated (all)
  --name NAME            of the registry, for the report
  --official TEXT        what the official suite came to, for the report
  --json                 a report for page.ts instead of the table

Exits with 0 when no MUST failed, with 1 otherwise.
`;

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    user: { type: "string" },
    repository: { type: "string" },
    workflow: { type: "string", multiple: true },
    name: { type: "string" },
    official: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

if (values.help === true || values.url === undefined) {
  process.stdout.write(usage);
  process.exitCode = values.help === true ? 0 : 2;
} else {
  const { url, user, repository: prefix, workflow } = values;
  const outcomes = await runSuite({
    ...{ url, user, prefix },
    only: (check) => workflow === undefined || workflow.includes(check.workflow),
  });
  const report = reportOf(values.name ?? url, outcomes, values.official);
  process.stdout.write(`${values.json === true ? JSON.stringify(report) : tableOf(report)}\n`);
  process.exitCode = report.counts.must.failed > 0 ? 1 : 0;
}
