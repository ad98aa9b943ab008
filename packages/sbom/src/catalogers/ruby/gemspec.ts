/** An installed gem, as its specification says. */
export interface InstalledGem {
  readonly name: string;
  readonly version: string;
  readonly platform?: string;
  readonly licences: readonly string[];
  readonly authors: readonly string[];
  readonly homepage?: string;
  readonly summary?: string;
  readonly dependencies: readonly { readonly name: string; readonly requirements: readonly string[] }[];
}

const word = /"((?:[^"\\]|\\.){0,2000})"/g;
const mostNeeds = 1000;

/**
 * Reads a specification that RubyGems wrote: Ruby code, but of one form only, with a statement on each line. What has
 * another form is no installed gem's, and is not guessed at: undefined.
 */
export function parseGemspec(text: string): InstalledGem | undefined {
  const stub = /^# stub: ([A-Za-z0-9._-]{1,256}) ([0-9][0-9A-Za-z.]{0,200}) ([A-Za-z0-9._-]{1,100}) /m.exec(text);
  const values = new Map<string, readonly string[]>();
  const dependencies = new Map<string, readonly string[]>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^ {2}s\.(\w+) = (.{1,100000})$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !values.has(name)) values.set(name, wordsOf(value));
    const [, needed, requirements] =
      /^\s+s\.add_(?:runtime_)?dependency\(%q<([^<>\s]{1,256})>(?:\.freeze)?, \[(.*)\]\)/.exec(line) ?? [];
    if (needed !== undefined && dependencies.size < mostNeeds) dependencies.set(needed, wordsOf(requirements ?? ""));
  }
  const name = stub?.[1] ?? values.get("name")?.[0];
  const version = stub?.[2] ?? values.get("version")?.[0];
  if (
    name === undefined ||
    version === undefined ||
    !/^[A-Za-z0-9._-]+$/.test(name) ||
    !/^[0-9][0-9A-Za-z.]*$/.test(version)
  ) {
    return undefined;
  }
  const platform = stub?.[3] ?? values.get("platform")?.[0];
  const [homepage, summary] = [values.get("homepage")?.[0], values.get("summary")?.[0]];
  return {
    name,
    version,
    ...(platform !== undefined && platform !== "ruby" && { platform }),
    licences: values.get("licenses") ?? values.get("license") ?? [],
    authors: values.get("authors") ?? [],
    ...(homepage !== undefined && { homepage }),
    ...(summary !== undefined && { summary }),
    dependencies: [...dependencies].map(([needed, requirements]) => ({ name: needed, requirements })),
  };
}

function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(word)].slice(0, 1000).map(([, inner = ""]) => inner.replace(/\\(.)/gs, "$1"));
}
