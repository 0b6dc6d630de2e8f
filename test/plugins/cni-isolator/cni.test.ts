import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { attachmentOf, problemWith } from "../../../plugins/cni-isolator/attachment.js";
import { readDefaultDns } from "../../../plugins/cni-isolator/default-dns.js";
import { hostnameOf } from "../../../plugins/cni-isolator/hostname.js";
import { parseNetworkConfig, programsOf } from "../../../plugins/cni-isolator/network-config.js";
import { NetworkConfigs } from "../../../plugins/cni-isolator/network-configs.js";
import { hostsFile, mergeDns, resolverFile } from "../../../plugins/cni-isolator/network-files.js";
import { interfaceStatistics, snmpStatistics } from "../../../plugins/cni-isolator/network-statistics.js";
import { parseResult, readResult } from "../../../plugins/cni-isolator/result.js";
import { Turns } from "../../../plugins/cni-isolator/turns.js";
import { NetworkInfo_Protocol } from "../../../proto/gen/mesos/v1/mesos.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { containerRequest, networkInfo } from "./support.js";

const NO_DNS = { nameservers: [], search: [], options: [] };

describe("a CNI network's configuration", () => {
  const read = (config: object) => parseNetworkConfig(JSON.stringify(config));

  it("is one plugin, or a chain of them", () => {
    const ipam = { type: "host-local" };
    expect(read({ name: "a", cniVersion: "0.3.0", type: "bridge", ipam })).to.deep.include({
      name: "a",
      cniVersion: "0.3.0",
    });
    const chain = read({
      name: "b",
      cniVersion: "1.0.0",
      plugins: [{ type: "bridge", ipam }, { type: "portmap" }],
    });
    expect(chain.plugins.map(({ type }) => type)).to.deep.equal(["bridge", "portmap"]);
    expect(programsOf(chain)).to.deep.equal(["bridge", "host-local", "portmap"]);
  });

  it("of mesos-cni-port-mapper becomes its delegate and portmap", () => {
    const config = read({
      name: "m",
      type: "mesos-cni-port-mapper",
      chain: "MESOS",
      excludeDevices: ["x0", "mesos-cni0"],
      args: { labels: "kept" },
      delegate: { cniVersion: "0.2.0", type: "bridge", bridge: "mesos-cni0", ipam: { type: "host-local" } },
    });
    expect(config).to.deep.equal({
      name: "m",
      cniVersion: "0.2.0",
      plugins: [
        {
          cniVersion: "0.2.0",
          type: "bridge",
          bridge: "mesos-cni0",
          ipam: { type: "host-local" },
          args: { labels: "kept" },
        },
        {
          type: "portmap",
          capabilities: { portMappings: true },
          snat: true,
          conditionsV4: ["!", "-i", "mesos-cni0"],
        },
      ],
    });
  });

  for (const [config, problem] of [
    ["{", /not JSON/],
    ["[]", /not a JSON object/],
    ['{"type":"bridge"}', /no 'name'/],
    ['{"name":"a"}', /without 'type'/],
    ['{"name":"a","type":"../../bin/sh"}', /plugin type '..\/..\/bin\/sh'/],
    ['{"name":"a","type":".."}', /plugin type/],
    ['{"name":"a","plugins":[]}', /no list of plugins/],
    ['{"name":"a","plugins":[7]}', /no JSON object/],
    ['{"name":"a","cniVersion":3,"type":"bridge"}', /'cniVersion' is no text/],
    ['{"name":"a","type":"bridge","args":{"org.apache.mesos":{}}}', /reserved by Mesos/],
    ['{"name":"a","type":"mesos-cni-port-mapper","delegate":{"type":"bridge"}}', /required field 'chain'/],
    ['{"name":"a","type":"mesos-cni-port-mapper","chain":"C"}', /required field 'delegate'/],
    ['{"name":"a","type":"mesos-cni-port-mapper","chain":"C","delegate":{}}', /without 'type'/],
  ] as const) {
    it(`is refused where it is ${config}`, () => {
      expect(() => parseNetworkConfig(config)).to.throw(problem);
    });
  }

  it("is refused with an Error whatever the file holds", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          expect(parseNetworkConfig(text).plugins).not.to.deep.equal([]);
        } catch (error) {
          expect((error as Error).message).to.match(/^(it|its|the) /);
        }
      }),
    );
  });
});

describe("the directory of CNI networks", () => {
  let directory: string;
  let logger: MemoryLogger;
  let configs: NetworkConfigs;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-cni-configs-"));
    logger = new MemoryLogger();
    configs = new NetworkConfigs({ directory, pluginPath: `/nowhere:${directory}`, logger });
    await writeFile(join(directory, "~plug"), "#!/bin/sh\n", { mode: 0o755 });
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  const put = (file: string, content: unknown) => writeFile(join(directory, file), JSON.stringify(content));
  const failure = async (name: string): Promise<string> =>
    configs.find(name).then(
      () => "",
      (error: Error) => error.message,
    );

  it("is read at each use, and reports a bad file once", async () => {
    expect(await failure("a")).to.match(/^Unknown CNI network 'a'; there are no networks in/);
    await put("1.conf", { name: "a", type: "~plug" });
    expect((await configs.find("a")).name).to.equal("a");
    await writeFile(join(directory, "2.conflist"), "what");
    await put("3", { name: "b", type: "~plug" });
    expect((await configs.find("b")).name).to.equal("b");
    expect((await configs.find("a")).name).to.equal("a");
    expect(logger.messages("error").filter((line) => line.includes("not JSON"))).to.have.length(2);
    expect(await failure("c")).to.match(/there are 'a', 'b'; not usable: .*2\.conflist/);
  });

  it("takes the first file of two with the same network", async () => {
    await put("1.conf", { name: "a", type: "~plug", first: true });
    await put("2.conf", { name: "a", type: "~plug" });
    expect((await configs.find("a")).plugins[0]).to.have.property("first", true);
    await configs.find("a");
    expect(logger.messages("error").filter((line) => line.includes("in another file"))).to.have.length(1);
  });

  it("says which programs a network lacks", async () => {
    await put("1.conf", { name: "a", type: "~plug", ipam: { type: "none-such" } });
    expect(await failure("a")).to.match(/'a' needs the CNI plugin 'none-such', not found in '\/nowhere:/);
    expect(await configs.inspect()).to.deep.equal(["a"]);
    expect(logger.messages("error").join()).to.include("none-such");
  });
});

describe("what plugins are told", () => {
  const config = parseNetworkConfig(
    JSON.stringify({
      name: "n",
      cniVersion: "0.4.0",
      plugins: [
        { type: "bridge", capabilities: { ips: true }, args: { cni: { x: 1 }, other: true } },
        { type: "portmap", capabilities: { portMappings: true }, runtimeConfig: { y: 2 } },
      ],
    }),
  );

  it("is the network_info in Mesos's args, and what they declare to understand", () => {
    const info = networkInfo("n", {
      labels: { labels: [{ key: "k", value: "v" }] },
      ip_addresses: [{ protocol: NetworkInfo_Protocol.IPv4, ip_address: "10.0.0.9" }],
      port_mappings: [{ host_port: 31000, container_port: 80, protocol: "UDP" }],
    });
    const mesos = {
      network_info: {
        ip_addresses: [{ protocol: "IPv4", ip_address: "10.0.0.9" }],
        name: "n",
        labels: { labels: [{ key: "k", value: "v" }] },
        port_mappings: [{ host_port: 31000, container_port: 80, protocol: "UDP" }],
      },
    };
    const attachment = attachmentOf(config, info, "eth0");
    expect(JSON.parse(JSON.stringify(attachment))).to.deep.equal({
      network: "n",
      ifName: "eth0",
      args: "IgnoreUnknown=1;IP=10.0.0.9",
      plugins: [
        {
          type: "bridge",
          name: "n",
          cniVersion: "0.4.0",
          capabilities: { ips: true },
          runtimeConfig: { ips: ["10.0.0.9"] },
          args: { cni: { x: 1, ips: ["10.0.0.9"] }, other: true, "org.apache.mesos": mesos },
        },
        {
          type: "portmap",
          name: "n",
          cniVersion: "0.4.0",
          capabilities: { portMappings: true },
          runtimeConfig: { y: 2, portMappings: [{ hostPort: 31000, containerPort: 80, protocol: "udp" }] },
          args: { cni: { ips: ["10.0.0.9"] }, "org.apache.mesos": mesos },
        },
      ],
    });
  });

  it("is no more than that for a container without wishes", () => {
    const { plugins, args } = attachmentOf(config, networkInfo("n"), "eth0");
    expect(args).to.equal(undefined);
    expect(plugins[0]).not.to.have.property("runtimeConfig");
  });

  for (const [more, problem] of [
    [{ ip_addresses: [{ ip_address: "10.0.0.1;K=V" }] }, /no IP address/],
    [{ ip_addresses: [{ ip_address: "10.0.0.1/33" }] }, /no IP address/],
    [{ port_mappings: [{ host_port: 0, container_port: 80 }] }, /the port 0/],
    [{ port_mappings: [{ host_port: 80, container_port: 65_536 }] }, /the port 65536/],
    [{ port_mappings: [{ host_port: 80, container_port: 80, protocol: "x" }] }, /the protocol 'x'/],
    [{ ip_addresses: [{ ip_address: "fd00::1/64" }] }, undefined],
  ] as const) {
    it(`${problem === undefined ? "may" : "must not"} hold ${JSON.stringify(more)}`, () => {
      const found = problemWith(networkInfo("n", more as unknown as Parameters<typeof networkInfo>[1]));
      if (problem === undefined) expect(found).to.equal(undefined);
      else expect(found).to.match(problem);
    });
  }
});

describe("the result of ADD", () => {
  it("of 0.2.0 has ip4 and ip6", () => {
    const result = parseResult({
      cniVersion: "0.2.0",
      ip4: { ip: "10.1.0.5/16", gateway: "10.1.0.1" },
      ip6: { ip: "fd00::5/64" },
      dns: { nameservers: ["10.1.0.1"], domain: "d" },
    });
    expect(result.addresses).to.deep.equal([
      { family: 4, ip: "10.1.0.5" },
      { family: 6, ip: "fd00::5" },
    ]);
    expect(result.dns).to.deep.equal({ nameservers: ["10.1.0.1"], domain: "d", search: [], options: [] });
  });

  for (const cniVersion of ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]) {
    it(`of ${cniVersion} has ips, of which those of the container count`, () => {
      const result = readResult(
        JSON.stringify({
          cniVersion,
          interfaces: [{ name: "br0" }, { name: "eth0", sandbox: "/ns" }],
          ips: [
            { version: "4", interface: 0, address: "10.1.0.1/16" },
            { version: "4", interface: 1, address: "10.1.0.5/16" },
            { version: "6", address: "fd00::5/64" },
          ],
          dns: {},
        }),
      );
      expect(parseResult(result).addresses).to.deep.equal([
        { family: 4, ip: "10.1.0.5" },
        { family: 6, ip: "fd00::5" },
      ]);
    });
  }

  for (const output of [
    "",
    "done",
    "[]",
    '{"ips":7}',
    '{"ips":[{"address":"x"}]}',
    '{"ip4":{}}',
    '{"ips":[null]}',
  ]) {
    it(`is not '${output}'`, () => expect(() => readResult(output)).to.throw(Error));
  }
});

describe("the network files of a container", () => {
  const result = (addresses: string[], dns = {}) =>
    parseResult({ ips: addresses.map((address) => ({ address })), dns });

  it("name the first IPv4 address", () => {
    expect(hostsFile("web", [result(["fd00::5/64"]), result(["10.1.0.5/16", "10.1.0.6/16"])])).to.equal(
      "127.0.0.1 localhost\n::1 ip6-localhost ip6-loopback\n10.1.0.5 web\n",
    );
    expect(hostsFile("web", [result(["fd00::5/64"])])).to.match(/\nfd00::5 web\n$/);
  });

  it("join the DNS settings of all networks, each from its plugin, its name, or the default", () => {
    const defaults = readDefaultDns({
      mesos: [
        { network_mode: "CNI", network_name: "b", dns: { nameservers: ["2.2.2.2"], domain: "two" } },
        { network_mode: "CNI", dns: { nameservers: ["3.3.3.3"], options: ["ndots:2"] } },
      ],
    });
    const plugin = { nameservers: ["1.1.1.1"], domain: "one", search: ["s1", "s2"] };
    const dns = mergeDns(
      [
        { name: "a", result: result([], plugin) },
        { name: "b", result: result([], { search: ["ignored"] }) },
        { name: "c", result: result([]) },
      ],
      defaults,
    );
    expect(resolverFile(dns)).to.equal(
      "domain two\nsearch s1 s2\noptions ndots:2\nnameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n",
    );
  });

  it("leave resolv.conf to the host where nobody names a server", () => {
    const dns = mergeDns([{ name: "a", result: result([]) }], readDefaultDns({}));
    expect(dns).to.deep.equal({ ...NO_DNS, domain: undefined });
    expect(resolverFile(dns)).to.equal(undefined);
  });

  for (const [dns, problem] of [
    [{ mesos: [{ network_mode: "HOST", dns: {} }] }, /HOST network is not yet supported/],
    [{ mesos: [{ network_mode: "UNKNOWN", dns: {} }] }, /UNKNOWN network mode/],
    [
      {
        mesos: [
          { network_mode: "CNI", dns: {} },
          { network_mode: "CNI", dns: {} },
        ],
      },
      /without network name/,
    ],
    [
      {
        mesos: [
          { network_mode: "CNI", network_name: "a", dns: {} },
          { network_mode: "CNI", network_name: "a", dns: {} },
        ],
      },
      /same network name 'a'/,
    ],
    [{ mesos: 7 }, /./],
  ] as const) {
    it(`cannot be made with ${JSON.stringify(dns)}`, () => {
      expect(() => readDefaultDns(dns)).to.throw(problem);
    });
  }

  it("bear the name that the container asks for, or its id", () => {
    expect(hostnameOf(containerRequest("c-1", []))).to.equal("c-1");
    expect(hostnameOf(containerRequest("c".repeat(99), []))).to.have.length(64);
    expect(hostnameOf(containerRequest("c", [], { hostname: "web_1.example" }))).to.equal("web_1.example");
    for (const hostname of ["", "a b", "a\n127.0.0.1 bank", "-a", "a".repeat(65)])
      expect(() => hostnameOf(containerRequest("c", [], { hostname }))).to.throw(/is no host name/);
  });
});

describe("the network's statistics", () => {
  it("sum up the interfaces of the container", () => {
    const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   10      1    0    0    0     0          0         0     10      1    0    0    0     0       0          0
  eth0: 1000     10    1    2    0     0          0         0   2000     20    3    4    0     0       0          0
  eth1:    5      1    0    0    0     0          0         0      7      1    0    0    0     0       0          0
`;
    expect(interfaceStatistics(text)).to.deep.equal({
      net_rx_bytes: 1005n,
      net_rx_packets: 11n,
      net_rx_errors: 1n,
      net_rx_dropped: 2n,
      net_tx_bytes: 2007n,
      net_tx_packets: 21n,
      net_tx_errors: 3n,
      net_tx_dropped: 4n,
    });
  });

  it("have the counters of the IP stack by the kernel's names", () => {
    const text =
      "Ip: Forwarding DefaultTTL\nIp: 1 64\nIcmpMsg: InType3\nIcmpMsg: 2\nTcp: MaxConn InSegs\nTcp: -1 12\nUdp: InDatagrams\nUdp: 5\nUdpLite: InDatagrams\nUdpLite: 9\n";
    expect(snmpStatistics(text)).to.deep.equal({
      ip_stats: { Forwarding: 1n, DefaultTTL: 64n },
      tcp_stats: { MaxConn: -1n, InSegs: 12n },
      udp_stats: { InDatagrams: 5n },
    });
  });
});

describe("turns", () => {
  it("are taken one after the other for one key, also after a failure, and at once for others", async () => {
    const turns = new Turns();
    const log: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = turns.run("a", async () => {
      await held;
      log.push("a1");
      throw new Error("bad");
    });
    const second = turns.run("a", async () => log.push("a2"));
    await turns.run("b", async () => log.push("b1"));
    release();
    await Promise.allSettled([first, second]);
    expect(log).to.deep.equal(["b1", "a1", "a2"]);
  });
});
