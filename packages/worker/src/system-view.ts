import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { StepNetwork } from "./job.ts";
import { publishDirectory, removeUnused } from "./kept-directories.ts";
import type { MountRow } from "./result.ts";

/** The step's user inside the sandbox. */
export const inside = { user: 1001, group: 1001, name: "builder", home: "/home/builder", host: "touchmark" } as const;

const generated: Readonly<Record<string, string>> = {
  passwd:
    `root:x:0:0:root:/nonexistent:/bin/false\n` +
    `${inside.name}:x:${inside.user}:${inside.group}:${inside.name}:${inside.home}:/bin/sh\n` +
    `nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n`,
  group: `root:x:0:\n${inside.name}:x:${inside.group}:\nnogroup:x:65534:\n`,
  hostname: `${inside.host}\n`,
  hosts: `127.0.0.1 localhost ${inside.host}\n::1 localhost\n`,
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
  shells: "/bin/sh\n",
  "machine-id": "",
};

/** File of certificates of Debian's programs. With a bridge it is there and empty: it trusts whom the control plane provides. */
export const certificateFile = "/etc/ssl/certs/ca-certificates.crt";
const forBridge: Readonly<Record<string, string>> = { [certificateFile.slice("/etc/".length)]: "" };

/** Files that every sandbox has and that are not the host's: the same text in each, whatever the host's own say. */
export const generatedFiles: ReadonlySet<string> = new Set(Object.keys(generated).map((name) => `/etc/${name}`));

/** Named files and directories of `/etc` that toolchains read; nothing else of it is shown. */
const named = [
  ...["ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "mime.types", "protocols", "services", "magic"],
  ...["ssl/openssl.cnf", "debian_version", "os-release", "lsb-release", "xml", "sgml", "fonts", "perl"],
  ...["maven", "gradle", "ant", "php", "papersize", "texmf", "ghc", "R", "emscripten", "magic.mime"],
];
const patterns = [/^java(-\d+-openjdk)?$/, /^python\d(\.\d+)?$/, /^lua\d/, /^ImageMagick-\d+$/];
/** Shown only where the network is open. */
const forNetwork = ["resolv.conf", "hosts", "ssl/certs", "ca-certificates.conf", "pki/tls", "pki/ca-trust", "gai.conf"];

/** Variables that name a certificate file or directory by its path on the host. */
const certificateVariables = [
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"],
  ...["PIP_CERT", "CARGO_HTTP_CAINFO", "AWS_CA_BUNDLE", "NPM_CONFIG_CAFILE", "npm_config_cafile"],
];

/** The constant view of a step: what is shown where, before any input. */
export interface SystemView {
  readonly rows: readonly MountRow[];
}

/**
 * The host's programs and libraries, read-only, and an `/etc` of our own with the named files of the host's (SPEC W4).
 * Never homes, sockets, `/var`, `/run` or state.
 */
export class SystemViews {
  readonly #directory: string;
  readonly #known = new Map<string, SystemView>();

  /** @param directory place for the generated files; survives the steps */
  constructor(directory: string) {
    this.#directory = directory;
  }

  view(network: StepNetwork, environment: Readonly<Record<string, string>>): SystemView {
    const certificates = network === "open" ? certificateFiles(environment) : [];
    const key = [network, ...certificates].join("\0");
    const view = this.#known.get(key) ?? this.#make(key, network, certificates);
    this.#known.set(key, view);
    return view;
  }

  /** Directory with the files that are laid over an image's `/etc` (SPEC W15): ours, and the resolver of an open network. */
  image(network: StepNetwork): string {
    const made = { ...generated, "resolv.conf": "", ...(network === "proxy" ? forBridge : {}) };
    const files = network === "open" ? ["hosts", "resolv.conf"].filter((name) => resolve(`/etc/${name}`) !== null) : [];
    return this.#directoryFor(`image ${network}`, made, files);
  }

  #make(key: string, network: StepNetwork, certificates: readonly string[]): SystemView {
    const rows: MountRow[] = [{ at: "/usr", kind: "system", source: "/usr", access: "read-only" }];
    for (const name of ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]) {
      const entry = lstatSync(`/${name}`, { throwIfNoEntry: false });
      if (entry?.isSymbolicLink())
        rows.push({ at: `/${name}`, kind: "link", source: readlinkSync(`/${name}`), access: "read-only" });
      else if (entry?.isDirectory())
        rows.push({ at: `/${name}`, kind: "system", source: `/${name}`, access: "read-only" });
    }
    for (const store of ["/nix/store", "/gnu/store"]) {
      if (existsSync(store)) rows.push({ at: store, kind: "system", source: store, access: "read-only" });
    }
    const shown = [...named, ...readdirSync("/etc").filter((name) => patterns.some((pattern) => pattern.test(name)))];
    if (network === "open") shown.push(...forNetwork);
    const outside = certificates.filter((path) => !path.startsWith("/usr/"));
    for (const path of outside) if (path.startsWith("/etc/")) shown.push(path.slice(5));
    const files = [...new Set(shown)].sort().filter((name) => resolve(`/etc/${name}`) !== null);
    rows.push({
      at: "/etc",
      kind: "generated",
      source: this.#directoryFor(key, network === "proxy" ? { ...generated, ...forBridge } : generated, files),
      access: "read-only",
    });
    for (const path of outside) {
      const source = path.startsWith("/etc/") ? null : resolve(path);
      if (source !== null) rows.push({ at: path, kind: "system", source, access: "read-only" });
    }
    return { rows };
  }

  /**
   * A directory with the generated files and copies of the named ones: one mount instead of dozens, which would cost
   * each step more than all else. Its name tells the state of what was copied, so a change on the host makes a new one.
   */
  #directoryFor(key: string, made: Readonly<Record<string, string>>, names: readonly string[]): string {
    const state = names.map((name) => fingerprint(`/etc/${name}`));
    const name = createHash("sha256")
      .update(JSON.stringify([key, made, names, state]))
      .digest("hex")
      .slice(0, 16);
    const path = join(this.#directory, name);
    if (existsSync(path)) {
      utimesSync(path, new Date(), new Date());
      return path;
    }
    removeUnused(this.#directory);
    const making = `${path}.${process.pid}`;
    mkdirSync(making, { recursive: true, mode: 0o755 });
    for (const [file, text] of Object.entries(made)) {
      mkdirSync(dirname(join(making, file)), { recursive: true, mode: 0o755 });
      writeFileSync(join(making, file), text, { mode: 0o644 });
    }
    for (const one of names) {
      mkdirSync(dirname(join(making, one)), { recursive: true, mode: 0o755 });
      copyReadable(realpathSync(`/etc/${one}`), join(making, one));
    }
    return publishDirectory(making, path);
  }
}

/** Copies what everybody may read, and links as links: what only root may read has no place in a step. */
function copyReadable(from: string, to: string): void {
  const entry = lstatSync(from);
  if (entry.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (entry.isDirectory() && (entry.mode & 0o5) === 0o5) {
    mkdirSync(to, { recursive: true, mode: 0o755 });
    for (const name of readdirSync(from)) copyReadable(join(from, name), join(to, name));
  } else if (entry.isFile() && (entry.mode & 0o4) !== 0) {
    rmSync(to, { force: true });
    copyFileSync(from, to);
    chmodSync(to, entry.mode & 0o111 ? 0o755 : 0o644);
  }
}

/** What changes when a copied file or directory changes. */
function fingerprint(path: string): string {
  try {
    const entry = statSync(path);
    const own = `${entry.mtimeMs} ${entry.ctimeMs} ${entry.size} ${entry.mode}`;
    if (!entry.isDirectory()) return own;
    return `${own} [${readdirSync(path)
      .map((name) => fingerprint(join(path, name)))
      .join(",")}]`;
  } catch {
    return "gone";
  }
}

/** Directory or regular file behind a path; sockets, devices and dangling links are nothing. */
function resolve(path: string): string | null {
  try {
    const real = realpathSync(path);
    const entry = statSync(real);
    return entry.isFile() || entry.isDirectory() ? real : null;
  } catch {
    return null;
  }
}

/**
 * Certificate files that the variables name. The variables may come from a pipeline definition, and so from the
 * source: only a file that holds certificates and no key is shown, and no directory but the system's.
 */
function certificateFiles(environment: Readonly<Record<string, string>>): string[] {
  const paths = certificateVariables.map((name) => environment[name] ?? "").filter((path) => path.startsWith("/"));
  return [...new Set(paths)].filter((path) => {
    const real = resolve(path);
    if (real === null || path.includes("/../") || !statSync(real).isFile() || statSync(real).size > 8 << 20)
      return false;
    const text = readFileSync(real, "latin1");
    return text.includes("-----BEGIN CERTIFICATE-----") && !text.includes("PRIVATE KEY-----");
  });
}
