import { gateEcosystems } from "@touchmark/formats/pipeline";
import type { AskedUpstream } from "../ecosystem.ts";
import type { AskedUpstreams } from "../ecosystems/ask.ts";

const head = `# What may enter builds of this factory, and from where. Yours to change; projects can only tighten it.
# The repositories below are those that the installed clients of this host named. Nobody asks them again.
# Every rule: docs/materials-rules.md. The schema: docs/formats/materials-configuration.schema.json.
touchmark: materials/v1

# Trusted repositories by ecosystem, in order of preference. \`exclusive\` names and scopes come from there and nowhere
# else: write your own organisation's names there, so that nobody can publish them elsewhere (dependency confusion).
`;

/** Every member of the gate, with its default. A test compares it with \`defaultRules\`. */
const tail = `
# Rules of the dependency gate. What stands here are the defaults.
gate:
  # What is fetched but not locked: refuse, signed (a verified signature is enough) or record.
  unlocked:
    npm: refuse
    pypi: refuse
    golang: refuse
    cargo: refuse
    maven: refuse
    deb: signed
    git: refuse
    generic: refuse
  # Digest of a locked package: lockfile, or announced (by the index, where the lockfile keeps none).
  locked-digest: announced
  # Packages that are never admitted: - { package: "pkg:npm/name", reason: why }
  denied: []
  # Versions published later are refused.
  # as-of: "2026-01-31"
  # How long a version must have been published: "7d" keeps out most malicious releases.
  minimum-age: "0s"
  minimum-age-except: []
  # Names that look like known ones: refuse, record or off.
  lookalike: refuse
  lookalike-except: []
  known-names: []
  # Packages with install-time programs: list or refuse. None runs in a fetch step; those allowed by name may run in a
  # later step without network.
  install-scripts: list
  install-scripts-allowed: []
  # Evidence that packages must have: - { packages: "pkg:npm/@org/*", all: [npm-provenance] }
  required-evidence: []
  licence-denied: []
  # licence-allowed: [MIT, Apache-2.0]
  # vulnerabilities: high   # needs advisory data (touchmark advisories): without it every package is refused
  new-publisher: record
  vanished-evidence: refuse
  withdrawn: record
  # Signed reviews (touchmark materials review): all, new names, or off.
  third-party-review: "off"
  review-parties: [first, second, third]
  # Requests on which nothing rests: audits, pings, update checks.
  chatter: refuse
  sizes:
    archive: 2GiB
    index: 128MiB
    unpacked: 8GiB
    files: 500000
    ratio: 400
  # - rule: minimum-age
  #   packages: "pkg:npm/name@1.2.3"
  #   reason: a security release
  #   approver: your name
  #   expires: "2026-12-31"
  exceptions: []

# Whose word counts: key and trust-root files, relative to this one, by kind of evidence. docs/materials-evidence.md
# trust: { npm-signature: [npm-keys.json] }
trust: {}

# Secrets, by where they are kept; never the secret itself.
# packages:
#   host: packages.example.com
#   purpose: fetch
#   steps: [fetch]
#   from: { file: packages.token }
credentials: {}
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
