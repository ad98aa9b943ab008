import type { ClientContext, ClientSettings } from "../ecosystem.ts";
import type { Upstream } from "../material.ts";
import { defaultUpstream } from "./common-settings.ts";

/**
 * Settings for pip, uv and poetry; the environment has precedence over the project's own files in all of them, but
 * for the sources that a project names. Source distributions are programs that run to become packages: they are not
 * built at fetch. A step that must build some names them itself (`--no-binary NAME` of pip, `no-binary-package` of uv),
 * and the gate then sees them as packages with install scripts.
 */
export function pypiSettings(context: ClientContext): ClientSettings {
  const chosen = defaultUpstream(context.upstreams);
  const further = context.upstreams.filter((upstream) => upstream !== chosen);
  const plain = context.upstreams.filter(({ url }) => url.startsWith("http:")).map(({ url }) => new URL(url).host);
  const index = chosen === undefined ? undefined : indexOf(chosen);
  const extra = further.map(indexOf).join(" ");
  return {
    environment: {
      PIP_CONFIG_FILE: `${context.directory}/pip.conf`,
      ...(index === undefined ? { PIP_NO_INDEX: "1" } : { PIP_INDEX_URL: index }),
      ...(extra === "" ? {} : { PIP_EXTRA_INDEX_URL: extra }),
      ...(plain.length === 0 ? {} : { PIP_TRUSTED_HOST: plain.join(" "), UV_INSECURE_HOST: plain.join(" ") }),
      PIP_CERT: context.authorityPem,
      PIP_PROXY: context.proxy,
      PIP_ONLY_BINARY: ":all:",
      PIP_DISABLE_PIP_VERSION_CHECK: "1",
      PIP_NO_INPUT: "1",
      PIP_KEYRING_PROVIDER: "disabled",
      UV_CONFIG_FILE: `${context.directory}/uv.toml`,
      ...(index === undefined ? { UV_NO_INDEX: "1" } : { UV_DEFAULT_INDEX: index }),
      ...(extra === "" ? {} : { UV_INDEX: extra }),
      UV_NO_BUILD: "1",
      UV_PYTHON_DOWNLOADS: "never",
      UV_KEYRING_PROVIDER: "disabled",
      POETRY_INSTALLER_ONLY_BINARY: ":all:",
      POETRY_KEYRING_ENABLED: "false",
      POETRY_NO_INTERACTION: "1",
    },
    files: { "pip.conf": pipConf(context, index), "uv.toml": uvToml() },
  };
}

/** Address of the simple interface: the upstream's own, or where an index keeps it below its root. */
function indexOf(upstream: Upstream): string {
  return upstream.url;
}

function pipConf(context: ClientContext, index: string | undefined): string {
  const lines = [
    "[global]",
    ...(index === undefined ? ["no-index = true"] : [`index-url = ${index}`]),
    `cert = ${context.authorityPem}`,
    `proxy = ${context.proxy}`,
    "only-binary = :all:",
    "disable-pip-version-check = true",
  ];
  return `${lines.join("\n")}\n`;
}

/** Replaces the files of user, system and project; what uv needs stands in its environment. */
function uvToml(): string {
  return "no-build = true\n";
}
