const shown = "***";

/** Query members whose value is a secret whatever the host: tokens and signed addresses. */
const secretMembers =
  /^(?:access_?token|auth|authorization|api_?key|key|token|id_?token|private_?token|job_?token|passw(?:or)?d|secret|client_?secret|sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token)|sv|se|sr|sp)$/i;
/** Headers that carry secrets whatever the host. */
const secretHeaders =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|www-authenticate|x-.*(?:token|key|secret|auth).*|.*-token|npm-otp)$/i;

/** Replaces secrets in everything that is shown, logged or recorded. Knows each secret in the spellings it may take. */
export class Redactor {
  readonly #spellings = new Set<string>();
  readonly #headers = new Set<string>();

  /** Replaces a secret from now on: plain, percent-encoded, in base64 at any offset, in JSON. */
  add(secret: string, user?: string): void {
    for (const text of user === undefined ? [secret] : [secret, `${user}:${secret}`]) {
      const spellings = [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)];
      const bytes = Buffer.from(text, "utf8");
      spellings.push(bytes.toString("hex"));
      for (const lead of [0, 1, 2]) {
        const packed = Buffer.concat([Buffer.alloc(lead), bytes]).toString("base64");
        // Only the letters that depend on nothing but the secret.
        const inner = packed.slice(lead === 0 ? 0 : lead + 1, Math.floor(((lead + bytes.length) * 8) / 6));
        if (inner.length >= 8) spellings.push(inner, inner.replaceAll("+", "-").replaceAll("/", "_"));
      }
      for (const each of spellings) if (each.length >= 6) this.#spellings.add(each);
    }
  }

  /** Treats a header as secret from now on. */
  addHeader(name: string): void {
    this.#headers.add(name.toLowerCase());
  }

  /** Text without any known secret. */
  text(given: string): string {
    let text = given;
    for (const each of [...this.#spellings].sort((a, b) => b.length - a.length)) text = text.replaceAll(each, shown);
    return text;
  }

  /** Address without user information, fragment, and values of members that are secrets. */
  url(given: string | URL): string {
    let url: URL;
    try {
      url = new URL(given);
    } catch {
      return this.text(String(given).replace(/\/\/[^/?#\s]*@/, "//"));
    }
    url.username = "";
    url.password = "";
    url.hash = "";
    for (const name of [...url.searchParams.keys()]) if (secretMembers.test(name)) url.searchParams.set(name, shown);
    return this.text(url.href);
  }

  /** Headers as they may be shown. */
  headers(given: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(given).map(([name, value]) => {
        const isSecret = secretHeaders.test(name) || this.#headers.has(name.toLowerCase());
        return [name, isSecret ? shown : this.text(value)];
      }),
    );
  }
}
