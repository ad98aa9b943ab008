/**
 * The user's own network settings: proxies, certificate authorities and package indexes. They reach a step with
 * `network: fetch` and no other, so that builds behind a company's proxy work without touching the project.
 */
const clientVariables: readonly string[] = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "ALL_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "all_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "GIT_SSL_CAINFO",
  "CURL_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "PIP_CERT",
  "PIP_INDEX_URL",
  "UV_DEFAULT_INDEX",
  "CARGO_HTTP_CAINFO",
  "CARGO_HTTP_PROXY",
  "GOPROXY",
  "GONOSUMDB",
  "GOSUMDB",
  "npm_config_registry",
  "npm_config_cafile",
  "npm_config_proxy",
  "npm_config_https_proxy",
  "npm_config_noproxy",
];

/** The settings that this user has. Values may hold credentials: they go to the step, never into evidence. */
export function clientEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const name of clientVariables) {
    const value = environment[name];
    if (value !== undefined && value !== "") chosen[name] = value;
  }
  return chosen;
}

const secretName =
  /(TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|AUTH|COOKIE|SESSION|API_?KEY|ACCESS_?KEY|SIGNING_?KEY)/i;
/** Well-known shapes of credentials: prefixed tokens, JSON web tokens, PEM keys. */
const secretValue =
  /(gh[pousr]_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{30,}|glpat-[\w-]{20,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w-]{10,}\.|-----BEGIN [A-Z ]*PRIVATE KEY)/;

/** What stands in evidence in a secret's place. */
export const FILTERED = "[filtered]";

/**
 * Environment variables as evidence shows them: values of secret-looking names, values in the shape of a
 * credential, and the user information of URLs are replaced.
 */
export function filterEnvironment(environment: Readonly<Record<string, string>>): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const name of Object.keys(environment).sort()) {
    const value = environment[name] ?? "";
    const hidden = secretName.test(name) || secretValue.test(value);
    shown[name] = hidden ? FILTERED : withoutUserInformation(value);
  }
  return shown;
}

/** Removes `user:password@` from every URL in a text. */
export function withoutUserInformation(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*@/gi, "$1");
}
