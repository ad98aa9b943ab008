/** How a program or library of a runtime tells its version. */
export interface WellKnownProgram {
  /** Name of the product: that of the component. */
  readonly name: string;
  /** Names of files that are looked into. A first group is the part of the version that the name tells. */
  readonly file: RegExp;
  /** The version as first group, in the bytes read as Latin-1; `%` stands for what the name tells, if it does. */
  readonly version: string;
  /** Vendor and product of its CPE name: a hint. */
  readonly cpe: readonly [vendor: string, product: string];
}

/**
 * The runtimes and servers that are known by text in their binaries. What makes a row: it is widely copied into images
 * without a package manager, and its text has been stable over the releases that are in use.
 */
export const wellKnownPrograms: readonly WellKnownProgram[] = [
  {
    name: "node",
    file: /^(?:node|nodejs|libnode\.so(?:\.\d+)*)$/,
    version: "node\\.js/v(\\d+\\.\\d+\\.\\d+)",
    cpe: ["nodejs", "node.js"],
  },
  {
    name: "python",
    file: /^(?:python|libpython)(\d\.\d+)[a-z]*(?:\.so(?:\.\d+)*)?$/,
    version: "\\0(%\\.\\d+(?:(?:a|b|rc)\\d+)?)\\+?\\0",
    cpe: ["python", "python"],
  },
  {
    name: "busybox",
    file: /^busybox(?:[.-].*)?$/,
    version: "BusyBox v(\\d+\\.\\d+\\.\\d+)",
    cpe: ["busybox", "busybox"],
  },
  {
    name: "openssl",
    file: /^(?:openssl|lib(?:crypto|ssl)\.so(?:\..*)?)$/,
    version: "\\0OpenSSL (\\d+\\.\\d+\\.\\d+[a-z]{0,2}(?:-[a-z0-9]+)?) +\\d{1,2} [A-Z][a-z]{2} \\d{4}\\0",
    cpe: ["openssl", "openssl"],
  },
  {
    name: "nginx",
    file: /^nginx(?:-debug)?$/,
    version: "nginx version: nginx/(\\d+\\.\\d+\\.\\d+)",
    cpe: ["f5", "nginx"],
  },
  {
    // The build's name: version, host (letters, not to be taken for digits of the version), time, state and commit.
    name: "redis",
    file: /^redis-(?:server|sentinel|check-rdb|check-aof)$/,
    version: "[^\\d.](\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}?)(?:[a-z]{4}[a-z0-9.-]{0,64}-)?\\d{10}(?:0{9})?\\d[0-9a-f]{8}\\0",
    cpe: ["redis", "redis"],
  },
  {
    name: "php",
    file: /^(?:php|php-fpm|php-cgi|phpdbg|libphp)[\d.]*(?:\.so)?$/,
    version: "PHP/(\\d+\\.\\d+\\.\\d+(?:(?:alpha|beta|RC)\\d+)?)",
    cpe: ["php", "php"],
  },
  {
    name: "perl",
    file: /^(?:perl[\d.]*|libperl\.so(?:\.[\d.]+)?)$/,
    version: "\\0v(5\\.\\d+\\.\\d+)\\0",
    cpe: ["perl", "perl"],
  },
  {
    name: "ruby",
    file: /^(?:ruby[\d.]*|libruby[\d.-]*\.so(?:\.[\d.]+)?)$/,
    version: "\\0ruby (\\d+\\.\\d+\\.\\d+)(?:p\\d+|preview\\d+|rc\\d+|dev)? \\(",
    cpe: ["ruby-lang", "ruby"],
  },
  {
    name: "bash",
    file: /^(?:bash|rbash)$/,
    version: "@\\(#\\)Bash version (\\d+\\.\\d+(?:\\.\\d+)?)\\(",
    cpe: ["gnu", "bash"],
  },
  {
    name: "curl",
    file: /^(?:curl|libcurl(?:-gnutls)?\.so(?:\..*)?)$/,
    version: "\\0(?:curl |curl/|libcurl/)(\\d+\\.\\d+\\.\\d+)",
    cpe: ["haxx", "curl"],
  },
  {
    name: "postgresql",
    file: /^postgres$/,
    version: "\\(PostgreSQL\\) (\\d+(?:\\.\\d+){1,2}|\\d+(?:beta|rc)\\d+)",
    cpe: ["postgresql", "postgresql"],
  },
  {
    name: "haproxy",
    file: /^haproxy$/,
    version: "\\0(\\d+\\.\\d+\\.\\d+)(?:-[0-9A-Za-z.+~-]{1,60})?\\0",
    cpe: ["haproxy", "haproxy"],
  },
  {
    name: "memcached",
    file: /^memcached$/,
    version: "\\0memcached (\\d+\\.\\d+\\.\\d+)\\0",
    cpe: ["memcached", "memcached"],
  },
  {
    name: "httpd",
    file: /^(?:httpd|apache2)$/,
    version: "\\0Apache/(\\d+\\.\\d+\\.\\d+)",
    cpe: ["apache", "http_server"],
  },
  {
    name: "mariadb",
    file: /^(?:mariadbd|mysqld)$/,
    version: "\\0(\\d+\\.\\d+\\.\\d+)-MariaDB",
    cpe: ["mariadb", "mariadb"],
  },
];

/** The product that a file name may be of, with the expression that finds its version. */
export function wellKnownProgram(name: string): { program: WellKnownProgram; version: RegExp } | undefined {
  for (const program of wellKnownPrograms) {
    const match = program.file.exec(name);
    if (match === null) continue;
    return { program, version: new RegExp(program.version.replace("%", (match[1] ?? "").replaceAll(".", "\\.")), "s") };
  }
  return undefined;
}
