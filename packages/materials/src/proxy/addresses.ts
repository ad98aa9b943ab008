import { BlockList, isIP } from "node:net";

/**
 * Addresses that no public host has (RFC 6890 and the registries that follow it): private, loopback, link-local, shared,
 * documentation, benchmarking, multicast, reserved. IPv6 forms that embed an IPv4 address are judged by that address.
 */
const reserved = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const) {
  reserved.addSubnet(net, bits, "ipv4");
}
/** Of IPv6 only 2000::/3 is given out; within it these are not for hosts of the public network. */
const reservedV6 = new BlockList();
for (const [net, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["3fff::", 20],
] as const) {
  reservedV6.addSubnet(net, bits, "ipv6");
}
const globalV6 = new BlockList();
globalV6.addSubnet("2000::", 3, "ipv6");

/** True for an address that only a configured upstream may have; for what is no address too. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return reserved.check(address, "ipv4");
  // A zone identifier belongs to a link-local address.
  if (family !== 6 || address.includes("%")) return true;
  const embedded = embeddedAddress(address);
  if (embedded !== undefined) return reserved.check(embedded, "ipv4");
  return !globalV6.check(address, "ipv6") || reservedV6.check(address, "ipv6");
}

/** The IPv4 address in a mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96) or 6to4 (2002::/16) address. */
function embeddedAddress(address: string): string | undefined {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const tail = /^(?:::ffff|64:ff9b:):([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  const start = /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4}):/.exec(canonical);
  const [, high, low] = tail ?? start ?? [];
  if (high === undefined || low === undefined) return undefined;
  const number = Number.parseInt(high, 16) * 65536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

/** True for names and addresses of this host itself. */
export const isLoopbackHost = (host: string): boolean =>
  host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
