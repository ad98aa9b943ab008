import type { AskClient, AskedUpstream, ClientContext, ClientSettings } from "../ecosystem.ts";
import { askedAddress } from "./ask-address.ts";

/**
 * The go command asks the configured proxies in their order and nothing else: no `direct`, no toolchain downloads.
 * go.sum is held by the factory as well as by the command; a checksum database is asked by the factory, which keeps
 * its proof. Telemetry needs no switch: by default the command counts locally and uploads nothing.
 */
export function goSettings(context: ClientContext): ClientSettings {
  const upstreams = context.upstreams.map(({ url }) => url.replace(/\/$/, ""));
  return {
    environment: {
      GOPROXY: upstreams.length === 0 ? "off" : upstreams.join(","),
      GOSUMDB: "off",
      GOPRIVATE: "",
      GONOPROXY: "none",
      GONOSUMDB: "",
      GOVCS: "*:off",
      GOENV: "off",
      GOTOOLCHAIN: "local",
      // A module cache that its owner can remove.
      GOFLAGS: "-modcacherw",
      GOPATH: `${context.home}/go`,
    },
    files: {},
  };
}

/** `go env GOPROXY`; entries after `,` and `|` alike. `GOPRIVATE` names what comes from no proxy: nothing to fetch here. */
export async function askGo(ask: AskClient): Promise<readonly AskedUpstream[]> {
  const answer = (await ask("go", ["env", "GOPROXY"]))?.trim() ?? "";
  const found: AskedUpstream[] = [];
  for (const entry of answer.split(/[,|]/).map((one) => one.trim())) {
    if (entry === "" || entry === "direct" || entry === "off" || entry === "noproxy") continue;
    const address = askedAddress(entry, "GOPROXY");
    if (address !== undefined) found.push({ ...address, exclusive: [] });
  }
  return found;
}
