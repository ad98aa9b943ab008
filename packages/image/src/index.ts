export { type AssembledImage, assembleImage, type ImagePlaces } from "./assemble/assemble-image.ts";
export { type Compressor, compressorOf } from "./assemble/compressor.ts";
export { type ImageDocuments, readImage } from "./assemble/image-base.ts";
export { ImageFiles } from "./assemble/image-files.ts";
export { assembleIndex } from "./assemble/image-index.ts";
export { type ImageLayerSpec, type ImageSpec, RUN_LABEL } from "./assemble/image-spec.ts";
export type { ContentInspector } from "./assemble/layer-blocks.ts";
export type {
  BaseDirectory,
  BaseView,
  DirectoryPart,
  EmptyDirectoryPart,
  FilePart,
  LayerModes,
  LayerPart,
  LayerSource,
  SymlinkPart,
  TreePart,
  WhiteoutPart,
} from "./assemble/layer-part.ts";
export { type ImageAllowance, pathFault } from "./assemble/run-image-rules.ts";
export { secretIn, secretInspector } from "./assemble/secret-rules.ts";
export {
  LAYER_COMPRESSOR,
  LAYER_FORMAT,
  type LayerOptions,
  type WrittenLayer,
  writeLayer,
} from "./assemble/write-layer.ts";
export { type Cause, causeOrder } from "./compare/cause.ts";
export {
  type ComparedImage,
  type CompareOptions,
  compareImages,
  type ImageDifference,
  type LayerDifference,
  type PlatformDifference,
  type Verdict,
} from "./compare/compare-images.ts";
export { type ContentDifference, compareContent } from "./compare/content.ts";
export type { FieldDifference, FileDifference } from "./compare/file-facts.ts";
export type { MemberDifference } from "./compare/json-members.ts";
export { checkRebase, findRecordedBase, type RebaseCheck, type RecordedBase, recordedBase } from "./compare/rebase.ts";
export { imageErrors } from "./errors.ts";
export { openDockerArchive } from "./layout/docker-archive.ts";
export type { LocalImages, WritableImages } from "./layout/local-images.ts";
export { memoryImages } from "./layout/memory-images.ts";
export { openLayout } from "./layout/open-layout.ts";
export { type DockerArchiveOptions, writeDockerArchive } from "./layout/write-docker-archive.ts";
export {
  type EnsureOptions,
  type LeasedRootfs,
  openRootfsStore,
  type RootfsPruneOptions,
  type RootfsPruneReport,
  type RootfsStore,
  type RootfsStoreOptions,
  type StoredRootfs,
} from "./rootfs/rootfs-store.ts";
export type { Rootfs, RootfsVerification } from "./rootfs.ts";
export { slimErrors } from "./slim/errors.ts";
export { type RemovedPath, SLIMMED_FROM, type SlimmedImage, type SlimRequest, slimImage } from "./slim/slim-image.ts";
export type { SlimRules } from "./slim/slim-plan.ts";
export type { TreeRules } from "./unpack/image-tree.ts";
export { type ReadLayerOptions, streamLayer } from "./unpack/layer.ts";
export type { UnpackLosses, UnpackPolicy } from "./unpack/layer-applier.ts";
export type {
  LayerEntry,
  LayerEntryKind,
  LayerFacts,
  LayerHeader,
  SparsePiece,
  Whiteout,
} from "./unpack/layer-entry.ts";
export { type UnpackLimits, unpackLimits } from "./unpack/limits.ts";
export type { Owner } from "./unpack/tree-disk.ts";
export type { ListedEntry, TreeListing } from "./unpack/tree-listing.ts";
export {
  hostPlatform,
  type UnpackedLayer,
  type UnpackOptions,
  type UnpackReport,
  unpackImage,
} from "./unpack/unpack-image.ts";
