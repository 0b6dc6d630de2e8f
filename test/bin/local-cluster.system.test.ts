import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LocalCluster } from "../../bin/local-cluster.js";
import { getJson } from "../support/cluster.js";
import { freePort } from "../support/daemons.js";

describe("a local cluster", function () {
  this.timeout(60_000);
  const before = { ...process.env };
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tepui-local-"));
  });
  afterEach(async () => {
    process.env = { ...before };
    await rm(folder, { recursive: true, force: true });
  });

  const options = async () => ({
    ip: "127.0.0.1",
    masterPort: await freePort(),
    agentPorts: [await freePort()],
    grpcPort: await freePort(),
    masterFlags: ["--logging_level=ERROR"],
    agentFlags: ["--logging_level=ERROR"],
  });

  it("starts nothing where another daemon listens on one of its ports, and names them", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const refused = await LocalCluster.start({ ...(await options()), agentPorts: [port] }).catch(String);
      expect(refused).to.contain(`127.0.0.1:${port}: taken by another process`);
    } finally {
      server.close();
    }
  });

  it("stands alone on a host that is configured for another cluster", async () => {
    await mkdir(join(folder, "mesos-master"), { recursive: true });
    await mkdir(join(folder, "mesos"));
    await writeFile(join(folder, "mesos-master", "cluster"), "production\n");
    await writeFile(join(folder, "mesos", "zk"), "zk://127.0.0.1:1/mesos\n");
    Object.assign(process.env, { TEPUI_ETC: folder, MESOS_ZK: "zk://127.0.0.1:1/mesos", MESOS_QUORUM: "2" });
    const cluster = await LocalCluster.start(await options());
    try {
      const { flags } = (await getJson({ port: Number(cluster.master.split(":")[1]) }, "/flags")) as {
        flags: Record<string, string>;
      };
      expect(flags).to.not.have.any.keys("zk", "cluster", "quorum");
    } finally {
      await cluster.stop();
    }
  });
});
