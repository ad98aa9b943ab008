import { defineErrors } from "@touchmark/core";

/** Error codes of assembling, keeping and comparing images. */
export const imageErrors = defineErrors({
  IMAGE_LAYOUT_INVALID: {
    nature: "invalid",
    meaning: "The directory is no OCI image layout 1.0.0: a file of it is missing, malformed, or too large.",
  },
  IMAGE_ARCHIVE_INVALID: {
    nature: "invalid",
    meaning: "The file is no docker archive: no tar, truncated, without manifest.json, or with names that lead astray.",
  },
  IMAGE_MANIFEST_MISSING: { nature: "invalid", meaning: "There is no manifest of that tag or digest." },
  IMAGE_REFERENCE_AMBIGUOUS: {
    nature: "invalid",
    meaning: "A place holds several images, and none was chosen.",
    hint: "Name a tag or a digest.",
  },
  IMAGE_BLOB_MISSING: { nature: "invalid", meaning: "A blob that a manifest names is not there." },
  IMAGE_BLOB_CORRUPT: { nature: "refused", meaning: "Content that was read does not have its digest or size." },
  IMAGE_BLOB_MISMATCH: {
    nature: "refused",
    meaning:
      "Content to be written does not have the digest or size that it was announced with; nothing of it is kept.",
  },
  IMAGE_TARGET_EXISTS: { nature: "invalid", meaning: "A file that would be written is there already." },
  IMAGE_LAYER_SOURCE: {
    nature: "invalid",
    meaning: "What a layer should hold is not there, or is a file where a directory is needed or the reverse.",
  },
  IMAGE_LAYER_PATH: {
    nature: "invalid",
    meaning: "A path in an image is not absolute and normalised, or a name is not printable UTF-8.",
  },
  IMAGE_LAYER_CONFLICT: {
    nature: "invalid",
    meaning:
      "Two sources put different things at one path of a layer, or one puts something below what is no directory.",
  },
  IMAGE_LAYER_CHANGED: { nature: "refused", meaning: "A file changed while it was written to a layer." },
  IMAGE_LAYER_TOO_LARGE: { nature: "refused", meaning: "A layer holds more entries or bytes than the limit." },
  IMAGE_SPECIAL_FILE: {
    nature: "refused",
    meaning: "A layer would hold a device, socket, FIFO or other thing that is no file, directory or link.",
  },
  IMAGE_SETUID: {
    nature: "refused",
    meaning: "A layer would hold a file with the setuid or setgid bit, or with file capabilities.",
    hint: "Strip the bits: a program in a container needs none of them.",
  },
  IMAGE_XATTR_REFUSED: {
    nature: "refused",
    meaning: "A layer would hold an extended attribute that is not on the list of allowed ones.",
  },
  IMAGE_COMPILER_PRESENT: {
    nature: "refused",
    meaning: "A run image, or its base, holds compilers or build tools.",
    hint: "Take a run base apart from the build base, or allow compilers in the definition.",
  },
  IMAGE_CACHE_PRESENT: {
    nature: "refused",
    meaning: "A run image, or its base, holds caches of package managers.",
    hint: "Leave them out of the step's output, or allow caches in the definition.",
  },
  IMAGE_SECRET_FOUND: {
    nature: "refused",
    meaning: "An image would hold a private key, credentials, a token, or the history of a repository.",
    hint: "Take it out, and revoke it where it may have been seen. A file that is none can be allowed by its path.",
  },
  IMAGE_ROOT_USER: {
    nature: "refused",
    meaning: "An image would run as root, or as nobody knows whom.",
    hint: "Give a numeric user such as 1001:1001, or allow the root user in the definition.",
  },
  IMAGE_USER_UNKNOWN: {
    nature: "invalid",
    meaning: "The user of an image is neither a number nor a name in its /etc/passwd.",
  },
  IMAGE_CONFIG_INVALID: {
    nature: "invalid",
    meaning: "A port, variable, path, label or signal of an image's configuration is malformed.",
  },
  IMAGE_BASE_INVALID: {
    nature: "refused",
    meaning: "The base is no image that can be built upon: an artifact, an index, or with layers of another kind.",
  },
  IMAGE_PLATFORM_MISMATCH: {
    nature: "refused",
    meaning: "The base, or an image of an index, is for another platform than the one wanted, or stands there twice.",
  },
});
