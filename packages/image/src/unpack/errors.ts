import { defineErrors } from "@touchmark/core";

/** Error codes of reading layers and unpacking images: one for each refusal (SPEC X). */
export const unpackErrors = defineErrors({
  UNPACK_PATH_ABSOLUTE: { nature: "refused", meaning: "An entry of a layer has an absolute path." },
  UNPACK_PATH_OUTSIDE: { nature: "refused", meaning: "An entry of a layer has `..` in its path." },
  UNPACK_PATH_ROOT: { nature: "refused", meaning: "An entry of a layer would replace the root by something else." },
  UNPACK_PATH_TOO_LONG: { nature: "refused", meaning: "A path in a layer is longer than the limit." },
  UNPACK_PATH_TOO_DEEP: { nature: "refused", meaning: "A path in a layer has more parts than the limit." },
  UNPACK_NAME_INVALID: {
    nature: "refused",
    meaning: "A name in a layer is empty, not UTF-8, holds control characters, or ends like a directory's and is none.",
  },
  UNPACK_NAME_TOO_LONG: { nature: "refused", meaning: "One part of a path in a layer is longer than 255 bytes." },
  UNPACK_NAME_COLLIDES: {
    nature: "refused",
    meaning:
      "Two names in one directory are the same by Unicode (or, where asked, but for their case), and not by bytes.",
  },
  UNPACK_ENTRY_TWICE: {
    nature: "refused",
    meaning: "A layer has a path twice; readers disagree about which one counts.",
  },
  UNPACK_ENTRY_KIND: { nature: "refused", meaning: "A layer has an entry of an unknown type." },
  UNPACK_PARENT_NOT_DIRECTORY: { nature: "refused", meaning: "An entry of a layer lies below a file." },
  UNPACK_LINK_FOLLOWED: {
    nature: "refused",
    meaning: "A path or a hard link of a layer leads through a symbolic link.",
  },
  UNPACK_LINK_OUTSIDE: { nature: "refused", meaning: "A hard link of a layer is absolute or has `..` in its target." },
  UNPACK_LINK_DANGLING: {
    nature: "refused",
    meaning: "A hard link of a layer leads to what is not there (yet), or to itself.",
  },
  UNPACK_LINK_KIND: { nature: "refused", meaning: "A hard link of a layer leads to something other than a file." },
  UNPACK_LINK_INVALID: {
    nature: "refused",
    meaning: "The target of a link is empty, too long, not UTF-8, or holds a NUL byte.",
  },
  UNPACK_WHITEOUT_INVALID: {
    nature: "refused",
    meaning: "An entry of a layer bears the mark of a whiteout, and is none that the image specification knows.",
  },
  UNPACK_WHITEOUT_ROOT: { nature: "refused", meaning: "A layer wipes out the whole tree below it." },
  UNPACK_DEVICE: {
    nature: "refused",
    meaning: "A layer holds a device or FIFO, and the caller wants none.",
    hint: "Skip them: what is skipped is listed.",
  },
  UNPACK_SETUID: { nature: "refused", meaning: "A layer holds a setuid or setgid file, and the caller wants none." },
  UNPACK_XATTR: {
    nature: "refused",
    meaning: "A layer holds an extended attribute outside the allow-list, and the caller wants none.",
  },
  UNPACK_HEADER_BAD: { nature: "refused", meaning: "A header of a layer is not one of a tar archive." },
  UNPACK_HEADER_CHECKSUM: { nature: "refused", meaning: "A header of a layer has a wrong checksum." },
  UNPACK_HEADER_CONFLICT: {
    nature: "refused",
    meaning: "Headers of one entry contradict each other, so that two readers would see two archives.",
  },
  UNPACK_HEADER_TOO_LARGE: { nature: "refused", meaning: "A pax header or GNU long name is larger than the limit." },
  UNPACK_NUMBER_NEGATIVE: { nature: "refused", meaning: "A header of a layer has a negative size, mode or owner." },
  UNPACK_SPARSE_INVALID: {
    nature: "refused",
    meaning: "The map of a sparse file is malformed, or contradicts its size.",
  },
  UNPACK_TRUNCATED: { nature: "refused", meaning: "A layer ends within an entry or within its compression." },
  UNPACK_TRAILING_BYTES: { nature: "refused", meaning: "Bytes follow the end of a layer's archive or compression." },
  UNPACK_TOO_MANY_ENTRIES: { nature: "refused", meaning: "An image has more entries than the limit." },
  UNPACK_TOO_MANY_LAYERS: { nature: "refused", meaning: "An image has more layers than the limit." },
  UNPACK_TOO_LARGE: { nature: "refused", meaning: "An image unpacks to more bytes than the limit." },
  UNPACK_FILE_TOO_LARGE: {
    nature: "refused",
    meaning: "A file of a layer is larger than the limit, by apparent size.",
  },
  UNPACK_RATIO: { nature: "refused", meaning: "A layer unpacks to many times its packed size: a bomb." },
  UNPACK_LAYER_TYPE: { nature: "refused", meaning: "A layer has a media type that is no file system's." },
  UNPACK_LAYER_FOREIGN: {
    nature: "refused",
    meaning: "A layer is to be fetched from elsewhere: a foreign type, or addresses in its descriptor.",
  },
  UNPACK_COMPRESSION_MISMATCH: {
    nature: "refused",
    meaning: "The first bytes of a layer are not of the compression that its media type names.",
  },
  UNPACK_COMPRESSION_INVALID: { nature: "refused", meaning: "The compression of a layer is damaged." },
  UNPACK_DIFF_ID: {
    nature: "refused",
    meaning: "A layer does not unpack to the content that the image's configuration names.",
  },
  UNPACK_NOT_AN_IMAGE: { nature: "refused", meaning: "A manifest is not of an image with a configuration and layers." },
  UNPACK_DIRECTORY_USED: {
    nature: "invalid",
    meaning: "The directory to unpack into holds something, or is none.",
    hint: "Name an empty directory, or one that does not exist.",
  },
});
