import { dirname, resolve } from "node:path";
import { type Command, given, text } from "../../command.ts";
import { oneLine } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";
import { layoutsBeside, readDocument } from "./documents.ts";

/** `touchmark policy test`: what a policy says of evidence that a test states. */
export const command: Command = {
  name: "policy test",
  summary: "run tests of policies: stated evidence, expected results",
  description:
    "A test names its policy and states subject, request, chain, evidence, parameters and time; the engine decides as it would, and every rule's outcome is compared. Nothing is verified, and such a decision can never be signed. Exit 1 when a case fails.",
  arguments: [{ name: "files", description: "documents of policy-test/v1", required: true, variadic: true }],
  options: [
    { flags: "--at <date>", description: "time of the cases that state none: 2027-01-31" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark policy test policies/*.policy-test.yaml", "one line for each case, and what came out otherwise"],
    ["touchmark policy test --at 2027-06-01 release.policy-test.yaml", "whether it still holds then"],
  ],
  async run(invocation, terminal) {
    const { runPolicyTest } = await import("@touchmark/policy");
    const now = timeOption(text(invocation, "at"), "--at") ?? new Date();
    const reports = invocation.arguments.map((file) => {
      const { document } = readDocument(terminal, file, "policy-test");
      const path = resolve(dirname(resolve(terminal.directory, file)), document.policy);
      const policy = readDocument(terminal, path, "policy");
      const setting = { policy, layouts: layoutsBeside(path, policy.document), now };
      return { file, policy: policy.document.name, cases: runPolicyTest(document, setting) };
    });
    const cases = reports.flatMap((report) => report.cases);
    const failed = cases.filter(({ passed }) => !passed).length;
    if (given(invocation, "json")) {
      terminal.print(JSON.stringify({ cases: cases.length, failed, files: reports }, undefined, 2));
      return failed === 0 ? 0 : 1;
    }
    const { style } = terminal;
    for (const { file, policy, cases: results } of reports) {
      terminal.print(`${style.bold(policy)} ${oneLine(file)}`);
      for (const { name, passed, differences } of results) {
        terminal.print(`  ${passed ? style.good("ok") : style.bad("failed")} ${oneLine(name)}`);
        for (const difference of differences) terminal.print(oneLine(`      ${difference}`));
      }
    }
    terminal.print(`${cases.length} cases, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  },
};
