import { sbomDocumentErrors } from "../errors.ts";
import { documentLimits } from "../limits.ts";
import type { DocumentReport } from "../problems.ts";
import type { Members } from "../shape.ts";
import { type TagValue, tagValues } from "./tag-value-lines.ts";

type Draft = Record<string, unknown>;

/** Members of a package by tag. */
const packageTags: Readonly<Record<string, string>> = {
  PackageVersion: "versionInfo",
  PackageSupplier: "supplier",
  PackageOriginator: "originator",
  PackageDownloadLocation: "downloadLocation",
  PackageHomePage: "homepage",
  PackageLicenseConcluded: "licenseConcluded",
  PackageLicenseDeclared: "licenseDeclared",
  PackageDescription: "description",
  PrimaryPackagePurpose: "primaryPackagePurpose",
};
const annotationTags: Readonly<Record<string, string>> = {
  AnnotationDate: "annotationDate",
  AnnotationType: "annotationType",
  AnnotationComment: "comment",
};
/** Tags that an SBOM of ours has no place for, and that say nothing of what is inside. */
const passed: ReadonlySet<string> = new Set(["FilesAnalyzed", "PackageCopyrightText", "LicenseListVersion"]);

/** The members of an SPDX 2 document in tag-value form, as JSON would have them. @throws SBOM_DOCUMENT_MALFORMED */
export function tagValueMembers(text: string, report: DocumentReport): Members {
  const reader = new TagValueReader(report);
  for (const each of tagValues(text)) reader.take(each);
  return reader.document();
}

/** Follows the order of a document: a tag belongs to the element that was named last. */
class TagValueReader {
  readonly #report: DocumentReport;
  readonly #document: Draft = {};
  readonly #creation = { creators: [] as string[] } as Draft & { creators: string[] };
  readonly #packages: Draft[] = [];
  readonly #files: Draft[] = [];
  readonly #licences: Draft[] = [];
  readonly #relationships: Draft[] = [];
  readonly #annotations: Draft[] = [];
  #element: Draft = this.#document;

  constructor(report: DocumentReport) {
    this.#report = report;
  }

  take({ tag, value, line }: TagValue): void {
    switch (tag) {
      case "SPDXVersion":
        this.#document["spdxVersion"] = value;
        return;
      case "DocumentName":
        this.#document["name"] = value;
        return;
      case "DataLicense":
        this.#document["dataLicense"] = value;
        return;
      case "DocumentNamespace":
        this.#document["documentNamespace"] = value;
        return;
      case "Creator":
        this.#creation.creators.push(value);
        return;
      case "Created":
        this.#creation["created"] = value;
        return;
      case "SPDXID":
        // References in relationships have the same spelling, so nothing is put before it.
        this.#element["SPDXID"] = value;
        return;
      case "PackageName":
        this.#begin(this.#packages, { name: value });
        return;
      case "FileName":
        this.#begin(this.#files, { fileName: value });
        return;
      case "LicenseID":
        this.#begin(this.#licences, { licenseId: value });
        return;
      case "Annotator":
        this.#annotations.push({ annotator: value });
        return;
      case "Relationship":
        this.#relate(value, line);
        return;
      default:
        this.#describe(tag, value, line);
    }
  }

  document(): Members {
    const elements = new Map<unknown, Draft>(
      [this.#document, ...this.#packages, ...this.#files].map((element) => [element["SPDXID"], element]),
    );
    for (const { SPDXREF, ...annotation } of this.#annotations) {
      const element = elements.get(SPDXREF);
      if (element === undefined) this.#report.loss("annotations of elements that are not there");
      else list(element, "annotations").push(annotation);
    }
    return {
      ...this.#document,
      creationInfo: this.#creation,
      packages: this.#packages,
      files: this.#files,
      hasExtractedLicensingInfos: this.#licences,
      relationships: this.#relationships,
    };
  }

  #begin(elements: Draft[], element: Draft): void {
    if (elements.length >= documentLimits.components) {
      throw sbomDocumentErrors.make(
        "SBOM_DOCUMENT_TOO_LARGE",
        `expected at most ${documentLimits.components} elements`,
      );
    }
    elements.push(element);
    this.#element = element;
  }

  #describe(tag: string, value: string, line: number): void {
    const member = Object.hasOwn(packageTags, tag) ? packageTags[tag] : undefined;
    const note = Object.hasOwn(annotationTags, tag) ? annotationTags[tag] : undefined;
    if (tag === "SPDXREF" || note !== undefined) {
      const annotation = this.#annotations.at(-1);
      if (annotation === undefined) throw wrong(line, `an Annotator before ${tag}`, value);
      annotation[note ?? "SPDXREF"] = value;
    } else if (member !== undefined) this.#element[member] = value;
    else if (tag === "PackageChecksum" || tag === "FileChecksum") this.#checksum(value, line);
    else if (tag === "ExternalRef") this.#reference(value, line);
    else if (tag === "ExtractedText") this.#element["extractedText"] = value;
    else if (tag === "LicenseName") this.#element["name"] = value;
    else if (!passed.has(tag)) this.#report.loss(`tag ${tag}`);
  }

  #checksum(value: string, line: number): void {
    const [, algorithm, checksumValue] = /^([A-Za-z0-9-]{1,32}):[ \t]*(\S+)$/.exec(value) ?? [];
    if (algorithm === undefined) throw wrong(line, "ALGORITHM: VALUE", value);
    list(this.#element, "checksums").push({ algorithm, checksumValue });
  }

  #reference(value: string, line: number): void {
    const [, referenceCategory, referenceType, referenceLocator] = /^(\S+)[ \t]+(\S+)[ \t]+(\S+)$/.exec(value) ?? [];
    if (referenceCategory === undefined) throw wrong(line, "CATEGORY TYPE LOCATOR", value);
    list(this.#element, "externalRefs").push({ referenceCategory, referenceType, referenceLocator });
  }

  #relate(value: string, line: number): void {
    const [, spdxElementId, relationshipType, relatedSpdxElement] = /^(\S+)[ \t]+(\S+)[ \t]+(\S+)$/.exec(value) ?? [];
    if (spdxElementId === undefined) throw wrong(line, "ELEMENT RELATIONSHIP ELEMENT", value);
    this.#relationships.push({ spdxElementId, relationshipType, relatedSpdxElement });
  }
}

function list(element: Draft, name: string): unknown[] {
  const found = element[name] as unknown[] | undefined;
  if (found !== undefined) return found;
  const made: unknown[] = [];
  element[name] = made;
  return made;
}

function wrong(line: number, expected: string, found: string) {
  return sbomDocumentErrors.make(
    "SBOM_DOCUMENT_MALFORMED",
    `line ${line}: expected ${expected}, found ${JSON.stringify(found.slice(0, 80))}`,
  );
}
