import { isDigest } from "@touchmark/core";
import type { Command } from "../../command.ts";
import { cliErrors } from "../../errors.ts";

/** `touchmark vex remove`: a document counts no more. */
export const command: Command = {
  name: "vex remove",
  summary: "let a document count no more",
  description: "Forgets the document and its decision. What was signed stays in the transparency log.",
  arguments: [{ name: "digest", description: "sha256:… as touchmark vex list shows it", required: true }],
  examples: [["touchmark vex remove sha256:…", "from the next run and scan on"]],
  async run(invocation, terminal) {
    const [digest = ""] = invocation.arguments;
    if (!isDigest(digest))
      throw cliErrors.make("CLI_USAGE", `expected sha256:…, found ${JSON.stringify(digest.slice(0, 100))}`);
    const { openFactory } = await import("@touchmark/pipeline");
    const { forgetVex } = await import("@touchmark/pipeline/analysis");
    const factory = await openFactory();
    try {
      if (!forgetVex(factory, digest)) {
        throw cliErrors.make("CLI_USAGE", `expected a document that is kept, found none of ${digest}`, {
          hint: "touchmark vex list",
        });
      }
      terminal.print(`forgot ${digest}`);
      return 0;
    } finally {
      await factory.close();
    }
  },
};
