import { resolve } from "node:path";
import type { AdmissionServer } from "@touchmark/admission/server";
import type { OpenAdmission } from "../../admission/open-admission.ts";
import { type Command, given, type Invocation, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { clientOptions } from "../../image-source.ts";
import { registryOptions } from "../../registry-options.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** `touchmark admission serve`: the admission service, until it is told to stop. */
export const command: Command = {
  name: "admission serve",
  summary: "answer webhooks of Kubernetes, Gatekeeper, and callers of the verdict API",
  description:
    "Answers at /validate and /mutate (admission.k8s.io/v1), /provider (externaldata.gatekeeper.sh/v1beta1) and /v1/verdict, until Ctrl-C or SIGTERM; questions under way are answered. Every failure is a denial, within the caller's time. Policies, break-glass and certificates that change are in force at the next question. Images named with --component are admitted before anybody else's. Without TLS it listens on this host alone.",
  options: [
    {
      flags: "--listen <address>",
      description: "HOST:PORT or [ADDRESS]:PORT; port 0 takes a free one (default 127.0.0.1:8443)",
    },
    { flags: "--tls-cert <file>", description: "PEM certificate with its intermediates; followed when it changes" },
    { flags: "--tls-key <file>", description: "PEM private key of it" },
    {
      flags: "--tls-name <name>",
      description: "host that the factory's authority certifies; may stand several times",
      repeatable: true,
    },
    { flags: "--callers <pem>", description: "authorities of callers: only who has a certificate of one may ask" },
    { flags: "--environment <name>", description: "which environment this is, for policies that ask" },
    { flags: "--policy <file>", description: "policy or layout in place of those in force", repeatable: true },
    {
      flags: "--component <image>",
      description: "image of this service or of the factory, admitted first: nobody is before it is",
      repeatable: true,
    },
    {
      flags: "--template <declaration>",
      description: "GROUP/KIND=template:/spec/template: where a custom kind has its images",
      repeatable: true,
    },
    { flags: "--insecure-allow-tags", description: "the validating webhook lets tags pass, with a warning" },
    ...registryOptions,
    { flags: "--json", description: "the line about the address as JSON" },
  ],
  examples: [
    ["touchmark admission serve", "on this host, at port 8443, for other programs here"],
    ["touchmark admission serve --listen 0.0.0.0:8443 --tls-name admission.internal", "with the factory's authority"],
    [
      "touchmark admission serve --listen 0.0.0.0:8443 --tls-cert /tls/tls.crt --tls-key /tls/tls.key --component registry.example.com/touchmark@sha256:...",
      "in a cluster, with a mounted certificate, admitting itself first",
    ],
  ],
  async run(invocation, terminal) {
    const { parseListen } = await import("@touchmark/registry");
    const listen = parseListen(text(invocation, "listen") ?? "127.0.0.1:8443");
    if ("socket" in listen) throw cliErrors.make("CLI_USAGE", "expected --listen HOST:PORT, found a socket");
    const { openAdmission } = await import("../../admission/open-admission.ts");
    const files = texts(invocation, "policy").map((file) => resolve(terminal.directory, file));
    const tell = (message: string): void => terminal.note(`${terminal.style.warn("admission")}: ${oneLine(message)}`);
    const admission = await openAdmission({
      ...(files.length === 0 ? {} : { files }),
      ...{ record: true, threads: 2, registries: clientOptions(invocation, terminal), onProblem: tell },
      onBreakGlass: (line) => tell(`break-glass ${line}`),
    });
    const undo: (() => void | Promise<void>)[] = [() => admission.close()];
    try {
      const { server, authorityFile } = await serve(invocation, terminal, { admission, listen, undo, tell });
      announce(server, authorityFile, given(invocation, "json"), terminal);
      if (given(invocation, "insecureAllowTags")) terminal.note(terminal.style.warn("insecure: allow-tags"));
      await stopped(terminal.signal);
    } finally {
      for (const step of undo.reverse()) await step();
    }
    terminal.note("admission service stopped");
    return 0;
  },
};

interface Surroundings {
  readonly admission: OpenAdmission;
  readonly listen: { readonly host: string; readonly port: number };
  readonly undo: (() => void | Promise<void>)[];
  readonly tell: (message: string) => void;
}

async function serve(invocation: Invocation, terminal: Terminal, { admission, listen, undo, tell }: Surroundings) {
  const { isLocal } = await import("@touchmark/registry");
  const { admissionServer, admitComponents, imagePlaces, readImagePlace } = await import("@touchmark/admission/server");
  const { certificateSource, pemOption } = await import("./certificates.ts");
  const certificates = await certificateSource(invocation, terminal, admission.factory, listen.host);
  const callers = pemOption(invocation, terminal, "callers");
  if (certificates === undefined && (!isLocal(listen) || callers !== undefined)) {
    throw cliErrors.make("CLI_USAGE", "expected --tls-name, or --tls-cert and --tls-key, found plain http");
  }
  const environment = text(invocation, "environment");
  const placesOf = imagePlaces(texts(invocation, "template").map(readImagePlace));
  const { gate } = admission;
  const self = admitComponents({ gate, components: texts(invocation, "component"), onProblem: tell });
  undo.push(() => self.close());
  const server = await admissionServer({
    ...{ gate, placesOf, listen, readiness: self.state },
    ...(certificates === undefined ? {} : { tls: certificates.first }),
    ...(callers === undefined ? {} : { callers }),
    ...(environment === undefined ? {} : { environment }),
    insecureAllowTags: given(invocation, "insecureAllowTags"),
    gauges: () => gaugesOf(admission),
    failed: (error) => tell(String((error as Error).stack ?? error)),
  });
  undo.push(() => server.close());
  if (certificates !== undefined) undo.push(certificates.follow(server, tell));
  return { server, authorityFile: certificates?.authorityFile };
}

/** How the cache of evidence does, over all tenants. */
async function gaugesOf(admission: OpenAdmission): Promise<Readonly<Record<string, number>>> {
  const { tenants, breakGlass } = await admission.status();
  const sum = (of: (tenant: (typeof tenants)[number]) => number): number =>
    tenants.reduce((total, tenant) => total + of(tenant), 0);
  return {
    touchmark_admission_tenants: tenants.length,
    touchmark_admission_problems: sum(({ problems }) => problems.length),
    touchmark_admission_evidence_entries: sum(({ evidence }) => evidence.entries),
    touchmark_admission_break_glass_permissions: breakGlass.permissions.length,
  };
}

/** One line: where it is. */
function announce(server: AdmissionServer, authority: string | undefined, json: boolean, terminal: Terminal): void {
  const { url, address } = server;
  terminal.print(
    json
      ? JSON.stringify({ url, address, authority: authority ?? null, pid: process.pid })
      : `admission at ${url}; register: touchmark admission manifests --url https://HOST:PORT | kubectl apply -f -`,
  );
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
}
