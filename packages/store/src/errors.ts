import { defineErrors } from "@touchmark/core";

/** Error codes of the store package. */
export const storeErrors = defineErrors({
  STORE_HOME_MISSING: {
    nature: "invalid",
    meaning: "There is no factory home at the given place.",
    hint: "Run `touchmark init` or `touchmark run` once, or set TOUCHMARK_HOME.",
  },
  STORE_HOME_FOREIGN: {
    nature: "invalid",
    meaning: "The directory given as home holds files and is not a factory home.",
    hint: "Name an empty directory, or one that Touchmark made.",
  },
  STORE_HOME_UNSAFE: {
    nature: "refused",
    meaning: "The home, or a directory in it, belongs to someone else or can be written by group or world.",
    hint: "chmod go-w the directory, and check who owns it.",
  },
  STORE_HOME_NEWER: {
    nature: "refused",
    meaning: "The home, or a backup of one, was written by a newer version than this one.",
    hint: "Use that version or a later one.",
  },
  STORE_LOCK_BUSY: {
    nature: "unavailable",
    meaning: "Another process holds a lock of the home for longer than the caller wants to wait.",
  },
  STORE_DISK_FULL: { nature: "unavailable", meaning: "The file system, or the quota on it, is full." },
  STORE_IO: { nature: "unavailable", meaning: "The operating system refused a read or write of the store." },
  STORE_BLOB_MISSING: { nature: "invalid", meaning: "The content store holds no blob of that digest." },
  STORE_BLOB_CORRUPT: {
    nature: "refused",
    meaning: "A stored blob no longer has the bytes of its digest, or is no plain file; it was quarantined.",
    hint: "Restore it from a backup, or run the pipeline again: the damaged bytes are in quarantine.",
  },
  STORE_BLOB_MISMATCH: {
    nature: "refused",
    meaning: "Content to be stored does not have the digest it was announced by.",
  },
  STORE_BLOB_TOO_LARGE: { nature: "refused", meaning: "A blob is larger than the reader's or writer's limit." },
  STORE_LAYOUT_INVALID: { nature: "refused", meaning: "The store directory is not an OCI image layout 1.0.0." },
  STORE_TREE_MISSING: { nature: "invalid", meaning: "The tree store holds no tree of that digest." },
  STORE_TREE_CORRUPT: {
    nature: "refused",
    meaning: "A stored tree no longer has the files of its digest; it was quarantined.",
    hint: "Run the step that made it again.",
  },
  STORE_TREE_CHANGED: { nature: "refused", meaning: "A file changed while its tree was being hashed." },
  STORE_TREE_SPECIAL_FILE: {
    nature: "refused",
    meaning: "A tree holds a device, socket, FIFO or other thing that is no file, directory or symbolic link.",
  },
  STORE_TREE_SETUID: { nature: "refused", meaning: "A tree holds a file with the setuid, setgid or sticky bit." },
  STORE_TREE_HARD_LINK: { nature: "refused", meaning: "A file of a tree has a hard link outside the tree." },
  STORE_TREE_LINK_ESCAPES: {
    nature: "refused",
    meaning: "A symbolic link of a tree is absolute or leads out of the tree.",
  },
  STORE_TREE_NAME_INVALID: { nature: "refused", meaning: "A name in a tree is not UTF-8 or holds control characters." },
  STORE_TREE_PATH_TOO_LONG: { nature: "refused", meaning: "A path in a tree is longer or deeper than the limit." },
  STORE_TREE_TOO_MANY: { nature: "refused", meaning: "A tree holds more entries than the limit." },
  STORE_TREE_TOO_LARGE: {
    nature: "refused",
    meaning: "A tree or a file in it is larger than the limit, by apparent size.",
  },
  STORE_RUN_MISSING: { nature: "invalid", meaning: "There is no record of a run of that id." },
  STORE_RUN_CORRUPT: { nature: "refused", meaning: "The record of a run is not what this program wrote." },
  STORE_RUN_LIVE: { nature: "unavailable", meaning: "The run is still going on in some process." },
  STORE_REGISTRY_UNREADABLE: {
    nature: "unavailable",
    meaning:
      "The registry's database cannot be read, so that nobody can say what content it needs; nothing is deleted.",
    hint: "Restore HOME/registry from a backup, or move it away when the registry is no longer wanted.",
  },
  STORE_BACKUP_EXISTS: { nature: "invalid", meaning: "The file to back up to exists already." },
  STORE_RESTORE_EXISTS: { nature: "invalid", meaning: "The directory to restore to exists and is not empty." },
  STORE_ARCHIVE_MALFORMED: {
    nature: "invalid",
    meaning: "A backup is not the plain ustar/pax archive that `backup` writes.",
  },
  STORE_ARCHIVE_PATH: {
    nature: "refused",
    meaning: "An entry of a backup has a path outside the home or outside its layout.",
  },
  STORE_ARCHIVE_ENTRY: {
    nature: "refused",
    meaning: "A backup holds a link, device or other entry where only a file may stand.",
  },
  STORE_ARCHIVE_DUPLICATE: { nature: "refused", meaning: "Two entries of a backup have one path." },
  STORE_ARCHIVE_TOO_LARGE: {
    nature: "refused",
    meaning: "A backup holds more bytes or entries than the limit or than its file.",
  },
  STORE_ARCHIVE_MISMATCH: {
    nature: "refused",
    meaning: "The files of a backup are not those of its manifest: one was altered, added or left out.",
  },
});
