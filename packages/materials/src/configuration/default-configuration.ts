import { gateEcosystems } from "@touchmark/formats/pipeline";
import type { AskedUpstream } from "../ecosystem.ts";
import type { AskedUpstreams } from "../ecosystems/ask.ts";

const head = `# What may enter builds of this factory, and from where. Yours to change; projects can only tighten it.
# The repositories below are those that the installed clients of this host named. Nobody asks them again.
touchmark: materials/v1
`;

const tail = `
# Rules of the dependency gate; every one has a default. docs/materials-rules.md describes each.
# gate:
#   minimum-age: 7d              # versions younger than this are refused
#   unlocked: { maven: record }  # packages without a lockfile: refuse, signed, or record
#   denied: [{ package: "pkg:npm/example@*", reason: "..." }]

# Whose word counts: key and trust-root files, by kind of evidence. docs/materials-evidence.md
# trust: { npm-signature: [npm-keys.json] }

# Secrets of private repositories, by reference; never the secret itself.
# credentials:
#   NAME: { host: packages.example.com, purpose: fetch, steps: [fetch], from: { file: token } }
`;

/**
 * Text of a new `materials.yaml` with the upstreams that the host's clients named, for the user to change. A
 * repository over plain http is left out, as a comment, unless its content is signed (Debian) or it is this host.
 */
export function defaultConfiguration(asked: AskedUpstreams): string {
  const known = gateEcosystems.filter((ecosystem) => (asked[ecosystem] ?? []).length > 0);
  if (known.length === 0) return `${head}upstreams: {}\n${tail}`;
  const names = new Set<string>();
  const sections = known.map((ecosystem) => {
    const rows = (asked[ecosystem] ?? []).map((each) =>
      upstreamRow(each, uniqueName(ecosystem, names), ecosystem === "deb"),
    );
    const isBare = rows.every((row) => row.startsWith("    #"));
    return `  ${ecosystem}:${isBare ? " []" : ""}\n${rows.join("\n")}`;
  });
  return `${head}upstreams:\n${sections.join("\n")}\n${tail}`;
}

function uniqueName(ecosystem: string, taken: Set<string>): string {
  let name = ecosystem;
  for (let count = 2; taken.has(name); count++) name = `${ecosystem}-${count}`;
  taken.add(name);
  return name;
}

function upstreamRow(asked: AskedUpstream, name: string, isSigned: boolean): string {
  const { hostname, protocol } = new URL(asked.url);
  const isPlain = protocol === "http:" && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  const members = [
    `name: ${name}`,
    `url: ${JSON.stringify(asked.url)}`,
    ...listOf("exclusive", asked.exclusive),
    ...listOf("suites", asked.suites),
    ...listOf("components", asked.components),
    ...(asked.keyring === undefined ? [] : [`keyring: ${JSON.stringify(asked.keyring)}`]),
    ...(isPlain ? ["insecure-http: true"] : []),
  ];
  const from = asked.from.replace(/[^\x20-\x7e]/g, "?").slice(0, 100);
  const secret =
    asked.credential === undefined ? "" : `; the client has a credential (${asked.credential}), see credentials below`;
  const row = `- { ${members.join(", ")} } # ${from}${secret}`;
  return isPlain && !isSigned ? `    # plain http, so not trusted unless you say so: ${row}` : `    ${row}`;
}

function listOf(name: string, values: readonly string[] | undefined): string[] {
  return values === undefined || values.length === 0 ? [] : [`${name}: ${JSON.stringify(values)}`];
}
