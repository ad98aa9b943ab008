import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { serverErrors } from "./errors.ts";

/** PEM texts of a certificate, with its intermediates, and of its key. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** Files whose content may be replaced at any time, as a mounted secret's is. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Reads both. @throws ADMISSION_CERTIFICATE_UNREADABLE */
export function readCertificateFiles(files: CertificateFiles): ServerCertificate {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      throw serverErrors.make("ADMISSION_CERTIFICATE_UNREADABLE", `expected a PEM file at ${path}`, { cause });
    }
  };
  const pair = { certificate: read(files.certificate), key: read(files.key) };
  const { mode } = statSync(files.key);
  if (process.platform !== "win32" && (mode & 0o007) !== 0) {
    const found = (mode & 0o777).toString(8);
    throw serverErrors.make(
      "ADMISSION_CERTIFICATE_UNREADABLE",
      `expected a private key at ${files.key}, found mode ${found}`,
    );
  }
  return pair;
}

/**
 * Looks at the files again and again, and hands over what changed. What cannot be read, or does not fit together,
 * changes nothing and is told once: files are replaced one after the other. @returns what ends it
 */
export function followCertificateFiles(
  files: CertificateFiles,
  first: ServerCertificate,
  settings: {
    readonly everyMs?: number;
    readonly renew: (pair: ServerCertificate) => void;
    readonly onProblem: (message: string) => void;
  },
): () => void {
  let shown = fingerprint(first);
  let told = "";
  const timer = setInterval(() => {
    try {
      const pair = readCertificateFiles(files);
      const found = fingerprint(pair);
      if (found === shown) return;
      settings.renew(pair);
      shown = found;
      told = "";
    } catch (error) {
      const { message } = error as Error;
      if (message !== told) settings.onProblem(`the certificate stays as it was: ${message}`);
      told = message;
    }
  }, settings.everyMs ?? 2000);
  timer.unref();
  return () => clearInterval(timer);
}

function fingerprint({ certificate, key }: ServerCertificate): string {
  return createHash("sha256").update(certificate).update("\0").update(key).digest("hex");
}
