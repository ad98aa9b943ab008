import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type AdmissionServer,
  followCertificateFiles,
  readCertificateFiles,
  type ServerCertificate,
} from "@touchmark/admission/server";
import { authorityOf, certificateOfFactory, RENEW_SECONDS, registryPlace } from "@touchmark/pipeline/registry";
import { makeDirectory, writeFileAtomically } from "@touchmark/store";
import { type Invocation, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import type { Terminal } from "../../terminal.ts";

/** Where the service's certificate comes from, and how it stays true. */
export interface CertificateSource {
  readonly first: ServerCertificate;
  /** PEM file of the authority that callers trust, when it is the factory's. */
  readonly authorityFile: string | undefined;
  /** Keeps a server's certificate fresh. @returns what ends it */
  follow(server: AdmissionServer, onProblem: (message: string) => void): () => void;
}

type Factory = Awaited<ReturnType<typeof import("@touchmark/pipeline").openFactory>>;

/** By the command line: files, names that the factory's authority certifies, or undefined for plain http. */
export async function certificateSource(
  invocation: Invocation,
  terminal: Terminal,
  factory: Factory,
  host: string,
): Promise<CertificateSource | undefined> {
  const [certificate, key] = [pathOf(invocation, terminal, "tlsCert"), pathOf(invocation, terminal, "tlsKey")];
  const names = texts(invocation, "tlsName");
  if ((certificate === undefined) !== (key === undefined) || (certificate !== undefined && names.length > 0)) {
    throw cliErrors.make("CLI_USAGE", "expected --tls-cert and --tls-key together, or --tls-name");
  }
  if (certificate !== undefined && key !== undefined) {
    const files = { certificate, key };
    const first = readCertificateFiles(files);
    return {
      ...{ first, authorityFile: undefined },
      follow: (server, onProblem) =>
        followCertificateFiles(files, first, { renew: (pair) => server.renew(pair), onProblem }),
    };
  }
  return names.length === 0 ? undefined : ofFactory(factory, names, host);
}

async function ofFactory(factory: Factory, names: readonly string[], host: string): Promise<CertificateSource> {
  const identity = await factory.identity();
  const own = /^(?:0\.0\.0\.0|[0:]+)$/.test(host) ? [] : [host];
  const hosts = [...new Set([...names, ...own].map((name) => name.toLowerCase()))];
  const fresh = (): ServerCertificate => certificateOfFactory(identity, hosts, "admission");
  // The root is the factory's, and one file of it serves the clients of its registry, too.
  const { authority: authorityFile } = registryPlace(factory.home);
  makeDirectory(dirname(authorityFile));
  writeFileAtomically(authorityFile, authorityOf(identity), { mode: 0o644 });
  return {
    ...{ first: fresh(), authorityFile },
    follow(server, onProblem) {
      const timer = setInterval(() => {
        try {
          server.renew(fresh());
        } catch (error) {
          onProblem(`the certificate was not renewed: ${(error as Error).message}`);
        }
      }, RENEW_SECONDS * 1000);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

/** PEM certificates in a file that an option names. @throws CLI_FILE_UNREADABLE */
export function pemOption(invocation: Invocation, terminal: Terminal, name: string): string | undefined {
  const path = pathOf(invocation, terminal, name);
  if (path === undefined) return undefined;
  let pem: string;
  try {
    pem = readFileSync(path, "utf8");
  } catch (cause) {
    throw cliErrors.make("CLI_FILE_UNREADABLE", `expected a PEM file at ${path}`, { cause });
  }
  if (pem.includes("-----BEGIN CERTIFICATE-----") && !pem.includes("PRIVATE KEY")) return pem;
  throw cliErrors.make("CLI_FILE_UNREADABLE", `expected certificates, and no private key, in PEM at ${path}`);
}

function pathOf(invocation: Invocation, terminal: Terminal, name: string): string | undefined {
  const word = text(invocation, name);
  return word === undefined ? undefined : resolve(terminal.directory, word);
}
