import { defineErrors } from "@touchmark/core";

/** Error codes of sources. Those of single files and archives are losses of a scan, and end it only where said. */
export const sourceErrors = defineErrors({
  SBOM_SOURCE_MISSING: { nature: "invalid", meaning: "What is to be scanned is not there, or may not be read." },
  SBOM_SOURCE_KIND: {
    nature: "invalid",
    meaning: "What is to be scanned is another kind of thing: a file where a directory is expected, or a device.",
  },
  SBOM_SOURCE_TOO_MANY_FILES: {
    nature: "refused",
    meaning: "A source has more entries than the limit; the scan ends, for it would say too little.",
    hint: "raise the limit of entries, or scan a part of it",
  },
  SBOM_SOURCE_UNREADABLE: {
    nature: "unavailable",
    meaning: "A file or directory of a source could not be read: permissions, damage, or it went away meanwhile.",
  },
  SBOM_SOURCE_TOO_DEEP: { nature: "invalid", meaning: "Directories of a source lie deeper than the limit." },
  SBOM_SOURCE_TOO_LARGE: {
    nature: "invalid",
    meaning: "Files that catalogers need take more scratch space than the limit; those that came last are not read.",
  },
  SBOM_SOURCE_NAME: { nature: "invalid", meaning: "The name of a file is not UTF-8, or holds control characters." },
  SBOM_SOURCE_PSEUDO_FILES: {
    nature: "invalid",
    meaning: "A directory is a kernel's own file system (`proc`, `sys`, ...): it holds no software and is not read.",
  },
  SBOM_SOURCE_CATALOGER_FAILED: {
    nature: "bug",
    meaning: "A cataloger ended with an unexpected error; what it found is missing.",
  },
  SBOM_ARCHIVE_TOO_DEEP: { nature: "invalid", meaning: "Archives lie within archives deeper than the limit." },
  SBOM_ARCHIVE_TOO_LARGE: {
    nature: "invalid",
    meaning: "Archives unpack to more bytes than the limit; what comes behind is not read.",
  },
  SBOM_ARCHIVE_TOO_MANY_ENTRIES: { nature: "invalid", meaning: "Archives have more entries than the limit." },
  SBOM_ARCHIVE_COMPRESSION: {
    nature: "invalid",
    meaning: "An archive is compressed in a way that is not read here (bzip2, xz, ...).",
    hint: "unpack it and scan the directory",
  },
  SBOM_ARCHIVE_MALFORMED: { nature: "invalid", meaning: "An archive is damaged or truncated." },
  SBOM_ARCHIVE_NAME: {
    nature: "invalid",
    meaning: "An entry of an archive has a name that leads out of it, is empty, not UTF-8 or holds control characters.",
  },
});
