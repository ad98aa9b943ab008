import type { Command } from "../command.ts";

/** `touchmark schema`: the JSON Schema of a document that people write or read. */
export const command: Command = {
  name: "schema",
  summary: "print the JSON Schema of a document",
  arguments: [{ name: "document", description: "pipeline: touchmark.yaml; registry: registry.yaml", required: true }],
  examples: [["touchmark schema pipeline > pipeline.schema.json", "for an editor that completes touchmark.yaml"]],
  async run(invocation, terminal) {
    const { cliErrors } = await import("../errors.ts");
    const [name = ""] = invocation.arguments;
    if (name === "registry") {
      const { registrySchema } = await import("@touchmark/formats/registry");
      terminal.print(JSON.stringify(registrySchema(), undefined, 2));
      return 0;
    }
    if (name !== "pipeline") {
      throw cliErrors.make("CLI_USAGE", `expected pipeline or registry, found ${JSON.stringify(name)}`, {
        hint: "schemas of evidence are in docs/formats",
      });
    }
    const { pipelineSchema } = await import("@touchmark/formats/pipeline");
    terminal.print(JSON.stringify(pipelineSchema(), undefined, 2));
    return 0;
  },
};
