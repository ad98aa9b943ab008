import { imageErrors } from "../errors.ts";
import type { ContentInspector } from "./layer-blocks.ts";

/** Kinds of secrets, by what their text looks like. Only shapes that mean nothing else. */
const shapes: Readonly<Record<string, RegExp>> = {
  "private key":
    /-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:\\n|\s){1,4}(?:[A-Za-z-]{3,20}: [^\n]{1,200}\s{1,4}){0,6}[A-Za-z0-9+/=]{40}|PuTTY-User-Key-File-[23]: /,
  "age key": /AGE-SECRET-KEY-1[0-9A-Z]{58}/,
  "GitHub token": /\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{60}/,
  "GitLab token": /\bglpat-[\w-]{20}/,
  "npm token": /\bnpm_[A-Za-z0-9]{36}\b/,
  "PyPI token": /\bpypi-AgEI[\w-]{50}/,
  "AWS access key": /\b(?:AKIA|ASIA)(?![0-9A-Z]{0,9}EXAMPLE)[0-9A-Z]{16}\b/,
  "Google API key": /\bAIza[\w-]{35}\b/,
  "Slack token": /\bxox[abprs]-[0-9]{6,}-[\w-]{10,}/,
  "Stripe key": /\b[rs]k_live_\w{24}/,
};
const anyShape = new RegExp(
  Object.values(shapes)
    .map(({ source }) => source)
    .join("|"),
);

/** Files that hold credentials by their name, and how their content shows that it does. */
const places: readonly { readonly kind: string; readonly path: RegExp; readonly content: RegExp }[] = [
  {
    kind: "npm credentials",
    path: /(?:^|\/)\.?npmrc$/,
    content: /^[^#;\n]*_(?:auth|authToken|password)\s*=\s*(?!\$\{)\S/m,
  },
  { kind: "netrc credentials", path: /(?:^|\/)[._]netrc$/, content: /\bpassword\s+\S/ },
  {
    kind: "docker credentials",
    path: /(?:^|\/)(?:\.docker\/config\.json|\.dockercfg)$/,
    content: /"(?:auth|identitytoken|password)"\s*:\s*"[^"]/,
  },
  { kind: "AWS credentials", path: /(?:^|\/)\.aws\/credentials$/, content: /aws_secret_access_key\s*=\s*\S/i },
  {
    kind: "Google credentials",
    path: /(?:^|\/)(?:application_default_credentials\.json|gcloud\/credentials\.db)$/,
    content: /./,
  },
  { kind: "Azure credentials", path: /(?:^|\/)\.azure\/(?:accessTokens\.json|msal_token_cache\.\w+)$/, content: /./ },
  {
    kind: "Kubernetes credentials",
    path: /(?:^|\/)\.kube\/config$/,
    content: /^\s*(?:token|client-key-data|password):\s*\S/m,
  },
  { kind: "git credentials", path: /(?:^|\/)\.git-credentials$/, content: /:\/\/[^\s:@]+:[^\s@]+@/ },
  { kind: "PyPI credentials", path: /(?:^|\/)\.pypirc$/, content: /^\s*password\s*[=:]\s*\S/m },
];

/** The history of a repository: it holds everything that was ever committed, and its remotes. */
const repository = /(?:^|\/)\.git\/(?:HEAD|config|index|packed-refs|objects\/.+)$/;

// Longer than any shape; what is cut by the end of a chunk is found with the next.
const OVERLAP = 2048;
const BINARY_PROBE_BYTES = 8000;

/**
 * Looks for secrets in the text files that pass; whatever is found is named by path and kind, never by value.
 * @throws IMAGE_SECRET_FOUND
 */
export function secretInspector(): ContentInspector {
  return {
    file(path) {
      if (repository.test(path)) throw secret(path, "the history of a git repository");
      const rules = places.filter((place) => place.path.test(path));
      let before = "";
      let isFirst = true;
      let isBinary = false;
      return (chunk) => {
        if (isFirst) isBinary = rules.length === 0 && hasNul(chunk);
        isFirst = false;
        if (isBinary) return;
        const text = before + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
        const found = rules.find(({ content }) => content.test(text))?.kind ?? secretIn(text);
        if (found !== undefined) throw secret(path, found);
        before = text.length > OVERLAP ? text.slice(-OVERLAP) : text;
      };
    },
  };
}

/** Kind of the first secret in a text; undefined: none. */
export function secretIn(text: string): string | undefined {
  if (!anyShape.test(text)) return undefined;
  return Object.keys(shapes).find((kind) => shapes[kind]?.test(text));
}

/** True for small files that may hold credentials by their name; those of lower layers are read, too. */
export function mayHoldSecret(path: string): boolean {
  return repository.test(path) || places.some((place) => place.path.test(path)) || /(?:^|\/)\.ssh\/[^/]+$/.test(path);
}

function hasNul(chunk: Uint8Array): boolean {
  return chunk.subarray(0, BINARY_PROBE_BYTES).includes(0);
}

function secret(path: string, kind: string): Error {
  return imageErrors.make("IMAGE_SECRET_FOUND", `expected no secrets in an image, found ${kind} in /${path}`);
}
