import { type Command, given, type Invocation, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";

/** `touchmark admission manifests`: what registers the service with a cluster. */
export const command: Command = {
  name: "admission manifests",
  summary: "print what registers the service with a cluster",
  description:
    "A MutatingWebhookConfiguration that writes digests, a ValidatingWebhookConfiguration that decides, and with --provider Gatekeeper's Provider, each with the authority that the service's certificate is verified by: the factory's own, or --authority. Both webhooks fail closed. Gatekeeper keeps a provider's answers: start it with --external-data-provider-response-cache-ttl=0s, so that verdicts are not kept.",
  options: [
    { flags: "--url <url>", description: "https address where the API server reaches the service" },
    { flags: "--service <name>", description: "NAMESPACE/NAME[:PORT]: the service in the cluster, instead of --url" },
    { flags: "--authority <pem>", description: "file with certificates of authorities (default: the factory's own)" },
    { flags: "--timeout <seconds>", description: "how long the cluster waits: 1 to 30 (default 10)" },
    {
      flags: "--template <declaration>",
      description: "GROUP/KIND=template:/spec/template: a custom kind, as for serve",
      repeatable: true,
    },
    {
      flags: "--component <image>",
      description:
        "HOST/NAME@sha256:...: with --service, pods of this image alone start without asking, in its namespace",
      repeatable: true,
    },
    { flags: "--validating-only", description: "without the webhook that writes digests" },
    { flags: "--provider", description: "Gatekeeper's Provider, too" },
    { flags: "--json", description: "a List in JSON instead of YAML" },
  ],
  examples: [
    ["touchmark admission manifests --url https://admission.internal:8443 | kubectl apply -f -", "beside the cluster"],
    [
      "touchmark admission manifests --service touchmark/admission --component registry.example.com/touchmark@sha256:... --provider",
      "in the cluster, which starts the service itself without asking it",
    ],
  ],
  async run(invocation, terminal) {
    const { readImagePlace, webhookManifests, yamlText } = await import("@touchmark/admission/server");
    const { pemOption } = await import("./certificates.ts");
    const manifests = webhookManifests({
      reached: reachedOf(invocation),
      authority: pemOption(invocation, terminal, "authority") ?? (await factoryAuthority()),
      timeoutSeconds: timeoutOf(text(invocation, "timeout")),
      places: texts(invocation, "template").map(readImagePlace),
      components: texts(invocation, "component").map(pinnedComponent),
      isValidatingOnly: given(invocation, "validatingOnly"),
      hasProvider: given(invocation, "provider"),
    });
    if (given(invocation, "json")) {
      terminal.print(JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }));
    } else {
      for (const manifest of manifests) terminal.print(`---${yamlText(manifest)}`);
    }
    return 0;
  },
};

async function factoryAuthority(): Promise<string> {
  const { openFactory } = await import("@touchmark/pipeline");
  const { authorityOf } = await import("@touchmark/pipeline/registry");
  const factory = await openFactory();
  try {
    return authorityOf(await factory.identity());
  } finally {
    await factory.close();
  }
}

function reachedOf(invocation: Invocation) {
  const [url, service] = [text(invocation, "url"), text(invocation, "service")];
  if ((url === undefined) === (service === undefined)) {
    throw cliErrors.make("CLI_USAGE", "expected --url or --service, one of both");
  }
  if (url !== undefined) {
    if (!/^https:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/.test(url)) {
      throw cliErrors.make("CLI_USAGE", `expected an https address, found ${JSON.stringify(url.slice(0, 200))}`);
    }
    return { url };
  }
  const found = /^([a-z0-9-]{1,63})\/([a-z0-9-]{1,63})(?::([0-9]{1,5}))?$/.exec(service ?? "");
  const [, namespace = "", name = "", port = "443"] = found ?? [];
  if (found === null) throw cliErrors.make("CLI_USAGE", "expected --service NAMESPACE/NAME[:PORT]");
  return { namespace, service: name, port: Number(port) };
}

function timeoutOf(words: string | undefined): number {
  const seconds = Number(words ?? "10");
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 30) return seconds;
  throw cliErrors.make("CLI_USAGE", `expected --timeout between 1 and 30 seconds, found ${JSON.stringify(words)}`);
}

function pinnedComponent(image: string): string {
  if (/^[^\s"\\@]{1,500}@sha256:[0-9a-f]{64}$/.test(image)) return image;
  throw cliErrors.make(
    "CLI_USAGE",
    `expected --component HOST/NAME@sha256:…, found ${JSON.stringify(image.slice(0, 200))}`,
  );
}
