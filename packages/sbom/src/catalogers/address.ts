/** An address as it may be shown: without user, password and fragment. Undefined for what is none. */
export function publicAddress(text: string): string | undefined {
  if (text.length > 4096 || /[\u0000-\u0020\u007f]/.test(text)) return undefined;
  try {
    const url = new URL(text);
    url.username = "";
    url.password = "";
    return url.href;
  } catch {
    return undefined;
  }
}
