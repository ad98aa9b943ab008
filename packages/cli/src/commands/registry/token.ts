import type { RegistryAction } from "@touchmark/registry";
import type { Command, Invocation } from "../../command.ts";
import { given, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { parseAge } from "../../output/quantity.ts";
import { placeOptions, withRegistryHome } from "./place.ts";

/** `touchmark registry token`: lends a few rights for a few minutes. */
export const command: Command = {
  name: "registry token",
  summary: "a short-lived token for some repositories",
  description:
    "Prints a token of this factory for single repositories, for at most an hour. Clients send it as a bearer token, or as the password of the user `token`. --rotate makes a new signing key instead, which ends every token there is.",
  options: [
    { flags: "--repository <name>", description: "what it is for; may stand several times", repeatable: true },
    { flags: "--actions <list>", description: "of pull, push, delete, catalog; with commas (default pull)" },
    { flags: "--lifetime <age>", description: "at most 60m (default 10m)" },
    { flags: "--rotate", description: "make a new signing key; every token of the old one ends" },
    ...placeOptions,
    { flags: "--config <file>", description: "configuration instead of registry.yaml in the home" },
    { flags: "--json", description: "token, subject, scope and end as JSON" },
  ],
  examples: [
    ["touchmark registry token --repository team/app --actions pull,push", "the token alone, on standard output"],
    [
      'skopeo copy --dest-registry-token "$(touchmark registry token --repository app --actions pull,push)" oci:app docker://127.0.0.1:5000/app',
      "push with it",
    ],
    ["touchmark registry token --rotate", "after a token was seen by somebody else"],
  ],
  async run(invocation, terminal) {
    const json = given(invocation, "json");
    if (given(invocation, "rotate")) {
      return withRegistryHome(invocation, terminal, false, async (home) => {
        const { registryPlace } = await import("@touchmark/pipeline/registry");
        const { rotateTokenKey } = await import("@touchmark/registry");
        const { systemClock } = await import("@touchmark/core");
        const { id } = rotateTokenKey(registryPlace(home).tokenKey, systemClock);
        terminal.print(
          json ? JSON.stringify({ key: id }) : `tokens are signed by key ${id} now; older ones have ended`,
        );
        return 0;
      });
    }
    const wanted = wantedOf(invocation);
    return withRegistryHome(invocation, terminal, false, async (home) => {
      const { openFactory } = await import("@touchmark/pipeline");
      const { mintRegistryToken } = await import("@touchmark/pipeline/registry");
      const factory = await openFactory({ create: true });
      try {
        const identity = await factory.identity();
        // Whoever can run this command on this host speaks for the host.
        const spiffeId = `spiffe://${identity.trustDomain}/node`;
        const minted = await mintRegistryToken({ home, identity, spiffeId, ...wanted });
        const { token, subject, service, access, expiresAt } = minted;
        if (json)
          terminal.print(JSON.stringify({ token, subject, service, access, expiresAt: expiresAt.toISOString() }));
        else terminal.print(token);
        return 0;
      } finally {
        await factory.close();
      }
    });
  },
};

const actionNames: readonly RegistryAction[] = ["pull", "push", "delete", "catalog"];

function wantedOf(invocation: Invocation) {
  const repositories = texts(invocation, "repository");
  const words = (text(invocation, "actions") ?? "pull").split(",");
  const actions = actionNames.filter((name) => words.includes(name));
  const wrong = words.find((word) => !actionNames.includes(word as RegistryAction));
  if (wrong !== undefined) {
    throw cliErrors.make(
      "CLI_USAGE",
      `expected --actions of ${actionNames.join(", ")}, found ${JSON.stringify(wrong.slice(0, 40))}`,
    );
  }
  if (repositories.length === 0 && !actions.includes("catalog")) {
    throw cliErrors.make("CLI_USAGE", "expected --repository, found none");
  }
  const age = text(invocation, "lifetime");
  const lifetimeSeconds = age === undefined ? undefined : parseAge(age);
  if (age !== undefined && lifetimeSeconds === undefined) {
    throw cliErrors.make("CLI_USAGE", `expected --lifetime like 10m, found ${JSON.stringify(age.slice(0, 40))}`);
  }
  const configuration = text(invocation, "config");
  return {
    repositories,
    actions,
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    ...(configuration === undefined ? {} : { configuration }),
  };
}
