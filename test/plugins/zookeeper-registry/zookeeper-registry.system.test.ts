import { ZooKeeperStore } from "../../../plugins/zookeeper-registry/zookeeper-store.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../../sdk/contracts/system-random.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { OPEN_ACCESS, parseZooKeeperUrl, ZooKeeperClient } from "../../../sdk/zookeeper/index.js";
import { sharedRegistryTests } from "../../support/shared-registry-tests.js";
import { type Ensemble, requireZooKeeper, startEnsemble } from "../../support/zookeeper-ensemble.js";

describe("the registry in ZooKeeper", function () {
  this.timeout(60_000);
  let ensemble: Ensemble;
  let clients: ZooKeeperClient[] = [];

  before(async function () {
    requireZooKeeper(this);
    ensemble = await startEnsemble(3);
  });
  after(() => ensemble?.stop());
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()));
    clients = [];
  });

  sharedRegistryTests({
    engine: "ZooKeeper",
    cluster: () => ensemble,
    connect: () => {
      const client = new ZooKeeperClient({
        ...parseZooKeeperUrl(`zk://${ensemble.servers}/x`),
        sessionTimeout: 4000,
        clock: new SystemClock(),
        random: new SystemRandom(),
        logger: new MemoryLogger(),
      });
      clients.push(client);
      client.start();
      return (path) => new ZooKeeperStore({ client, path, access: OPEN_ACCESS });
    },
  });
});
