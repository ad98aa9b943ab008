import { expect, test } from "vitest";
import type { ClientContext } from "../ecosystem.ts";
import type { Upstream } from "../material.ts";
import { allClientSettings, commonSettings } from "./common-settings.ts";
import { ecosystemAdapters } from "./index.ts";
import { npm } from "./npm.ts";
import { pypi } from "./pypi.ts";

const adapters = Object.values(ecosystemAdapters);
const upstream = (ecosystem: Upstream["ecosystem"], name: string, exclusive: readonly string[] = []): Upstream => ({
  name,
  ecosystem,
  url: `https://${name}.test/simple/`,
  exclusive,
  order: 0,
});

const context = (...upstreams: readonly Upstream[]): ClientContext => ({
  proxy: "http://127.0.0.1:3128",
  proxyPort: 3128,
  authorityPem: "/run/touchmark/materials/authority.pem",
  authorityKeystore: "/run/touchmark/materials/authority.jks",
  directory: "/run/touchmark/materials",
  home: "/home/build",
  upstreams,
});

test("E6: every client is told of the proxy in both spellings, and of nothing that goes past it", () => {
  const { environment } = commonSettings(context());
  for (const name of ["http_proxy", "https_proxy", "all_proxy"]) {
    expect(environment[name]).toBe("http://127.0.0.1:3128");
    expect(environment[name.toUpperCase()]).toBe("http://127.0.0.1:3128");
  }
  const all = allClientSettings(adapters, context(upstream("npm", "own"), upstream("pypi", "own")));
  const exceptions = Object.entries(all.environment).filter(([name]) =>
    /^(npm_config_|pnpm_config_|pip_|uv_)?no_?proxy$/i.test(name),
  );
  expect(exceptions.filter(([, value]) => value !== "")).toEqual([]);
});

test("E6: no two ecosystems give a name two values", () => {
  const whole = context(...adapters.map(({ ecosystem }) => upstream(ecosystem, ecosystem)));
  const seen = new Map<string, string>();
  for (const adapter of [{ clientSettings: () => commonSettings(whole) }, ...adapters]) {
    const { environment, files } = adapter.clientSettings(whole);
    for (const [name, value] of [...Object.entries(environment), ...Object.entries(files)]) {
      expect([name, seen.get(name) ?? value]).toEqual([name, value]);
      seen.set(name, value);
    }
  }
});

test("E6: npm, pnpm and yarn get the first open upstream, and others for their scopes", () => {
  const own = upstream("npm", "own", ["@own/*", "@us/*", "lonely"]);
  const { environment, files } = npm.clientSettings(context(own, upstream("npm", "open")));
  expect(environment["npm_config_registry"]).toBe("https://open.test/simple/");
  expect(environment["pnpm_config_registry"]).toBe("https://open.test/simple/");
  expect(environment["YARN_NPM_REGISTRY_SERVER"]).toBe("https://open.test/simple");
  expect(files["npmrc"]).toContain("@own:registry=https://own.test/simple/\n@us:registry=https://own.test/simple/\n");
  expect(files["npmrc"]).not.toContain("lonely");
});

test("E6: packages run no scripts at fetch, and nothing reports or updates itself", () => {
  const { environment } = npm.clientSettings(context(upstream("npm", "open")));
  expect(environment).toMatchObject({
    npm_config_ignore_scripts: "true",
    pnpm_config_ignore_scripts: "true",
    YARN_ENABLE_SCRIPTS: "false",
    YARN_ENABLE_TELEMETRY: "false",
    npm_config_audit: "false",
    npm_config_update_notifier: "false",
  });
  expect(pypi.clientSettings(context(upstream("pypi", "open"))).environment).toMatchObject({
    PIP_ONLY_BINARY: ":all:",
    UV_NO_BUILD: "1",
    POETRY_INSTALLER_ONLY_BINARY: ":all:",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    UV_PYTHON_DOWNLOADS: "never",
  });
});

test("E6: pip and uv get one index and further ones, or none at all", () => {
  const own = upstream("pypi", "own", ["own-*"]);
  const { environment, files } = pypi.clientSettings(context(own, upstream("pypi", "open")));
  expect(environment["PIP_INDEX_URL"]).toBe("https://open.test/simple/");
  expect(environment["PIP_EXTRA_INDEX_URL"]).toBe("https://own.test/simple/");
  expect(environment["UV_DEFAULT_INDEX"]).toBe("https://open.test/simple/");
  expect(files["pip.conf"]).toContain("index-url = https://open.test/simple/\n");
  const none = pypi.clientSettings(context());
  expect(none.environment).toMatchObject({ PIP_NO_INDEX: "1", UV_NO_INDEX: "1" });
  expect(npm.clientSettings(context()).environment["npm_config_registry"]).toBeUndefined();
});

test("E6: an upstream of the user's own without TLS is named as such to clients that ask for it", () => {
  const local = { ...upstream("pypi", "x"), url: "http://127.0.0.1:8080/simple/" };
  expect(pypi.clientSettings(context(local)).environment["PIP_TRUSTED_HOST"]).toBe("127.0.0.1:8080");
  const registry = { ...upstream("npm", "x"), url: "http://127.0.0.1:4873/" };
  expect(npm.clientSettings(context(registry)).environment["YARN_UNSAFE_HTTP_WHITELIST"]).toBe("127.0.0.1");
});
