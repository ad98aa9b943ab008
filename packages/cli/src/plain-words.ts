import type { Command, Invocation, OptionSpec } from "./command.ts";

/**
 * Reads words that leave nothing to interpret: options spelled in full, each once, each with its value as the next word.
 * Returns undefined for all others, wrong ones too: the full parser then reads them and says what is wrong. It costs
 * as much to load as a small bundle costs to verify.
 */
export function readPlainWords(
  command: Command,
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Invocation | undefined {
  const specs = new Map<string, OptionSpec>();
  for (const spec of command.options ?? []) {
    // A value that is there without its flag is the full parser's to find.
    if (spec.flags.startsWith("--no-")) return undefined;
    if (spec.environment !== undefined && environment[spec.environment] !== undefined) return undefined;
    if (/^--[a-z]+(?:-[a-z]+)*(?: <[^>]+>)?$/.test(spec.flags)) specs.set(spec.flags.split(" ")[0] as string, spec);
  }
  const options: Record<string, unknown> = {};
  const positional: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (!word.startsWith("-")) {
      positional.push(word);
      continue;
    }
    const spec = specs.get(word);
    if (spec === undefined || spec.repeatable === true || spec.choices !== undefined) return undefined;
    const name = word.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (Object.hasOwn(options, name)) return undefined;
    const value = spec.flags.includes(" ") ? words[++i] : true;
    if (value === undefined || (typeof value === "string" && value.startsWith("-"))) return undefined;
    options[name] = value;
  }
  return fits(command, positional.length) ? { arguments: positional, options } : undefined;
}

function fits(command: Command, count: number): boolean {
  const places = command.arguments ?? [];
  if (count < places.filter((place) => place.required === true).length) return false;
  return count <= places.length || places.at(-1)?.variadic === true;
}
