import type { ClientContext, ClientSettings, EcosystemAdapter } from "../ecosystem.ts";
import type { Upstream } from "../material.ts";

/**
 * What every client is told, whatever its ecosystem: the proxy in both spellings, and where the step's authority lies,
 * by every name that a TLS library looks for. There is no list of exceptions: nothing goes past the proxy.
 */
export function commonSettings(context: Pick<ClientContext, "proxy" | "authorityPem">): ClientSettings {
  const { proxy, authorityPem } = context;
  return {
    environment: {
      http_proxy: proxy,
      https_proxy: proxy,
      all_proxy: proxy,
      HTTP_PROXY: proxy,
      HTTPS_PROXY: proxy,
      ALL_PROXY: proxy,
      // Node from 24 on: its own fetch asks the proxy too.
      NODE_USE_ENV_PROXY: "1",
      NODE_EXTRA_CA_CERTS: authorityPem,
      SSL_CERT_FILE: authorityPem,
      CURL_CA_BUNDLE: authorityPem,
      REQUESTS_CA_BUNDLE: authorityPem,
      GIT_SSL_CAINFO: authorityPem,
    },
    files: {},
  };
}

/** The upstream that a client asks for what no other upstream has for itself: the first that is open to every name. */
export function defaultUpstream(upstreams: readonly Upstream[]): Upstream | undefined {
  return upstreams.find((upstream) => upstream.exclusive.length === 0) ?? upstreams[0];
}

/** Settings for all clients of a step: the common ones and those of each ecosystem, with its own upstreams. No two set one name to two values. */
export function allClientSettings(adapters: readonly EcosystemAdapter[], context: ClientContext): ClientSettings {
  const all = adapters.map((adapter) =>
    adapter.clientSettings({
      ...context,
      upstreams: context.upstreams.filter((upstream) => upstream.ecosystem === adapter.ecosystem),
    }),
  );
  const common = commonSettings(context);
  return {
    environment: Object.assign({}, common.environment, ...all.map((settings) => settings.environment)) as Record<
      string,
      string
    >,
    files: Object.assign({}, common.files, ...all.map((settings) => settings.files)) as Record<string, string>,
    placed: Object.assign({}, ...all.map((settings) => settings.placed)) as Record<string, string>,
  };
}
