import { defineErrors } from "@touchmark/core";

/** Error codes of the source package. */
export const sourceErrors = defineErrors({
  SOURCE_LOCATION_INVALID: {
    nature: "invalid",
    meaning: "A source location is not a path, or a file, https or ssh URL that stands for itself.",
    hint: "Give a path, file:///path, https://host/path, ssh://user@host/path or user@host:path.",
  },
  SOURCE_TRANSPORT_REFUSED: {
    nature: "refused",
    meaning: "A source location asks for a transport that is not file, https or ssh (for example ext:: or http).",
  },
  SOURCE_NOT_A_REPOSITORY: { nature: "invalid", meaning: "There is no git repository at a local location." },
  SOURCE_REPOSITORY_UNSUPPORTED: {
    nature: "invalid",
    meaning: "A local repository keeps its references in a form that is not read here (for example reftable).",
    hint: "Name the revision by its full commit id.",
  },
  SOURCE_REVISION_INVALID: {
    nature: "invalid",
    meaning: "A revision is not a branch, tag, reference or commit id (it begins with a dash, holds `..`, …).",
  },
  SOURCE_REVISION_ABBREVIATED: {
    nature: "invalid",
    meaning: "A revision is the beginning of an object id. Others can make objects that begin alike.",
    hint: "Give the full commit id: git rev-parse REVISION",
  },
  SOURCE_REVISION_UNKNOWN: {
    nature: "invalid",
    meaning: "The repository has no such branch, tag, reference or commit.",
  },
  SOURCE_REVISION_AMBIGUOUS: {
    nature: "refused",
    meaning: "A name is that of several references that lead to different commits.",
    hint: "Name one in full: refs/heads/NAME or refs/tags/NAME.",
  },
  SOURCE_REVISION_MOVED: {
    nature: "refused",
    meaning: "A revision leads to another commit than the caller expects: a branch or tag was moved.",
  },
  SOURCE_NOT_A_COMMIT: { nature: "invalid", meaning: "A revision names a tree or a file instead of a commit." },
  SOURCE_COMMIT_MALFORMED: { nature: "refused", meaning: "A commit or tag object does not follow git's format." },
  SOURCE_TREE_MALFORMED: {
    nature: "refused",
    meaning: "A tree object does not follow git's format: unsorted, a name twice, or cut off.",
  },
  SOURCE_OBJECT_MISSING: { nature: "refused", meaning: "The repository lacks an object that the commit needs." },
  SOURCE_OBJECT_CORRUPT: {
    nature: "refused",
    meaning: "An object's bytes do not have the id under which the repository holds it.",
  },
  SOURCE_MODE_REFUSED: {
    nature: "refused",
    meaning: "An entry's mode is not that of a file, an executable, a link, a directory or a submodule.",
  },
  SOURCE_PATH_UNSAFE: {
    nature: "refused",
    meaning: "A name in a tree is empty, `.`, `..`, or holds a slash, a backslash or a control character.",
  },
  SOURCE_PATH_ENCODING: { nature: "refused", meaning: "A name in a tree is not UTF-8." },
  SOURCE_PATH_DOTGIT: {
    nature: "refused",
    meaning: "A name in a tree is `.git`, or is read as `.git` by some file system.",
  },
  SOURCE_PATH_COLLISION: {
    nature: "refused",
    meaning: "Two names in one directory differ only in case or in Unicode form: elsewhere one replaces the other.",
  },
  SOURCE_LINK_OUTSIDE: {
    nature: "refused",
    meaning: "A symbolic link is absolute, leads out of the tree, or is no usable link.",
  },
  SOURCE_TOO_MANY_FILES: { nature: "refused", meaning: "A tree holds more entries than the limit." },
  SOURCE_TOO_LARGE: {
    nature: "refused",
    meaning: "A file, or all files of a tree together, are larger than the limit.",
  },
  SOURCE_TOO_DEEP: { nature: "refused", meaning: "A path of a tree is longer or deeper than the limit." },
  SOURCE_SUBMODULE_UNDECLARED: {
    nature: "refused",
    meaning: "A tree pins a submodule, and the pipeline file does not declare submodules.",
    hint: "Write `source: { submodules: true }` in touchmark.yaml.",
  },
  SOURCE_SUBMODULE_UNSAFE: {
    nature: "refused",
    meaning: "`.gitmodules` is no plain file, or has no usable location for a pinned submodule.",
  },
  SOURCE_LFS_UNDECLARED: {
    nature: "refused",
    meaning: "A file is a Git LFS pointer, and the pipeline file does not declare LFS.",
    hint: "Write `source: { lfs: true }` in touchmark.yaml.",
  },
  SOURCE_LFS_UNAVAILABLE: {
    nature: "unavailable",
    meaning: "The content of a Git LFS pointer is not there.",
    hint: "Run `git lfs fetch` in the local repository.",
  },
  SOURCE_LFS_CORRUPT: {
    nature: "refused",
    meaning: "Git LFS content does not have the digest and size of its pointer.",
  },
  SOURCE_DIRECTORY_NOT_EMPTY: { nature: "invalid", meaning: "The directory to fill is missing or not empty." },
  SOURCE_FILE_UNKNOWN: { nature: "invalid", meaning: "The commit has no file at a path." },
  SOURCE_WORKING_TREE_CHANGED: {
    nature: "refused",
    meaning: "The working tree holds changes that no commit has; they would not be part of the build.",
    hint: "Commit them, or build them as they are with --insecure-working-tree, which the provenance records.",
  },
  SOURCE_UNREACHABLE: { nature: "unavailable", meaning: "A remote repository did not answer, or refused access." },
  SOURCE_GIT_MISSING: {
    nature: "unavailable",
    meaning: "The program git is not installed.",
    hint: "Install git 2.29 or newer.",
  },
  SOURCE_GIT_FAILED: { nature: "unavailable", meaning: "git ended in an unexpected way." },
  SOURCE_SIGNERS_MALFORMED: {
    nature: "invalid",
    meaning: "An allowed-signers file has a line that cannot be read.",
  },
});
