import { BlockList, isIP } from "node:net";

/** Addresses that no public host has (RFC 6890 and the registries that follow it). */
const reserved = new BlockList();
for (const net of [
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24",
  "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4",
].flatMap((line) => line.split(" "))) {
  const [address = "", bits] = net.split("/");
  reserved.addSubnet(address, Number(bits), "ipv4");
}
/** Of IPv6 only 2000::/3 is given out; within it these are not for hosts of the public network. */
const globalV6 = new BlockList();
globalV6.addSubnet("2000::", 3, "ipv6");
const reservedV6 = new BlockList();
reservedV6.addSubnet("2001::", 23, "ipv6");
reservedV6.addSubnet("2001:db8::", 32, "ipv6");
reservedV6.addSubnet("3fff::", 20, "ipv6");

/** True for an address of no public host, and for what is no address. IPv6 forms of IPv4 addresses are judged by those. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return reserved.check(address, "ipv4");
  if (family !== 6 || address.includes("%")) return true;
  const embedded = embeddedAddress(address);
  if (embedded !== undefined) return reserved.check(embedded, "ipv4");
  return !globalV6.check(address, "ipv6") || reservedV6.check(address, "ipv6");
}

/** The IPv4 address in a mapped, NAT64 or 6to4 address. */
function embeddedAddress(address: string): string | undefined {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const tail = /^(?:::ffff|64:ff9b:):([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  const start = /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4}):/.exec(canonical);
  const [, high, low] = tail ?? start ?? [];
  if (high === undefined || low === undefined) return undefined;
  const number = Number.parseInt(high, 16) * 65536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

/** Host of an address without the brackets of IPv6. */
export const bareHost = (host: string): string =>
  host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;

/** True for names and addresses of this host itself. */
export function isLoopbackHost(host: string): boolean {
  const bare = bareHost(host.toLowerCase());
  return bare === "localhost" || bare.endsWith(".localhost") || bare === "::1" || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** True when a host is private by its very name; names are judged when they are resolved. */
export const isPrivateHost = (host: string): boolean =>
  isLoopbackHost(host) || (isIP(bareHost(host)) !== 0 && isPrivateAddress(bareHost(host)));
