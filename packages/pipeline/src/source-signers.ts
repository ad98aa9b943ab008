import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllowedSigners, type SignerTrust } from "@touchmark/source";
import type { Factory } from "./factory.ts";

/** Files of the home's policy that say whose signatures on commits count. What a project says of itself does not. */
const ALLOWED_SIGNERS = "allowed-signers";
const KEYRING = "signers.gpg";

/** Whose signatures on commits this factory trusts; nobody's where the user named none. @throws SOURCE_SIGNERS_MALFORMED */
export function sourceSigners(factory: Factory): SignerTrust {
  const [ssh, keyring] = [ALLOWED_SIGNERS, KEYRING].map((name) => join(factory.home.paths.policy, name));
  return {
    ...(ssh !== undefined && existsSync(ssh) && { allowedSigners: parseAllowedSigners(readFileSync(ssh, "utf8")) }),
    ...(keyring !== undefined && existsSync(keyring) && { gpgKeyring: keyring }),
  };
}
