import { resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { RegistryServer } from "@touchmark/pipeline/registry";
import { type Command, given, type Invocation, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { placeOptions, withRegistryHome } from "./place.ts";

/** `touchmark registry serve`: the registry, until it is told to stop. */
export const command: Command = {
  name: "registry serve",
  summary: "let OCI clients push to and pull from the store of this factory",
  description:
    "Serves OCI distribution 1.1 from the store of TOUCHMARK_HOME, or from --dir, until Ctrl-C or SIGTERM; requests under way may end. Reading and writing need a credential: a user of registry.yaml, or a token of this factory. Beyond this host it speaks TLS, with your certificate or with one of the factory's own authority.",
  options: [
    {
      flags: "--listen <address>",
      description: "HOST:PORT, [ADDRESS]:PORT, unix:PATH; port 0 takes a free one (default 127.0.0.1:5000)",
    },
    ...placeOptions,
    { flags: "--config <file>", description: "configuration instead of registry.yaml in the home" },
    { flags: "--anonymous-read", description: "callers without credential may pull everything" },
    { flags: "--tls-cert <file>", description: "PEM certificate with its intermediates" },
    { flags: "--tls-key <file>", description: "PEM private key of it" },
    {
      flags: "--tls-name <name>",
      description: "host that the factory's authority certifies; may stand several times",
      repeatable: true,
    },
    { flags: "--insecure-plain-http", description: "plain http beyond this host; recorded in the audit trail" },
    {
      flags: "--insecure-anonymous-write",
      description: "everybody may do everything; for tests; recorded in the audit trail",
    },
    { flags: "--json", description: "the line about the address as JSON" },
  ],
  examples: [
    ["touchmark registry serve", "on this host, at port 5000"],
    ["touchmark registry serve --listen 0.0.0.0:5443 --tls-name registry.internal", "with the factory's own authority"],
    ["touchmark registry serve --listen 127.0.0.1:0 --dir /tmp/r --insecure-anonymous-write", "for a test"],
  ],
  async run(invocation, terminal) {
    // What passes through is short-lived and large: a young generation that may not grow is collected before it fills
    // memory that nobody needs (167 MiB at most became 107 with 1 GiB going in and out, and nothing was slower).
    setFlagsFromString("--semi-space-growth-factor=1");
    const wishes = wishesOf(invocation, terminal);
    return withRegistryHome(invocation, terminal, true, async (home) => {
      const { openRegistryServer } = await import("@touchmark/pipeline/registry");
      let release = async (): Promise<void> => undefined;
      const server = await openRegistryServer({
        home,
        ...wishes,
        identity: async () => {
          const { openFactory } = await import("@touchmark/pipeline");
          const factory = await openFactory({ create: true });
          release = () => factory.close();
          return factory.identity();
        },
        proof: (backend) => ({
          // Opened for each such tag: the gate signs with another process, and the trust root is today's.
          missing: async (...words) => {
            const { openFactory, promotionProof } = await import("@touchmark/pipeline");
            const factory = await openFactory();
            try {
              return await promotionProof(factory, backend).missing(...words);
            } finally {
              await factory.close();
            }
          },
        }),
        onProblem: (message) => terminal.note(`${terminal.style.warn("registry")}: ${oneLine(message)}`),
      });
      try {
        announce(server, given(invocation, "json"), terminal);
        await stopped(terminal.signal);
      } finally {
        await server.close();
        await release();
      }
      terminal.note("registry stopped");
      return 0;
    });
  },
};

function wishesOf(invocation: Invocation, terminal: Terminal) {
  const path = (name: string): string | undefined => {
    const word = text(invocation, name);
    return word === undefined ? undefined : resolve(terminal.directory, word);
  };
  const listen = text(invocation, "listen");
  const configuration = path("config");
  const certificate = path("tlsCert");
  const key = path("tlsKey");
  const names = texts(invocation, "tlsName");
  if ((certificate === undefined) !== (key === undefined) || (certificate !== undefined && names.length > 0)) {
    throw cliErrors.make("CLI_USAGE", "expected --tls-cert and --tls-key together, or --tls-name");
  }
  const tls =
    certificate === undefined || key === undefined ? (names.length > 0 ? { names } : undefined) : { certificate, key };
  return {
    ...(listen === undefined ? {} : { listen }),
    ...(configuration === undefined ? {} : { configuration }),
    ...(tls === undefined ? {} : { tls }),
    ...(given(invocation, "insecurePlainHttp") ? { insecurePlainHttp: true } : {}),
    anonymousRead: given(invocation, "anonymousRead"),
    insecureAnonymousWrite: given(invocation, "insecureAnonymousWrite"),
  };
}

/** One line: where it is, and how to push. */
function announce(server: RegistryServer, json: boolean, terminal: Terminal): void {
  const { address, url, authorityFile, insecure } = server;
  const shown = url ?? address;
  if (json) {
    terminal.print(
      JSON.stringify({ url: url ?? null, address, authority: authorityFile ?? null, insecure, pid: process.pid }),
    );
  } else {
    const host = shown.replace(/^https?:\/\//, "");
    const trust = shown.startsWith("https:")
      ? authorityFile === undefined
        ? ""
        : ` --dest-cert-dir ${authorityFile.slice(0, authorityFile.lastIndexOf("/"))}`
      : " --dest-tls-verify=false";
    const credential = insecure.includes("anonymous-write") ? "" : " --dest-creds USER:PASSWORD";
    terminal.print(
      `registry at ${shown}; push: skopeo copy${trust}${credential} docker-daemon:IMAGE:TAG docker://${host}/NAME:TAG`,
    );
  }
  for (const word of insecure) terminal.note(terminal.style.warn(`insecure: ${word}`));
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
