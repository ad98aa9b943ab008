import type { AskClient, AskedUpstream, ClientContext, ClientSettings } from "../ecosystem.ts";
import { askedAddress } from "./ask-address.ts";
import { indexPath } from "./cargo-classify.ts";
import { defaultUpstream } from "./common-settings.ts";

/**
 * Cargo takes everything from its environment but the replacement of its default registry. That is a configuration file
 * at the root of the sandbox: Cargo reads those of every parent of its working directory, wherever its home is. A lock
 * keeps the name of the registry that was replaced.
 */
export function cargoSettings(context: ClientContext): ClientSettings {
  const first = defaultUpstream(context.upstreams);
  const configuration = first === undefined ? {} : { [`/.cargo/config.toml`]: sourceReplacement(first.url) };
  return {
    environment: {
      CARGO_HTTP_PROXY: context.proxy,
      CARGO_HTTP_CAINFO: context.authorityPem,
      CARGO_HTTP_MULTIPLEXING: "false",
      CARGO_NET_GIT_FETCH_WITH_CLI: "true",
      CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: "",
      // A missing toolchain is a failure, not a download.
      RUSTUP_AUTO_INSTALL: "0",
    },
    files: {},
    placed: configuration,
  };
}

/** A registry in place of a source: Cargo refuses a second source at the address of its default one. */
function sourceReplacement(url: string): string {
  return [
    "[source.crates-io]",
    `replace-with = "touchmark"`,
    "",
    "[registries.touchmark]",
    `index = ${JSON.stringify(`sparse+${url}`)}`,
    "",
  ].join("\n");
}

const probe = "touchmark";

/**
 * Cargo prints its default registry nowhere but where a download fails: it is asked for a crate while its proxy is a
 * port that nothing listens on. A replacement in the user's configuration shows in the same way.
 */
export async function askCargo(ask: AskClient): Promise<readonly AskedUpstream[]> {
  const environment = { CARGO_HTTP_PROXY: "http://127.0.0.1:9", CARGO_NET_RETRY: "0", CARGO_TERM_COLOR: "never" };
  const said = await ask("cargo", ["info", probe], { environment, failing: true });
  const address = /failed to download from `(https?:\/\/[^`\s]+)`/.exec(said ?? "")?.[1];
  if (address === undefined) return [];
  const ending = ["config.json", indexPath(probe)].find((one) => address.endsWith(`/${one}`));
  const upstream = ending === undefined ? undefined : askedAddress(address.slice(0, -ending.length), "cargo");
  return upstream === undefined ? [] : [{ ...upstream, exclusive: [] }];
}
