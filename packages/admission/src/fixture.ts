export { testAuthority } from "./server/authority.fixture.ts";
export { type Cluster, startCluster } from "./server/cluster.fixture.ts";
