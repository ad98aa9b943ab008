/** A YAML reader without any of our rules, against which attacks show the harm first. */
export { parse as naiveParse } from "yaml";
