import { type FactoryError, isFactoryError } from "@touchmark/core";
import type { LicenceFact, ScanLoss } from "@touchmark/formats/sbom";
import type { CatalogueContext, CollectedFile, FileFacts, Found, FoundComponent } from "../catalogue/cataloger.ts";
import { sbomErrors } from "../errors.ts";
import { readCopyrightFile } from "./copyright.ts";
import { detectLicences } from "./detect.ts";
import { LicenceOwners } from "./licence-owners.ts";
import { longestLicenceText } from "./words.ts";

/** Most files of licences that are read for one component: the nearest ones. */
const mostFiles = 20;

const names =
  /^(?:(?:un)?licen[cs]es?|copying|notices?|copyright|mit-license|third-?party-?(?:notices?|licen[cs]es?)|legal)(?:[._-][\w.+-]{0,60})?$|^[\w.+-]{1,60}[._-]licen[cs]e(?:\.(?:txt|md|rst))?$/i;
/** Programs and styles that bear such a name are no texts. */
const programs =
  /\.(?:[cm]?[jt]sx?|py[ci]?|go|rs|java|class|rb|php|[ch](?:pp|xx|c|h)?|cs|json|ya?ml|toml|xml|css|s[ac]ss|svg|png|gif|so|dll|exe|map|sh|lock|gz|zip|jar|pem|sig|asc|erb|ejs|hbs|mustache|snap)$/i;

/** True for a file that is likely to hold the text of a licence: `LICENSE*`, `COPYING*`, `NOTICE*`, `copyright`. */
export function isLicenceFile({ name, path, size }: FileFacts): boolean {
  if (size === 0) return false;
  if (/(?:^|\/)[^/]+\.dist-info\/licenses\//.test(path)) return !programs.test(name);
  return names.test(name) && !programs.test(name);
}

/**
 * What was found, with the licences that the files of licences among `files` hold given to the components that own
 * them. A Debian package's copyright file is its declaration; what other texts say is detected. A file that cannot be
 * read is a loss.
 */
export function withLicenceFiles(
  found: readonly Found[],
  files: readonly CollectedFile[],
  context: Pick<CatalogueContext, "file" | "signal">,
): { readonly found: readonly Found[]; readonly losses: readonly ScanLoss[] } {
  const licences = files.filter(isLicenceFile);
  if (licences.length === 0) return { found, losses: [] };
  const owners = new LicenceOwners(found);
  const filesOf = new Map<FoundComponent, CollectedFile[]>();
  for (const file of licences) {
    for (const component of owners.of(file.path)) {
      const list = filesOf.get(component);
      if (list === undefined) filesOf.set(component, [file]);
      else list.push(file);
    }
  }
  const losses = new Map<string, ScanLoss>();
  const reader = new LicenceFileReader(losses);
  const enriched = found.map((one): Found => {
    const components = one.components.map((component) => {
      context.signal?.throwIfAborted();
      const own = filesOf.get(component) ?? sharedCopyright(component, context);
      return own === undefined ? component : withFacts(component, nearest(own), reader);
    });
    return { ...one, components };
  });
  return { found: enriched, losses: [...losses.values()] };
}

/** Debian packages of one source may share their documents: the directory is a link to another's. */
function sharedCopyright(
  { type, name }: FoundComponent,
  context: Pick<CatalogueContext, "file">,
): readonly CollectedFile[] | undefined {
  const file = type === "deb" ? context.file(`usr/share/doc/${name}/copyright`) : undefined;
  return file === undefined ? undefined : [file];
}

function nearest(files: readonly CollectedFile[]): readonly CollectedFile[] {
  if (files.length <= mostFiles) return files;
  const depth = ({ path }: CollectedFile) => path.split("/").length;
  return files.toSorted((a, b) => depth(a) - depth(b)).slice(0, mostFiles);
}

function withFacts(
  component: FoundComponent,
  files: readonly CollectedFile[],
  reader: LicenceFileReader,
): FoundComponent {
  const isStated = ({ name }: CollectedFile) => component.type === "deb" && name === "copyright";
  const declared = files.filter(isStated).flatMap((file) => reader.stated(file));
  const detected = best(files.filter((file) => !isStated(file)).flatMap((file) => reader.detected(file)));
  const known = component.declaredLicences ?? [];
  const all = best([...(component.detectedLicences ?? []), ...detected]);
  return {
    ...component,
    ...(declared.length > 0 && known.length === 0 ? { declaredLicences: declared } : {}),
    ...(all.length > 0 ? { detectedLicences: all } : {}),
  };
}

/** Each licence once, with the place that shows it best. */
function best(facts: readonly LicenceFact[]): readonly LicenceFact[] {
  const made = new Map<string, LicenceFact>();
  for (const fact of facts) {
    const key = fact.expression ?? `text ${fact.text}`;
    const other = made.get(key);
    if (other === undefined || other.confidence < fact.confidence) made.set(key, fact);
  }
  return [...made.values()];
}

/** Reads files of licences; a text that stands in many places is looked at once. */
class LicenceFileReader {
  readonly #losses: Map<string, ScanLoss>;
  readonly #detected = new Map<string, readonly LicenceFact[]>();

  constructor(losses: Map<string, ScanLoss>) {
    this.#losses = losses;
  }

  stated(file: CollectedFile): readonly LicenceFact[] {
    const text = this.#text(file);
    return text === undefined ? [] : readCopyrightFile(text, file.path);
  }

  detected(file: CollectedFile): readonly LicenceFact[] {
    const text = this.#text(file);
    if (text === undefined) return [];
    let facts = this.#detected.get(text);
    if (facts === undefined) {
      facts = detectLicences(text);
      this.#detected.set(text, facts);
    }
    return facts.map((fact) => ({ ...fact, path: file.path }));
  }

  /** As UTF-8, and as Latin-1 where it is none: names of people are no reason to lose a licence. */
  #text(file: CollectedFile): string | undefined {
    try {
      const isCut = file.size > longestLicenceText;
      const bytes = isCut ? file.read(0, longestLicenceText) : file.bytes();
      if (isCut) this.#lose(file.path, tooLarge(file.size));
      if (bytes.includes(0)) return undefined; // No text.
      const text = new TextDecoder("utf-8").decode(bytes);
      return text.includes("\ufffd") ? new TextDecoder("latin1").decode(bytes) : text;
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      this.#lose(file.path, error);
      return undefined;
    }
  }

  #lose(path: string, { code, message }: FactoryError): void {
    this.#losses.set(path, { path, code, message });
  }
}

function tooLarge(size: number): FactoryError {
  return sbomErrors.make(
    "SBOM_FILE_TOO_LARGE",
    `expected at most ${longestLicenceText} bytes of a licence, found ${size}; the rest was not read`,
  );
}
