import { defineErrors } from "@touchmark/core";

/** Error codes of reading OCI documents and names. What a registry or a client sends is untrusted, and refused by name. */
export const ociErrors = defineErrors({
  OCI_MALFORMED: { nature: "refused", meaning: "A document is not JSON in UTF-8, or lacks the shape of its kind." },
  OCI_TOO_LARGE: {
    nature: "refused",
    meaning: "A manifest is larger than 4 MiB, an image configuration or list of referrers larger than 8 MiB.",
  },
  OCI_TOO_DEEP: { nature: "refused", meaning: "A document is nested deeper than 32 levels." },
  OCI_DUPLICATE_KEY: {
    nature: "refused",
    meaning: "An object of a document names one key twice, also in another case: readers would not agree on it.",
  },
  OCI_TOO_MANY_LAYERS: { nature: "refused", meaning: "An image manifest has more than 1,000 layers." },
  OCI_TOO_MANY_MANIFESTS: { nature: "refused", meaning: "An image index has more than 1,000 manifests." },
  OCI_MEDIA_TYPE_MISMATCH: {
    nature: "refused",
    meaning: "A manifest says another media type than the one that it was sent or announced with.",
  },
  OCI_MEDIA_TYPE_INVALID: { nature: "refused", meaning: "A media type is not `type/subtype` as RFC 6838 spells it." },
  OCI_MEDIA_TYPE_UNSUPPORTED: {
    nature: "refused",
    meaning: "A manifest's media type is neither of OCI image manifest and index nor of Docker's schema 2.",
  },
  OCI_SCHEMA_1_REFUSED: {
    nature: "refused",
    meaning: "A manifest is of Docker's schema 1, whose content cannot be verified by digest.",
    hint: "Push the image again with a current client.",
  },
  OCI_KIND_AMBIGUOUS: {
    nature: "refused",
    meaning: "A manifest has members of an image manifest and of an image index: readers would not agree on it.",
  },
  OCI_DESCRIPTOR_MALFORMED: {
    nature: "refused",
    meaning: "A descriptor lacks a member, or has one of the wrong type.",
  },
  OCI_DESCRIPTOR_DATA: {
    nature: "refused",
    meaning: "The content embedded in a descriptor does not have the descriptor's size and digest.",
  },
  OCI_SIZE_INVALID: { nature: "refused", meaning: "A descriptor's size is not a whole number from 0 to 2^53 - 1." },
  OCI_ANNOTATIONS_INVALID: {
    nature: "refused",
    meaning: "Annotations or labels are not an object of strings with names.",
  },
  OCI_DIGEST_MALFORMED: { nature: "refused", meaning: "A digest is not spelled as its algorithm has it." },
  OCI_DIGEST_UNSUPPORTED: { nature: "refused", meaning: "A digest is of another algorithm than sha256." },
  OCI_FOREIGN_CONTENT: {
    nature: "refused",
    meaning: "A descriptor sends readers to other addresses, or says that its content must not be distributed.",
    hint: "Copy the image with its foreign layers turned into ordinary ones.",
  },
  OCI_CONFIG_MALFORMED: { nature: "refused", meaning: "An image configuration lacks a member, or has a wrong one." },
  OCI_CONFIG_LAYERS: {
    nature: "refused",
    meaning: "An image configuration names another number of layers than its manifest, or than its history.",
  },
  OCI_CONFIG_PLATFORM: {
    nature: "refused",
    meaning: "An image configuration is for another platform than the one that it was chosen for.",
  },
  OCI_PLATFORM_MALFORMED: { nature: "refused", meaning: "A platform is not `os/architecture[/variant]`." },
  OCI_PLATFORM_MISSING: { nature: "refused", meaning: "An image index has no manifest for the platform." },
  OCI_NAME_EMPTY: { nature: "invalid", meaning: "A repository name, or a part of it between slashes, is empty." },
  OCI_NAME_TOO_LONG: { nature: "invalid", meaning: "A repository name has more than 255 characters." },
  OCI_NAME_UPPERCASE: { nature: "invalid", meaning: "A repository name has an upper-case letter." },
  OCI_NAME_TRAVERSAL: { nature: "invalid", meaning: "A part of a repository name is `.` or `..`." },
  OCI_NAME_CHARACTER: {
    nature: "invalid",
    meaning: "A repository name has a character other than a-z, 0-9, `.`, `_`, `-` and `/`.",
  },
  OCI_NAME_SEPARATOR: {
    nature: "invalid",
    meaning: "A part of a repository name begins or ends with a separator, or has separators that do not go together.",
  },
  OCI_TAG_INVALID: { nature: "invalid", meaning: "A tag is empty, or has a character that tags do not have there." },
  OCI_TAG_TOO_LONG: { nature: "invalid", meaning: "A tag has more than 128 characters." },
  OCI_TAG_LIKE_DIGEST: {
    nature: "invalid",
    meaning: "A tag is spelled like a digest, or like its hexadecimal digits.",
    hint: "Write a digest as NAME@sha256:DIGITS.",
  },
  OCI_REFERENCE_MALFORMED: {
    nature: "invalid",
    meaning: "Text is not one reference `HOST[:PORT]/NAME[:TAG][@DIGEST]`.",
  },
  OCI_REFERENCE_REGISTRY: {
    nature: "invalid",
    meaning: "A reference begins with no host name or address of a registry, or with a port that is none.",
    hint: "Write the registry's host in front: there is no default registry.",
  },
});
