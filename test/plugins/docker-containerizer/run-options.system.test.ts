import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { DockerContainerizer } from "../../../plugins/docker-containerizer/containerizer.js";
import {
  ContainerInfo_DockerInfo_Network as Network,
  type Resource,
  Resource_ReservationInfo_Type,
  RLimitInfo_RLimit_Type as RLimit,
  Value_Type,
  Volume_Mode,
  Volume_Source_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import { output } from "../../support/docker-daemon.js";
import { eventually } from "../../support/eventually.js";
import { type Ask, DockerBench, parameters, refusal } from "./support.js";

describe("what a Docker container is given", function () {
  this.timeout(60_000);
  let bench: DockerBench;
  let docker: DockerContainerizer;
  before(async function () {
    bench = await DockerBench.start(this);
    docker = await bench.containerizer();
    await bench.daemon.api("POST", "/networks/create", { Name: "lab", Driver: "bridge" });
  });
  after(() => bench?.stop());

  const get = (url: string) => output(bench.daemon.inNetwork(["curl", "-sS", "--max-time", "5", url]));
  const httpd: Ask = {
    command: { shell: false, value: "httpd", arguments: ["-f", "-p", "80", "-h", "/etc"] },
    resources: "cpus:0.1;mem:32;ports:[31000-31010]",
  };
  const running = async (ask: Ask) => {
    const request = await bench.request(ask);
    await docker.launch(request);
    return request;
  };
  const optionFailure = async (ask: Ask) =>
    (await refusal(docker.launch(await bench.request(ask)))).replace(
      "Failed to launch container: Failed to create docker run options: ",
      "",
    );

  it("serves a port of its bridge at the offered port of the host, and tells its address", async () => {
    const request = await running({
      ...httpd,
      docker: {
        network: Network.BRIDGE,
        port_mappings: [{ host_port: 31005, container_port: 80, protocol: "TCP" }],
      },
      container: { hostname: "web.example" },
    });
    const page = await eventually(() => get("http://127.0.0.1:31005/passwd"));
    expect(page).to.include("root:x:0:0");
    const { network_infos: networks } = await docker.status(request.containerId);
    const address = networks[0]!.ip_addresses[0]!.ip_address!;
    expect(await get(`http://${address}/passwd`)).to.equal(page);

    const taken = await bench.request({
      ...httpd,
      docker: { network: Network.BRIDGE, port_mappings: [{ host_port: 31005, container_port: 80 }] },
    });
    expect(await refusal(docker.launch(taken))).to.match(
      /^Failed to launch container: .*31005 failed: port is already allocated$/,
    );
    await docker.destroy(request.containerId);
    expect(Object.keys(await bench.listed())).to.deep.equal([]);
  });

  it("joins a network of the user, under an alias", async () => {
    const user = (ask: Ask, alias: string): Ask => ({
      ...ask,
      docker: { network: Network.USER, parameters: parameters(["net-alias", alias]) },
      container: { network_infos: [{ name: "lab", ip_addresses: [], groups: ["g"], port_mappings: [] }] },
    });
    const server = await running(user(httpd, "server"));
    const { network_infos: networks } = await docker.status(server.containerId);
    expect(
      networks.map(({ name, groups, ip_addresses }) => [name, groups, ip_addresses.length]),
    ).to.deep.equal([["lab", ["g"], 1]]);
    const client = await bench.run(
      docker,
      user({ script: "until wget -q -O - http://server/passwd; do sleep 0.1; done" }, "client"),
    );
    expect(client.stdout).to.include("root:x:0:0");
    await docker.destroy(server.containerId);
  });

  it("has no network, or that of a parameter", async () => {
    const script = "ls /sys/class/net | tr '\\n' ' '";
    expect((await bench.run(docker, { script, docker: { network: Network.NONE } })).stdout).to.equal("lo ");
    const given = { network: Network.HOST, parameters: parameters(["network", "none"]) };
    expect((await bench.run(docker, { script, docker: given })).stdout).to.equal("lo ");
    const host = await bench.run(docker, { script });
    expect(host.stdout.split(" ")).to.include("docker0");
  });

  it("is refused networks and ports that make no sense, in Mesos's words", async () => {
    const map = (network: Network, port: number, resources?: string) =>
      optionFailure({
        ...httpd,
        ...(resources !== undefined && { resources }),
        docker: { network, port_mappings: [{ host_port: port, container_port: 80 }] },
      });
    expect(await map(Network.HOST, 31005)).to.equal(
      "Port mappings are only supported for bridge and user-defined networks",
    );
    expect(await map(Network.BRIDGE, 80)).to.equal("Port [80] not included in resources");
    expect(await map(Network.BRIDGE, 0)).to.equal("Port [0] not included in resources");
    expect(await map(Network.BRIDGE, 31005, "cpus:1;mem:32")).to.equal(
      "Port mappings require port resources",
    );
    expect(await optionFailure({ ...httpd, container: { hostname: "h" } })).to.equal(
      "Unable to set hostname with host network mode",
    );
    expect(await optionFailure({ ...httpd, docker: { network: Network.USER } })).to.equal(
      "No network info found in container info",
    );
  });

  it("sees volumes of the host, of its sandbox and of the engine, to read or to write", async () => {
    const data = join(bench.daemon.directory, "shared");
    await mkdir(data);
    await chmod(data, 0o777);
    await writeFile(join(data, "in"), "from the host");
    const { stdout, request } = await bench.run(docker, {
      script: [
        "cat /ro/in; echo; touch /ro/x 2>/dev/null || echo read-only",
        "echo out > /rw/out; echo own > /own/file; echo kept > /named/file; touch inside/here; pwd",
      ].join("\n"),
      docker: { parameters: parameters(["workdir", "/mnt/mesos/sandbox"]) },
      container: {
        volumes: [
          { container_path: "/ro", host_path: data, mode: Volume_Mode.RO },
          { container_path: "/rw", host_path: data, mode: Volume_Mode.RW },
          { container_path: "/own", host_path: "below", mode: Volume_Mode.RW },
          { container_path: "inside", host_path: join(data, "made"), mode: Volume_Mode.RW },
          {
            container_path: "/named",
            mode: Volume_Mode.RW,
            source: { type: Volume_Source_Type.DOCKER_VOLUME, docker_volume: { name: "keep" } },
          },
        ],
      },
    });
    expect(stdout).to.equal("from the host\nread-only\n/mnt/mesos/sandbox\n");
    expect(await readFile(join(data, "out"), "utf8")).to.equal("out\n");
    expect(await readFile(join(data, "made/here"), "utf8")).to.equal("");
    expect(await readFile(join(request.directory, "below/file"), "utf8")).to.equal("own\n");
    const again = await bench.run(docker, {
      script: "cat /v/file",
      docker: { parameters: parameters(["volume", "keep:/v:ro"]) },
    });
    expect(again.stdout).to.equal("kept\n");
  });

  it("finds its persistent volumes in its sandbox", async () => {
    const volume = (id: string, container_path: string, mode: Volume_Mode): Resource => ({
      name: "disk",
      type: Value_Type.SCALAR,
      scalar: { value: 1 },
      reservations: [{ type: Resource_ReservationInfo_Type.STATIC, role: "team/db" }],
      disk: { persistence: { id, principal: "p" }, volume: { container_path, mode } },
    });
    const resources = Resources.of([
      volume("p", "data", Volume_Mode.RW),
      volume("q", "deep/er", Volume_Mode.RO),
    ]);
    const request = await bench.request({
      script: "cd $MESOS_SANDBOX; echo kept > data/file; touch deep/er/x 2>/dev/null || echo read-only",
    });
    await docker.launch({ ...request, resources: request.resources.add(resources) });
    expect((await docker.wait(request.containerId))!.exit!.code).to.equal(0);
    const kept = join(bench.daemon.directory, "work/volumes/roles/team db/p/file");
    expect(await readFile(kept, "utf8")).to.equal("kept\n");
    expect((await bench.output(request)).stdout).to.equal("read-only\n");
    await docker.destroy(request.containerId);
  });

  it("runs as parameters and limits say", async () => {
    const { stdout } = await bench.run(docker, {
      script:
        "id -u; hostname; echo $A-$B; ulimit -n; ulimit -Hn; ulimit -c; stat -c %a /scratch; cat /proc/sys/kernel/shmmni; touch /x 2>/dev/null || echo sealed; grep -c '' /etc/hosts >/dev/null && grep far /etc/hosts; grep CapBnd /proc/self/status",
      docker: {
        network: Network.BRIDGE,
        parameters: parameters(
          ["user", "65534"],
          ["hostname", "h1"],
          ["env", "A=1"],
          ["env", "B=2=3"],
          ["ulimit", "nofile=100:200"],
          ["tmpfs", "/scratch:mode=0700"],
          ["sysctl", "kernel.shmmni=77"],
          ["read-only", "true"],
          ["add-host", "far:10.1.2.3"],
          ["cap-drop", "ALL"],
          ["security-opt", "no-new-privileges"],
          ["shm-size", "8m"],
          ["log-opt", "max-size=1m"],
          ["init", "true"],
        ),
      },
      container: { rlimit_info: { rlimits: [{ type: RLimit.RLMT_CORE, soft: 0n, hard: 0n }] } },
    });
    expect(stdout.split("\n")).to.deep.equal([
      ...["65534", "h1", "1-2=3", "100", "200", "0", "700", "77", "sealed", "10.1.2.3\tfar"],
      ...["CapBnd:\t0000000000000000", ""],
    ]);
  });

  it("has the CPU quota of its limit, or of its share where those are hard", async () => {
    const hard = await bench.containerizer({ agent: "hard", cfs: true });
    const script = "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/memory/memory.limit_in_bytes";
    const amounts = async (containerizer: DockerContainerizer, ask: Ask) =>
      (await bench.run(containerizer, { script, resources: "cpus:0.5;mem:64", ...ask })).stdout
        .trim()
        .split("\n");
    expect(await amounts(docker, {})).to.deep.equal(["-1", String(64 << 20)]);
    expect(await amounts(hard, {})).to.deep.equal(["50000", String(64 << 20)]);
    const limits = { cpus: { value: 2 }, mem: { value: 96 } };
    expect(await amounts(docker, { task: { limits } })).to.deep.equal(["200000", String(96 << 20)]);
    const none = { mem: { value: Number.POSITIVE_INFINITY } };
    const [, memory] = await amounts(docker, { task: { limits: none } });
    expect(Number(memory)).to.be.greaterThan(2 ** 50);
  });

  it("asks the name servers of the operator unless it brings its own", async () => {
    const dns = { nameservers: ["10.9.9.9"], search: ["corp"], options: ["ndots:3"] };
    const served = await bench.containerizer({
      agent: "dns",
      dns: { bridge: dns, byNetwork: new Map(), user: undefined },
    });
    const script = "grep -v '^#' /etc/resolv.conf";
    const ask = (...own: [string, string][]): Ask => ({
      script,
      docker: { network: Network.BRIDGE, parameters: parameters(...own) },
    });
    expect((await bench.run(served, ask())).stdout.trim().split("\n").sort()).to.deep.equal([
      "nameserver 10.9.9.9",
      "options ndots:3",
      "search corp",
    ]);
    expect((await bench.run(served, ask(["dns", "10.8.8.8"]))).stdout)
      .to.include("10.8.8.8")
      .and.not.include("10.9");
  });
});
