import type { ClientContext, ClientSettings } from "../ecosystem.ts";

/** Git reads this configuration in place of the user's: smart HTTP through the proxy, no prompts, helpers or other transports. */
export function gitSettings(context: ClientContext): ClientSettings {
  const file = `${context.directory}/git/config`;
  return {
    environment: {
      GIT_CONFIG_GLOBAL: file,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_ASKPASS: "",
      GIT_SSL_CAINFO: context.authorityPem,
      // Stands above every configuration, also a project's own.
      GIT_ALLOW_PROTOCOL: "http:https:file",
    },
    files: {
      "git/config": [
        "[http]",
        `\tproxy = ${context.proxy}`,
        `\tsslCAInfo = ${context.authorityPem}`,
        "\tfollowRedirects = initial",
        "[protocol]",
        "\tversion = 2",
        "[credential]",
        "\thelper =",
        "[transfer]",
        "\tfsckObjects = true",
        "[fetch]",
        "\tparallel = 1",
        "[gc]",
        "\tauto = 0",
        "[advice]",
        "\tdetachedHead = false",
        "",
      ].join("\n"),
    },
  };
}
