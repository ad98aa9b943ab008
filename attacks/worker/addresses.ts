/** Errno values that attacks on the network end in. */
export const errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  ENETUNREACH: 101,
  ECONNREFUSED: 111,
};

/** Perl that tries one address and prints `reached` or the errno. */
export const tryAddress = (family: number, type: number, address: string): string =>
  `$! = 0; socket(T, ${family}, ${type}, 0) && connect(T, ${address}) && (${type} == 1 || send(T, "x", 0) && (sysread(T, $b, 1), !$!)) ? print "reached\\n" : print $! + 0, "\\n";`;
/** Perl for a socket address of IPv4, and of IPv6 in hex. */
export const inet = (ip: string, port: number): string => `pack("S n C4 x8", 2, ${port}, ${ip.split(".").join(", ")})`;
export const inet6 = (hex: string, port: number): string => `pack("S n x4 H32 x4", 10, ${port}, "${hex}")`;
