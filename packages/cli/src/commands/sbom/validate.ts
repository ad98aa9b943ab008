import { exitCodes } from "@touchmark/core";
import { type Command, given } from "../../command.ts";
import { oneLine } from "../../terminal.ts";
import { noteLosses, noteProblems, readDocument } from "./document.ts";

/** `touchmark sbom validate`: what is wrong in SBOM documents. */
export const command: Command = {
  name: "sbom validate",
  summary: "say what is wrong in an SBOM",
  description:
    "Checks structure and values by the rules of the document's format, and what its statements mean together: identifiers that stand twice, relations to what is not there, package URLs that deny name or version, circles, a missing subject. Time is linear in the size of the document. Exit 3 when something is wrong; circles and a missing subject are notes. A document that cannot be read at all is exit 2.",
  arguments: [{ name: "documents", description: "SBOM documents of any format", required: true, variadic: true }],
  options: [{ flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark sbom validate sbom.cdx.json", "problems with their place; exit 3 when there are any"]],
  async run(invocation, terminal) {
    const results = [];
    let isWrong = false;
    for (const file of invocation.arguments) {
      const read = await readDocument(file, terminal);
      const { format, problems, losses, sbom } = read;
      const faults = problems.filter(({ severity }) => severity !== "note").length;
      isWrong ||= faults > 0;
      const edges = sbom.dependencies.reduce((count, { to }) => count + to.length, 0);
      results.push({ file, format, components: sbom.components.length, edges, problems, losses });
      if (given(invocation, "json")) continue;
      noteProblems(file, read, terminal);
      noteLosses("not kept", losses, terminal);
      const verdict = faults === 0 ? terminal.style.good("valid") : terminal.style.bad(`${faults} wrong`);
      terminal.print(`${oneLine(file)}: ${format}, ${sbom.components.length} components, ${edges} edges: ${verdict}`);
    }
    if (given(invocation, "json")) terminal.print(JSON.stringify(results, undefined, 2));
    return isWrong ? exitCodes.refused : 0;
  },
};
