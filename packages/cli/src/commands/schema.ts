import type { Command } from "../command.ts";

const schemas: Readonly<Record<string, () => Promise<unknown>>> = {
  pipeline: async () => (await import("@touchmark/formats/pipeline")).pipelineSchema(),
  registry: async () => (await import("@touchmark/formats/registry")).registrySchema(),
  materials: async () => (await import("@touchmark/formats/pipeline")).materialsSchema(),
  images: async () => (await import("@touchmark/formats/pipeline")).imagesSchema(),
  advisories: async () => (await import("@touchmark/formats/pipeline")).advisoriesSchema(),
  scan: async () => (await import("@touchmark/formats/pipeline")).scanSchema(),
  admission: async () => (await import("@touchmark/formats/policy")).homePolicySchemas().admission,
  environments: async () => (await import("@touchmark/formats/policy")).homePolicySchemas().environments,
  policy: async () => (await import("@touchmark/formats/policy")).policySchemas().policy,
  layout: async () => (await import("@touchmark/formats/policy")).policySchemas().layout,
  exception: async () => (await import("@touchmark/formats/policy")).policySchemas().exception,
  "policy-set": async () => (await import("@touchmark/formats/policy")).policySchemas()["policy-set"],
  "policy-test": async () => (await import("@touchmark/formats/policy")).policySchemas()["policy-test"],
};

/** `touchmark schema`: the JSON Schema of a document that people write or read. */
export const command: Command = {
  name: "schema",
  summary: "print the JSON Schema of a document",
  arguments: [
    {
      name: "document",
      description:
        "pipeline: touchmark.yaml; registry, materials, images, advisories, scan, admission, environments: the files of the home; policy, layout, exception, policy-set, policy-test",
      required: true,
    },
  ],
  examples: [["touchmark schema pipeline > pipeline.schema.json", "for an editor that completes touchmark.yaml"]],
  async run(invocation, terminal) {
    const { cliErrors } = await import("../errors.ts");
    const [name = ""] = invocation.arguments;
    const load = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    if (load === undefined) {
      throw cliErrors.make("CLI_USAGE", `expected ${Object.keys(schemas).join(", ")}, found ${JSON.stringify(name)}`, {
        hint: "schemas of evidence are in docs/formats",
      });
    }
    terminal.print(JSON.stringify(await load(), undefined, 2));
    return 0;
  },
};
