export type { Rootfs, RootfsVerification } from "./rootfs.ts";
