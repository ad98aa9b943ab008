export { type ImagePlaces, imagePlaces } from "./image-places.ts";
export { readImagesConfiguration } from "./images-configuration.ts";
export { type OwnRegistry, openOwnRegistry } from "./own-registry.ts";
export { type PublishOptions, publishFromRun } from "./publish-run.ts";
