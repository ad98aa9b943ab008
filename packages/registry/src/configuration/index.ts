// Apart from the package's other parts: whoever has no configuration to read starts without the readers of YAML.
export { parseRegistryConfiguration } from "./parse.ts";
