import type { AskedUpstream } from "../ecosystem.ts";

/**
 * An address as a client has it, as an upstream's: a web address, ending with `/`, without query, fragment and user
 * information. That there was user information is said; what it was is not. Undefined for anything else.
 */
export function askedAddress(
  spelled: string,
  from: string,
): Pick<AskedUpstream, "url" | "from" | "credential"> | undefined {
  const url = /^https?:\/\//i.test(spelled) ? URL.parse(spelled) : null;
  if (url === null) return undefined;
  const hasCredential = url.username !== "" || url.password !== "";
  url.username = "";
  url.password = "";
  url.search = "";
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return {
    url: url.href,
    from,
    ...(hasCredential ? { credential: `user information in the address of ${from}` } : {}),
  };
}
