import type { ClientContext, ClientSettings } from "../ecosystem.ts";
import type { Upstream } from "../material.ts";
import { defaultUpstream } from "./common-settings.ts";

/**
 * Settings for npm, pnpm, yarn of both lines, and bun. npm, pnpm up to 10 and yarn 1 read `npm_config_*`, pnpm from 11
 * on reads `pnpm_config_*`, yarn from 2 on reads `YARN_*`; the environment has precedence over the project's own files
 * in all of them. Scripts of packages do not run at fetch, and nothing reports, audits or updates itself.
 */
export function npmSettings(context: ClientContext): ClientSettings {
  const chosen = defaultUpstream(context.upstreams);
  const registry: Record<string, string> = chosen === undefined ? {} : { registry: chosen.url };
  const userConfig = `${context.directory}/npmrc`;
  const shared = {
    ...registry,
    cafile: context.authorityPem,
    proxy: context.proxy,
    https_proxy: context.proxy,
    ignore_scripts: "true",
    update_notifier: "false",
  };
  return {
    environment: {
      ...prefixed("npm_config_", {
        ...shared,
        userconfig: userConfig,
        globalconfig: `${context.directory}/npmrc-global`,
        audit: "false",
        fund: "false",
      }),
      ...prefixed("pnpm_config_", {
        ...shared,
        userconfig: userConfig,
        npmrc_auth_file: userConfig,
        pm_on_fail: "ignore",
        store_dir: `${context.home}/.pnpm-store`,
      }),
      ...berry(context, chosen),
      ...(chosen === undefined
        ? {}
        : { COREPACK_NPM_REGISTRY: chosen.url.replace(/\/$/, ""), BUN_CONFIG_REGISTRY: chosen.url }),
      COREPACK_ENABLE_DOWNLOAD_PROMPT: "0",
      NO_UPDATE_NOTIFIER: "1",
      DO_NOT_TRACK: "1",
    },
    files: { npmrc: npmrc(context, chosen), "npmrc-global": "" },
  };
}

/** yarn 2 and later, and what yarn 1 alone reads. yarn 2 has no setting of its own for scopes in the environment: it asks the default registry for all. */
function berry(context: ClientContext, chosen: Upstream | undefined): Record<string, string> {
  return {
    ...(chosen === undefined ? {} : { YARN_NPM_REGISTRY_SERVER: chosen.url.replace(/\/$/, "") }),
    YARN_HTTP_PROXY: context.proxy,
    YARN_HTTPS_PROXY: context.proxy,
    YARN_HTTPS_CA_FILE_PATH: context.authorityPem,
    YARN_ENABLE_SCRIPTS: "false",
    YARN_ENABLE_TELEMETRY: "false",
    YARN_ENABLE_GLOBAL_CACHE: "false",
    // yarn 1 has a registry of its own beside that of npm, which it puts in the place of others; yarn 2 passes it over.
    ...(chosen === undefined ? {} : { YARN_REGISTRY: chosen.url }),
    // Of yarn 1 as well: its own file would come before npm's variable.
    YARN_IGNORE_SCRIPTS: "true",
    ...(chosen?.url.startsWith("http:") === true ? { YARN_UNSAFE_HTTP_WHITELIST: new URL(chosen.url).hostname } : {}),
  };
}

/** The file of the user: what also stands in the environment, and which scope comes from where, which can stand nowhere else. */
function npmrc(context: ClientContext, chosen: Upstream | undefined): string {
  const lines = [
    ...(chosen === undefined ? [] : [`registry=${chosen.url}`]),
    `cafile=${context.authorityPem}`,
    `proxy=${context.proxy}`,
    `https-proxy=${context.proxy}`,
    "ignore-scripts=true",
  ];
  const scopes = new Set<string>();
  for (const upstream of context.upstreams) {
    for (const pattern of upstream.exclusive) {
      const scope = /^(@[A-Za-z0-9~-][\w.~-]*)\//.exec(pattern)?.[1];
      if (scope === undefined || scopes.has(scope)) continue;
      scopes.add(scope);
      lines.push(`${scope}:registry=${upstream.url}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function prefixed(prefix: string, settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [prefix + name, value]));
}
