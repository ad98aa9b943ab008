import { generateKeyPairSync } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { encodePem } from "@touchmark/formats/evidence";
import { admissionId, type FactoryIdentity, registryId } from "@touchmark/identity";
import { registryConfigurationErrors } from "@touchmark/registry";

/** PEM texts for a TLS server. */
export interface ServerCertificate {
  /** Leaf and intermediates. */
  readonly certificate: string;
  readonly key: string;
}

/** Seconds after which a certificate of the factory's authority is replaced: they live ten minutes. */
export const RENEW_SECONDS = 240;

/** Reads certificate and key. @throws REGISTRY_CONFIG_UNREADABLE | REGISTRY_CONFIG_KEY_EXPOSED */
export function certificateFromFiles(files: { readonly certificate: string; readonly key: string }): ServerCertificate {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      throw registryConfigurationErrors.make("REGISTRY_CONFIG_UNREADABLE", `expected a PEM file at ${path}`, { cause });
    }
  };
  const certificate = read(files.certificate);
  const key = read(files.key);
  const { mode } = statSync(files.key);
  if (process.platform !== "win32" && (mode & 0o007) !== 0) {
    throw registryConfigurationErrors.make(
      "REGISTRY_CONFIG_KEY_EXPOSED",
      `expected a key that not everybody can read at ${files.key}, found mode ${(mode & 0o777).toString(8)}`,
    );
  }
  return { certificate, key };
}

/** Services of the factory that speak TLS, by their ids. */
const services = { registry: registryId, admission: admissionId };

/** A fresh key, certified by the factory for a service at these hosts. @throws LEAF_HOST_INVALID and as `FactoryIdentity.issue` */
export function certificateOfFactory(
  identity: FactoryIdentity,
  hosts: readonly string[],
  service: keyof typeof services = "registry",
): ServerCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const leaf = identity.issue({
    spiffeId: services[service](identity.trustDomain),
    publicKey: publicKey.export({ format: "der", type: "spki" }),
    profile: "authentication",
    hosts,
  });
  const [intermediate = new Uint8Array()] = identity.chain();
  return {
    certificate: encodePem("CERTIFICATE", leaf) + encodePem("CERTIFICATE", intermediate),
    key: privateKey.export({ format: "pem", type: "pkcs8" }) as string,
  };
}

/** What clients trust so as to trust the certificates above: the factory's root, PEM. */
export function authorityOf(identity: FactoryIdentity): string {
  return encodePem("CERTIFICATE", identity.chain().at(-1) ?? new Uint8Array());
}
