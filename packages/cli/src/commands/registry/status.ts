import type { RegistryConfiguration } from "@touchmark/registry";
import { type Command, given } from "../../command.ts";
import { size } from "../../output/quantity.ts";
import { withRegistryHome } from "./place.ts";
import { usersFile, usersOptions } from "./users-file.ts";

/** `touchmark registry status`: what a server would do. */
export const command: Command = {
  name: "registry status",
  summary: "what the configuration says, and whether it can be read",
  description: "Reads the configuration strictly, as a server does, and says what follows from it. No server is asked.",
  options: [...usersOptions, { flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark registry status", "after editing registry.yaml"]],
  async run(invocation, terminal) {
    return withRegistryHome(invocation, terminal, false, async (home) => {
      const { configuration, path } = await usersFile(invocation, terminal, home);
      const rows = rowsOf(configuration, path);
      if (given(invocation, "json")) {
        terminal.print(
          JSON.stringify(Object.fromEntries(rows.map(([key, value]) => [key.replaceAll(" ", "-"), value]))),
        );
      } else for (const [key, value] of rows) terminal.print(`${key.padEnd(16)} ${value}`);
      return 0;
    });
  },
};

function rowsOf(configuration: RegistryConfiguration, path: string): readonly (readonly [string, string])[] {
  const { listen, storage, mirror, tls, anonymous, users, tags, quotas, uploads, tokens, audit } = configuration;
  const all = anonymous.some(({ repositories }) => repositories === "**");
  return [
    ["configuration", configuration.digest === undefined ? `none at ${path}` : `${path} ${configuration.digest}`],
    ["listen", "socket" in listen ? `unix:${listen.socket}` : `${listen.host}:${listen.port}`],
    ["storage", storage === undefined ? "the home" : `${storage.endpoint}/${storage.bucket}/${storage.prefix}`],
    ...(mirror === undefined ? [] : [["mirror of", `${mirror.registry}/${mirror.prefix}`] as const]),
    ["tls", tls === undefined ? "none" : "names" in tls ? `factory, for ${tls.names.join(", ")}` : tls.certificate],
    ["anonymous", all ? "read everything" : anonymous.map((each) => each.repositories).join(", ") || "nothing"],
    ["users", String(users.size)],
    ["tag rules", `${tags.immutable.length} immutable, ${tags.promotionOnly.length} promotion only`],
    [
      "quotas",
      `${quotas.totalBytes === undefined ? "no total" : size(quotas.totalBytes)}, ${quotas.repositories.length} for repositories`,
    ],
    ["largest blob", size(uploads.blobBytes)],
    ["tokens", `for ${tokens.service}, ${tokens.lifetimeSeconds} s`],
    ["audit", `${audit.file ?? "audit.jsonl of the registry"}, ${audit.keep + 1} files of ${size(audit.fileBytes)}`],
  ];
}
