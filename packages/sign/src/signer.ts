/**
 * Signs bytes with a key that it never exports (ARCHITECTURE, "Interfaces").
 * P-256 with SHA-256: the only pair that every client of the bundle format accepts.
 */
export interface Signer {
  /** The leaf certificate of the key, DER. */
  readonly certificate: Uint8Array;
  /** The DER signature (ECDSA, P-256, SHA-256) over the bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}
