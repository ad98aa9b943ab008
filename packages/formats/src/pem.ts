import { decodeBase64, encodeBase64 } from "@touchmark/core";

/** One PEM block (RFC 7468): its label and bytes, or undefined when the text is not exactly one block. */
export function decodePem(text: string): { readonly label: string; readonly der: Uint8Array } | undefined {
  const match = /^\s*-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*$/.exec(text);
  if (match === null) return undefined;
  try {
    return { label: match[1] as string, der: decodeBase64((match[2] as string).replace(/[\r\n]/g, "")) };
  } catch {
    return undefined;
  }
}

/** A PEM block with lines of 64 characters and a final newline, as Go and OpenSSL write it. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
