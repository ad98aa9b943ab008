/** True for text that may stand where a format wants a URI or IRI reference (RFC 3986, RFC 3987); empty text may not. */
export function isIriReference(text: string): boolean {
  if (text === "" || text.length > 8192) return false;
  if (/[\u0000-\u0020<>"{}|\\^`\u007f-\u009f\ud800-\udfff]/.test(text)) return false;
  if (/%(?![0-9A-Fa-f]{2})/.test(text) || (text.match(/#/g)?.length ?? 0) > 1) return false;
  const scheme = /^([^:/?#]*):/.exec(text)?.[1];
  return (
    (scheme === undefined || /^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme)) &&
    !/^[^/?#]*:\/\/[^/?#]*[[\]]/.test(text) &&
    !/[[\]]/.test(text)
  );
}

/** True for an absolute URI in ASCII, with a scheme. */
export function isAbsoluteUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[\u0021-\u007e]+$/.test(text) && isIriReference(text);
}
