import { type Clock, isFactoryError, rfc3339, systemClock } from "@touchmark/core";
import type { CredentialBinding, CredentialForm, MaterialsConfiguration } from "../configuration/configuration.ts";
import { credentialErrors } from "./errors.ts";
import { Redactor } from "./redactor.ts";
import { readSecret } from "./secret-source.ts";
import { tokenFacts } from "./token.ts";

/** A request that may need a secret. */
export interface CredentialRequest {
  readonly url: URL;
  readonly purpose: CredentialBinding["purpose"];
  readonly step: string;
  /** False when whoever started the run is not trusted with secrets. */
  readonly trusted: boolean;
  /** The address that led here by a redirect. */
  readonly redirectedFrom?: URL;
}

/** One line of the statement about issued credentials: which secret was used where, and how often. Never the secret. */
export interface CredentialUse {
  readonly name: string;
  readonly kind: "file" | "environment" | "keyring" | "command";
  readonly host: string;
  readonly purpose: CredentialBinding["purpose"];
  readonly step: string;
  readonly requests: number;
  /** RFC 3339 UTC; where configuration or token say. */
  readonly expiresAt?: string;
}

/** What is wrong with a configured credential without being refused. */
export interface CredentialFinding {
  readonly credential: string;
  readonly finding: "any-host" | "any-step" | "no-expiry" | "long-lived" | "broad-scope" | "expired" | "unreadable";
  readonly message: string;
}

/** Keeps the secrets of a run in the control plane and gives each to the requests that it is bound to. */
export interface CredentialKeeper {
  /**
   * Headers that carry the secret bound to this host, purpose and step; undefined when none is.
   * @throws CREDENTIAL_* never with the secret in the message
   */
  headersFor(
    request: CredentialRequest,
  ): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly use: CredentialUse } | undefined>;
  /** Every use so far, for the statement. */
  uses(): readonly CredentialUse[];
  /** Looks at every configured credential: expired and over-broad ones, and those that cannot be read. */
  findings(): Promise<readonly CredentialFinding[]>;
  readonly redactor: Redactor;
}

/** Secrets of commands are asked for again after this long: they may be short-lived. */
const keptFor = 300_000;
const longLived = 90 * 86_400_000;

/** Makes the keeper of a run. `environment` is the control plane's own. SPEC C1-C6. */
export function credentialKeeper(
  configuration: Pick<MaterialsConfiguration, "credentials">,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock = systemClock,
): CredentialKeeper {
  return new Keeper(configuration.credentials, environment, clock);
}

class Keeper implements CredentialKeeper {
  readonly redactor = new Redactor();
  readonly #bindings: readonly CredentialBinding[];
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #clock: Clock;
  readonly #secrets = new Map<string, { readonly until: number; readonly secret: Promise<string> }>();
  readonly #uses = new Map<string, CredentialUse>();

  constructor(
    bindings: readonly CredentialBinding[],
    environment: Readonly<Record<string, string | undefined>>,
    clock: Clock,
  ) {
    this.#bindings = bindings;
    this.#environment = environment;
    this.#clock = clock;
    for (const { form } of bindings) if (form.kind === "header") this.redactor.addHeader(form.name);
  }

  async headersFor(request: CredentialRequest): ReturnType<CredentialKeeper["headersFor"]> {
    const { url, purpose, step, trusted, redirectedFrom } = request;
    // Whoever redirects elsewhere decides where the next request goes: it gets no secret, not even that host's own.
    if (redirectedFrom !== undefined && redirectedFrom.host !== url.host) return undefined;
    const binding = this.#bindings.find(
      (each) =>
        each.host !== "*" &&
        authorityOf(each.host, url.protocol) === url.host.toLowerCase() &&
        each.purpose === purpose &&
        (each.steps.includes(step) || each.steps.includes("*")),
    );
    if (binding === undefined) return undefined;
    if (!trusted) {
      throw credentialErrors.make(
        "CREDENTIAL_TRIGGER_UNTRUSTED",
        `credential ${binding.name}: expected a trusted trigger, found a run for an outside change`,
      );
    }
    if (url.protocol !== "https:" && !isLoopback(url.hostname)) {
      throw credentialErrors.make(
        "CREDENTIAL_INSECURE",
        `credential ${binding.name}: expected https to ${binding.host}, found ${url.protocol}//`,
      );
    }
    const { secret, expiresAt } = await this.#current(binding);
    const use = this.#count(binding, step, expiresAt);
    return { headers: headersOf(binding.form, secret), use };
  }

  uses(): readonly CredentialUse[] {
    return [...this.#uses.values()];
  }

  async findings(): Promise<readonly CredentialFinding[]> {
    const found: CredentialFinding[] = [];
    for (const binding of this.#bindings) {
      const note = (finding: CredentialFinding["finding"], message: string) =>
        found.push({ credential: binding.name, finding, message });
      if (binding.host === "*") note("any-host", "is bound to no host: it is never sent");
      if (binding.steps.includes("*")) note("any-step", "is given to every step: name those that need it");
      try {
        const { secret, expiresAt } = await this.#current(binding);
        const token = tokenFacts(secret);
        if (expiresAt === undefined)
          note("no-expiry", "says no expiry: use a token that ends, or configure when it does");
        else if (expiresAt.getTime() - (token?.issuedAt ?? this.#clock.now()).getTime() > longLived) {
          note("long-lived", `lives until ${rfc3339(expiresAt)}, more than 90 days`);
        }
        const broad = token?.scopes.filter((each) => /(?:^|[:/.])\*|^(?:admin|api|root)$/i.test(each)) ?? [];
        if (broad.length > 0) note("broad-scope", `has the scopes ${this.redactor.text(broad.slice(0, 5).join(", "))}`);
      } catch (error) {
        if (!isFactoryError(error)) throw error;
        note(error.code === "CREDENTIAL_EXPIRED" ? "expired" : "unreadable", error.message);
      }
    }
    return found;
  }

  /** The secret as it is now, unless it has expired. */
  async #current(binding: CredentialBinding): Promise<{ secret: string; expiresAt: Date | undefined }> {
    const now = this.#clock.now().getTime();
    let kept = this.#secrets.get(binding.name);
    if (kept === undefined || kept.until <= now) {
      kept = { until: now + keptFor, secret: readSecret(binding, this.#environment) };
      this.#secrets.set(binding.name, kept);
      // A failure is not kept: the next request asks again.
      kept.secret.catch(() => this.#secrets.delete(binding.name));
    }
    const secret = await kept.secret;
    this.redactor.add(secret, binding.form.kind === "basic" ? binding.form.user : undefined);
    const ends = [
      binding.expires === undefined ? undefined : new Date(binding.expires),
      tokenFacts(secret)?.expiresAt,
    ].filter((each) => each !== undefined);
    const expiresAt = ends.sort((a, b) => a.getTime() - b.getTime())[0];
    if (expiresAt !== undefined && expiresAt.getTime() <= now) {
      this.#secrets.delete(binding.name);
      throw credentialErrors.make(
        "CREDENTIAL_EXPIRED",
        `credential ${binding.name}: expected one that is valid, found one that expired on ${rfc3339(expiresAt)}`,
      );
    }
    return { secret, expiresAt };
  }

  #count(binding: CredentialBinding, step: string, expiresAt: Date | undefined): CredentialUse {
    const key = `${binding.name}\0${step}`;
    const use: CredentialUse = {
      name: binding.name,
      kind: binding.from.kind,
      host: binding.host,
      purpose: binding.purpose,
      step,
      requests: (this.#uses.get(key)?.requests ?? 0) + 1,
      ...(expiresAt === undefined ? {} : { expiresAt: rfc3339(expiresAt) }),
    };
    this.#uses.set(key, use);
    return use;
  }
}

function headersOf(form: CredentialForm, secret: string): Readonly<Record<string, string>> {
  if (form.kind === "header") return { [form.name]: secret };
  if (form.kind === "bearer") return { authorization: `Bearer ${secret}` };
  return { authorization: `Basic ${Buffer.from(`${form.user}:${secret}`, "utf8").toString("base64")}` };
}

/** Host of a binding as `URL.host` spells it: without the usual port. */
function authorityOf(host: string, protocol: string): string {
  return host.replace(protocol === "https:" ? /:443$/ : /:80$/, "");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
