/**
 * Who operates a log or time-stamp authority: the named operator, or else the domain of its URL.
 *
 * Thresholds count operators. Where the trusted root names none, all hosts below one domain count as one operator: that
 * can only count too few, never too many. Two labels stand for the domain, since the public suffix list is no fixed
 * document that an offline verifier could carry.
 */
export function operatorName(operator: string | undefined, url: string | undefined, fallback: string): string {
  if (operator !== undefined && operator !== "") return operator.toLowerCase();
  const host = hostOf(url ?? "");
  if (host === "") return fallback;
  if (/^[0-9.]+$/.test(host) || host.startsWith("[")) return host;
  return host.split(".").slice(-2).join(".");
}

/** Host name of a URL, or of a scheme-less one; lower case, without port. Empty when there is none. */
export function hostOf(url: string): string {
  try {
    return new URL(url.includes("://") ? url : `https://${url}`).hostname.replace(/\.$/, "").toLowerCase();
  } catch {
    return "";
  }
}
