/** The address of a registry for clients: scheme, host and port alone; undefined when it is anything else. */
export function registryUrl(text: string): string | undefined {
  // Spelled as the parser spells it: nothing that a header or another parser could read in another way.
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && (url.protocol === "https:" || url.protocol === "http:");
  if (!isPlain || !/^https?:\/\/[A-Za-z0-9.:[\]-]+\/?$/.test(text)) return undefined;
  return url.origin;
}
