import type { OptionSpec } from "./command.ts";

/** Options of every command that reads or writes images in registries. */
export const registryOptions: readonly OptionSpec[] = [
  {
    flags: "--mirror <place>",
    description: "REGISTRY=HOST[/PREFIX]: asked before the registry, for content by digest alone",
    repeatable: true,
  },
  { flags: "--authority <pem>", description: "file with certificates of authorities to trust", repeatable: true },
  {
    flags: "--insecure-plain-http <host>",
    description: "speak plain http with this registry; nobody is kept from reading along",
    repeatable: true,
  },
];
