/** A base address as the session compares it, or what is wrong with it. */
export type UpstreamAddress =
  | { readonly url: string; readonly isPlain: boolean; readonly isLoopback: boolean }
  | { readonly fault: string };

/** Reads the base address of an upstream: absolute, http or https, a path at most; the answer ends with `/`. */
export function upstreamAddress(written: string): UpstreamAddress {
  if (/[\u0000-\u0020\u007f\\]/.test(written)) return { fault: "expected an address without spaces or backslashes" };
  let url: URL;
  try {
    url = new URL(written);
  } catch {
    return { fault: "expected an absolute address such as https://packages.example.com/npm/" };
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return { fault: `expected an https address, found the scheme ${JSON.stringify(url.protocol)}` };
  }
  // Also the spelling with empty user information, which URL drops without a word.
  if (url.username !== "" || url.password !== "" || /^[a-z]+:\/*[^/?#]*@/i.test(written)) {
    return { fault: "expected an address without user information" };
  }
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(written)) {
    return { fault: "expected an address without query and fragment" };
  }
  if (/%2f|%5c|%2e/i.test(url.pathname) || url.pathname.includes("//")) {
    return { fault: "expected a plain path, without encoded or doubled slashes or dots" };
  }
  const isLoopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  const path = url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`;
  return { url: `${url.origin}${path}`, isPlain: url.protocol === "http:", isLoopback };
}
