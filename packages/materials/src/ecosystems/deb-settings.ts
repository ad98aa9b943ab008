import type { AskClient, AskedUpstream, ClientContext, ClientSettings } from "../ecosystem.ts";
import type { Upstream } from "../material.ts";
import { askedAddress } from "./ask-address.ts";

const defaultKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * apt in a sandbox has no root, no state and no configuration of the host's: everything of its own lies below the home,
 * and the one file that APT_CONFIG names says so. It asks for gzip, which the factory can read, and by hash, so that
 * an index cannot change under it.
 */
export function debSettings(context: ClientContext): ClientSettings {
  const { proxy, authorityPem, directory, home } = context;
  // By this name alone apt makes the directory itself, when only its parent exists.
  const state = `${home}/apt`;
  return {
    environment: { APT_CONFIG: `${directory}/apt/apt.conf`, DEBIAN_FRONTEND: "noninteractive" },
    files: {
      "apt/apt.conf": `${[
        `Dir::State ${quoted(state)};`,
        `Dir::State::status "/dev/null";`,
        `Dir::Cache ${quoted(state)};`,
        `Dir::Log ${quoted(`${state}/log`)};`,
        `Dir::Etc::main "/dev/null";`,
        `Dir::Etc::parts "/dev/null";`,
        `Dir::Etc::preferences "/dev/null";`,
        `Dir::Etc::preferencesparts "/dev/null";`,
        `Dir::Etc::sourcelist ${quoted(`${directory}/apt/sources.list`)};`,
        `Dir::Etc::sourceparts "/dev/null";`,
        `Dir::Etc::trusted "/dev/null";`,
        `Dir::Etc::trustedparts "/dev/null";`,
        `Acquire::http::Proxy ${quoted(proxy)};`,
        `Acquire::https::Proxy ${quoted(proxy)};`,
        `Acquire::https::CAInfo ${quoted(authorityPem)};`,
        `Acquire::AllowInsecureRepositories "false";`,
        `Acquire::AllowDowngradeToInsecureRepositories "false";`,
        `Acquire::Check-Valid-Until "true";`,
        `Acquire::By-Hash "yes";`,
        `Acquire::CompressionTypes::Order { "gz"; };`,
        `Acquire::GzipIndexes "true";`,
        `Acquire::Languages "none";`,
        `Acquire::PDiffs "false";`,
        `Acquire::Retries "0";`,
        `Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";`,
        `APT::Sandbox::User "";`,
        `APT::Install-Recommends "false";`,
        `APT::Update::Error-Mode "any";`,
      ].join("\n")}\n`,
      "apt/sources.list": context.upstreams.map(sourceLines).join(""),
    },
  };
}

/** One line a suite; an upstream of which no suite is known stays for the step's own sources. */
function sourceLines({ url, suites = [], components = ["main"], keyring = defaultKeyring }: Upstream): string {
  return suites.map((suite) => `deb [signed-by=${keyring}] ${url} ${suite} ${components.join(" ")}\n`).join("");
}

function quoted(text: string): string {
  return `"${text.replace(/["\\\n]/g, "")}"`;
}

/** Archives that apt has indexes of, with their suites; keyrings stand only in the files that name the archives. */
export async function askDeb(ask: AskClient): Promise<readonly AskedUpstream[]> {
  const format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(CREATED_BY)|$(SOURCESENTRY)";
  const answer = (await ask("apt-get", ["indextargets", "--format", format])) ?? "";
  const found = new Map<string, AskedUpstream & { suites: string[]; components: string[]; keyring?: string }>();
  for (const line of answer.split("\n")) {
    const [uri = "", suite = "", component = "", by = "", entry = ""] = line.split("|");
    const address = by === "Packages" ? askedAddress(uri, "apt") : undefined;
    if (address === undefined || !isWord(suite) || !isWord(component)) continue;
    const known = found.get(address.url);
    const keyring = known?.keyring ?? (await keyringOf(entry, ask));
    const one = known ?? { ...address, exclusive: [], suites: [], components: [], ...(keyring && { keyring }) };
    if (!one.suites.includes(suite)) one.suites.push(suite);
    if (!one.components.includes(component)) one.components.push(component);
    found.set(address.url, one);
  }
  return [...found.values()];
}

const isWord = (text: string): boolean => /^[\w.+~/-]+$/.test(text) && !text.startsWith("/");

/** `Signed-By` of the stanza that a source stands in (`FILE:NUMBER`, counted from 1), when it is a file of the image. */
async function keyringOf(entry: string, ask: AskClient): Promise<string | undefined> {
  const [, file = "", number = ""] = /^(\/etc\/apt\/[\w./-]+\.sources):(\d+)$/.exec(entry) ?? [];
  if (file === "") return undefined;
  const stanzas = ((await ask("cat", [file])) ?? "").split(/\n\s*\n/).filter((one) => /^URIs:/m.test(one));
  return /^Signed-By:\s*(\/usr\/share\/[\w./-]+)\s*$/m.exec(stanzas[Number(number) - 1] ?? "")?.[1];
}
