import { javaErrors } from "./errors.ts";

const longest = 4096;
const mostSteps = 2000;
const reference = /\$\{([^${}]{1,300})\}/g;

/**
 * Text with its `${...}` replaced by what they name, in them too. Undefined where something is not known. What would grow
 * without bound, or names itself, is refused.
 * @throws SBOM_JAVA_POM_CYCLE
 */
export function interpolate(text: string, valueOf: (name: string) => string | undefined): string | undefined {
  if (!text.includes("${")) return text;
  let steps = 0;
  let isKnown = true;
  const replaced = (written: string, open: readonly string[]): string =>
    written.replace(reference, (_, name: string) => {
      if (open.includes(name) || ++steps > mostSteps) {
        throw javaErrors.make(
          "SBOM_JAVA_POM_CYCLE",
          `expected properties that end, found ${JSON.stringify(name)} in itself`,
        );
      }
      const value = isKnown ? valueOf(name) : undefined;
      if (value === undefined) {
        isKnown = false;
        return "";
      }
      const found = value.includes("${") ? replaced(value, [...open, name]) : value;
      if (found.length > longest) {
        throw javaErrors.make("SBOM_JAVA_POM_CYCLE", `expected a property of at most ${longest} characters`);
      }
      return found;
    });
  const found = replaced(text, []);
  return isKnown && !found.includes("${") ? found : undefined;
}
