import { dirname } from "node:path";
import { type Clock, rfc3339, systemClock } from "@touchmark/core";
import type { FactoryIdentity } from "@touchmark/identity";
import {
  configuredAuthority,
  configuredTagRules,
  defaultLimits,
  type LiveConfiguration,
  liveConfiguration,
  openAuditLog,
  openAuthority,
  openTokenKeys,
  type PromotionProof,
  type RegistryAuthority,
  type RegistryBackend,
  type RegistryConfiguration,
  type RunningRegistry,
  registryConfigurationErrors,
  startRegistry,
  withProtectedTags,
  withQuotas,
} from "@touchmark/registry";
import { type Home, makeDirectory, readIfPresent, writeFileAtomically } from "@touchmark/store";
import { clientUrl, type Listening, type ListenWishes, listening } from "./listening.ts";
import { registryPlace } from "./place.ts";
import { openRegistryBackend } from "./storage.ts";

/** How to serve the registry of a home. */
export interface RegistryServerOptions extends ListenWishes {
  readonly home: Home;
  readonly clock?: Clock;
  /** Default: `registry.yaml` in the home, which need not be there. */
  readonly configuration?: string;
  /** Callers without credential may pull everything, whatever the configuration says. */
  readonly anonymousRead?: boolean;
  /** Everybody may do everything. For tests. */
  readonly insecureAnonymousWrite?: boolean;
  /** The factory whose authority certifies names; asked for only then. */
  readonly identity?: () => Promise<FactoryIdentity>;
  /** Verifies the gate's decisions for tags that only it may set; without one they are never set. */
  readonly proof?: (backend: RegistryBackend) => PromotionProof;
  /** Told what goes wrong beside requests: a configuration that cannot be read, audit lines that were not written. */
  readonly onProblem?: (message: string) => void;
}

/** A registry that is served. */
export interface RegistryServer {
  /** `HOST:PORT` as bound, or the socket's path. */
  readonly address: string;
  /** Address for clients; undefined where none is known. */
  readonly url: string | undefined;
  /** PEM file with the root certificate that clients trust, when the factory's authority certifies. */
  readonly authorityFile: string | undefined;
  readonly configuration: RegistryConfiguration;
  /** Words of what is weaker than it should be; recorded in the audit trail. */
  readonly insecure: readonly string[];
  close(): Promise<void>;
}

/**
 * Serves the registry of a home (SPEC G): backend, quotas, rules of tags, authority and audit trail put together.
 * @throws REGISTRY_CONFIG_* | REGISTRY_TOKEN_KEY_* | REGISTRY_LISTEN_FAILED
 */
export async function openRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  const { home, clock = systemClock, onProblem = () => undefined } = options;
  const place = registryPlace(home);
  const live = await liveConfiguration({
    path: options.configuration ?? place.configuration,
    mustExist: options.configuration !== undefined,
    onProblem,
  });
  const undo: (() => void | Promise<void>)[] = [() => live.close()];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return { ...(await serve(options, clock, live, undo)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function serve(
  options: RegistryServerOptions,
  clock: Clock,
  live: LiveConfiguration,
  undo: (() => void | Promise<void>)[],
): Promise<Omit<RegistryServer, "close">> {
  const { home, onProblem = () => undefined } = options;
  const place = registryPlace(home);
  const configuration = effective(live, options);
  const now = configuration();
  const how = listening(now, options);
  const insecure = [
    ...(options.insecureAnonymousWrite === true ? ["anonymous-write"] : []),
    ...(how.isInsecure ? ["plain-http"] : []),
  ];
  const tls = await certificates(how, options);
  const backend = await openRegistryBackend({ home, configuration: now, clock, onProblem });
  undo.push(() => backend.close());
  const audit = openAuditLog({
    path: now.audit.file ?? place.audit,
    fileBytes: now.audit.fileBytes,
    keep: now.audit.keep,
    onProblem,
  });
  undo.push(() => audit.close());
  let url: string | undefined;
  const authority: RegistryAuthority =
    options.insecureAnonymousWrite === true
      ? openAuthority()
      : configuredAuthority({
          configuration,
          keys: openTokenKeys(place.tokenKey, clock),
          clock,
          url: () => url,
          audit: (line) => audit.write(line),
        });
  const running = await startRegistry({
    backend: withProtectedTags(withQuotas(backend, configuration, clock), configuration),
    authority,
    tagRules: configuredTagRules(configuration, options.proof?.(backend)),
    limits: { ...defaultLimits, blobBytes: now.uploads.blobBytes, manifestBytes: now.uploads.manifestBytes },
    audit: (line) => audit.write({ ...line }),
    failed: (error) => onProblem(String((error as Error).stack ?? error)),
    clock,
    listen: how.listen,
    ...(tls === undefined ? {} : { tls: tls.first() }),
  });
  undo.push(() => running.close());
  if (tls !== undefined) undo.push(renewing(running, tls, onProblem));
  url = clientUrl(now, how, running.address);
  audit.write({ at: rfc3339(clock.now()), action: "serve", reference: url ?? running.address, insecure });
  return { address: running.address, url, authorityFile: tls?.authorityFile, configuration: now, insecure };
}

/** The configuration as the command line bends it. */
function effective(live: LiveConfiguration, options: RegistryServerOptions): () => RegistryConfiguration {
  if (options.anonymousRead !== true) return () => live.current();
  const anonymous = [{ repositories: "**", actions: ["pull", "catalog"] as const }];
  return () => ({ ...live.current(), anonymous });
}

/** Where certificates come from. */
interface CertificateSource {
  first(): { readonly certificate: string; readonly key: string };
  /** Undefined when files stay as they are until the registry starts again. */
  readonly renewed: (() => { readonly certificate: string; readonly key: string }) | undefined;
  readonly seconds: number;
  readonly authorityFile: string | undefined;
}

async function certificates(
  { tls }: Listening,
  { home, identity }: RegistryServerOptions,
): Promise<CertificateSource | undefined> {
  if (tls === undefined) return undefined;
  // TLS with the factory's authority needs the identity package, which a plain start does without.
  const made = await import("./certificate.ts");
  if (!("hosts" in tls)) {
    const files = made.certificateFromFiles(tls);
    return { first: () => files, renewed: undefined, seconds: 0, authorityFile: undefined };
  }
  if (identity === undefined) {
    throw registryConfigurationErrors.make(
      "REGISTRY_CONFIG_TLS_UNAVAILABLE",
      "expected a factory whose authority certifies names, found none",
    );
  }
  const factory = await identity();
  const { authority: authorityFile } = registryPlace(home);
  const pem = made.authorityOf(factory);
  makeDirectory(dirname(authorityFile));
  if (readIfPresent(authorityFile)?.toString() !== pem) writeFileAtomically(authorityFile, pem, { mode: 0o644 });
  const fresh = () => made.certificateOfFactory(factory, tls.hosts);
  return { first: fresh, renewed: fresh, seconds: made.RENEW_SECONDS, authorityFile };
}

function renewing(
  running: RunningRegistry,
  { renewed, seconds }: CertificateSource,
  onProblem: (message: string) => void,
): () => void {
  if (renewed === undefined) return () => undefined;
  const timer = setInterval(() => {
    try {
      running.renew(renewed());
    } catch (error) {
      onProblem(`the certificate was not renewed: ${(error as Error).message}`);
    }
  }, seconds * 1000);
  timer.unref();
  return () => clearInterval(timer);
}
