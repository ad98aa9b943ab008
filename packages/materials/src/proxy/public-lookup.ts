import { lookup as resolveName } from "node:dns";
import type { LookupFunction } from "node:net";
import type { FactoryError } from "@touchmark/core";
import { isPrivateAddress } from "./addresses.ts";
import { proxyErrors } from "./errors.ts";

/** Resolves names, and refuses when any of the addresses is private: the one that was judged is the one that is used. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "", 0);
    const wrong = addresses.find((each) => isPrivateAddress(each.address));
    const first = addresses[0];
    if (wrong !== undefined || first === undefined) {
      return callback(privateAddress(hostname, wrong?.address ?? "nothing"), "", 0);
    }
    return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
  });
};

/** The refusal of a private address. */
export const privateAddress = (host: string, address: string): FactoryError =>
  proxyErrors.make("PROXY_UPSTREAM_PRIVATE", `expected a public address of ${host}, found ${address}`, {
    hint: "A private upstream must stand in the materials configuration.",
  });
