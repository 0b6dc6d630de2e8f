import { expect } from "chai";
import { applyParameters } from "../../../plugins/docker-containerizer/parameters.js";
import { createBody, newDraft } from "../../../plugins/docker-containerizer/run-draft.js";
import { parameters } from "./support.js";

/** What the pairs add to an otherwise empty container. */
function added(...pairs: readonly [string, string][]): Record<string, unknown> {
  const draft = newDraft("i");
  const before = structuredClone(createBody(draft));
  applyParameters(draft, parameters(...pairs));
  const after = createBody(draft);
  const changed = (from: object, to: object): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(to).filter(
        ([key, value]) => JSON.stringify(value) !== JSON.stringify((from as Record<string, unknown>)[key]),
      ),
    );
  const { HostConfig, ...rest } = changed(before, after);
  return { ...rest, ...(HostConfig !== undefined && changed(before.HostConfig, HostConfig as object)) };
}

const CASES: readonly [pairs: [string, string][], expected: Record<string, unknown>][] = [
  [[["add-host", "a:1.2.3.4"]], { ExtraHosts: ["a:1.2.3.4"] }],
  [[["blkio-weight", "300"]], { BlkioWeight: 300 }],
  [[["blkio-weight-device", "/dev/sda:200"]], { BlkioWeightDevice: [{ Path: "/dev/sda", Weight: 200 }] }],
  [
    [
      ["cap-add", "NET_ADMIN"],
      ["cap-add", "SYS_TIME"],
    ],
    { CapAdd: ["NET_ADMIN", "SYS_TIME"] },
  ],
  [[["cap-drop", "ALL"]], { CapDrop: ["ALL"] }],
  [[["cpus", "1.5"]], { NanoCpus: 1_500_000_000 }],
  [
    [
      ["cpu-shares", "10"],
      ["cpu-shares", "20"],
    ],
    { CpuShares: 20 },
  ],
  [
    [
      ["cpuset-cpus", "0-1"],
      ["cpuset-mems", "0"],
    ],
    { CpusetCpus: "0-1", CpusetMems: "0" },
  ],
  [
    [["device", "/dev/a"]],
    { Devices: [{ PathOnHost: "/dev/a", PathInContainer: "/dev/a", CgroupPermissions: "rwm" }] },
  ],
  [
    [["device", "/dev/a:/dev/b:r"]],
    { Devices: [{ PathOnHost: "/dev/a", PathInContainer: "/dev/b", CgroupPermissions: "r" }] },
  ],
  [
    [["device", "/dev/a:rw"]],
    { Devices: [{ PathOnHost: "/dev/a", PathInContainer: "/dev/a", CgroupPermissions: "rw" }] },
  ],
  [[["device-read-bps", "/dev/sda:1mb"]], { BlkioDeviceReadBps: [{ Path: "/dev/sda", Rate: 1 << 20 }] }],
  [
    [
      ["dns", "1.1.1.1"],
      ["dns-opt", "a"],
      ["dns-option", "b"],
      ["dns-search", "c"],
    ],
    { Dns: ["1.1.1.1"], DnsOptions: ["a", "b"], DnsSearch: ["c"] },
  ],
  [[["entrypoint", "/run me"]], { Entrypoint: ["/run me"] }],
  [
    [
      ["env", "A=1"],
      ["env", "A=2"],
      ["env", "B="],
    ],
    { Env: ["A=2", "B="] },
  ],
  [
    [
      ["expose", "80"],
      ["expose", "53/udp"],
    ],
    { ExposedPorts: { "80/tcp": {}, "53/udp": {} } },
  ],
  [[["gpus", "all"]], { DeviceRequests: [{ Count: -1, Capabilities: [["gpu"]] }] }],
  [[["gpus", "device=0,2"]], { DeviceRequests: [{ DeviceIDs: ["0", "2"], Capabilities: [["gpu"]] }] }],
  [
    [
      ["health-cmd", "true"],
      ["health-interval", "1m30s"],
      ["health-retries", "2"],
    ],
    { Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 90e9, Retries: 2 } },
  ],
  [
    [
      ["hostname", "h"],
      ["domainname", "d"],
      ["user", "1:2"],
      ["workdir", "/w"],
    ],
    { Hostname: "h", Domainname: "d", User: "1:2", WorkingDir: "/w" },
  ],
  [
    [
      ["init", "true"],
      ["ipc", "host"],
      ["pid", "host"],
      ["uts", "host"],
      ["userns", "host"],
    ],
    { Init: true, IpcMode: "host", PidMode: "host", UTSMode: "host", UsernsMode: "host" },
  ],
  [
    [
      ["ip", "10.0.0.2"],
      ["net-alias", "x"],
      ["network-alias", "y"],
      ["network", "n"],
    ],
    {
      NetworkMode: "n",
      NetworkingConfig: {
        EndpointsConfig: { n: { IPAMConfig: { IPv4Address: "10.0.0.2" }, Aliases: ["x", "y"] } },
      },
    },
  ],
  [
    [
      ["label", "a=b"],
      ["label", "c"],
    ],
    { Labels: { a: "b", c: "" } },
  ],
  [
    [
      ["log-driver", "syslog"],
      ["log-opt", "tag=x"],
    ],
    { LogConfig: { Type: "syslog", Config: { tag: "x" } } },
  ],
  [
    [
      ["memory", "64m"],
      ["memory-swap", "-1"],
      ["memory-reservation", "1g"],
    ],
    { Memory: 64 << 20, MemorySwap: -1, MemoryReservation: 1 << 30 },
  ],
  [
    [["mount", "type=bind,source=/a,target=/b,readonly"]],
    { Mounts: [{ Type: "bind", Target: "/b", Source: "/a", ReadOnly: true }] },
  ],
  [
    [["mount", "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770"]],
    { Mounts: [{ Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 1 << 20, Mode: 0o1770 } }] },
  ],
  [
    [["mount", "src=v,dst=/v,volume-driver=d,volume-opt=o=1"]],
    {
      Mounts: [
        {
          Type: "volume",
          Target: "/v",
          Source: "v",
          VolumeOptions: { DriverConfig: { Name: "d", Options: { o: "1" } } },
        },
      ],
    },
  ],
  [[["no-healthcheck", "true"]], { Healthcheck: { Test: ["NONE"] } }],
  [
    [
      ["oom-kill-disable", "1"],
      ["oom-score-adj", "-5"],
      ["pids-limit", "7"],
    ],
    { OomKillDisable: true, OomScoreAdj: -5, PidsLimit: 7 },
  ],
  [
    [
      ["privileged", "true"],
      ["read-only", "t"],
      ["publish-all", "false"],
    ],
    { Privileged: true, ReadonlyRootfs: true, PublishAllPorts: false },
  ],
  [
    [["publish", "127.0.0.1:8080:80/udp"]],
    {
      ExposedPorts: { "80/udp": {} },
      PortBindings: { "80/udp": [{ HostPort: "8080", HostIp: "127.0.0.1" }] },
    },
  ],
  [
    [
      ["publish", "80"],
      ["publish", "81:80"],
    ],
    { ExposedPorts: { "80/tcp": {} }, PortBindings: { "80/tcp": [{ HostPort: "" }, { HostPort: "81" }] } },
  ],
  [
    [
      ["security-opt", "no-new-privileges"],
      ["security-opt", "seccomp=unconfined"],
      ["security-opt", "label:disable"],
    ],
    { SecurityOpt: ["no-new-privileges", "seccomp=unconfined", "label=disable"] },
  ],
  [
    [
      ["shm-size", "1.5g"],
      ["storage-opt", "size=1G"],
      ["sysctl", "a.b=1"],
    ],
    { ShmSize: 1.5 * 2 ** 30, StorageOpt: { size: "1G" }, Sysctls: { "a.b": "1" } },
  ],
  [
    [
      ["stop-signal", "SIGQUIT"],
      ["stop-timeout", "3"],
      ["tty", "true"],
      ["interactive", "true"],
    ],
    { StopSignal: "SIGQUIT", StopTimeout: 3, Tty: true, OpenStdin: true },
  ],
  [
    [
      ["tmpfs", "/run:rw,size=64m"],
      ["tmpfs", "/tmp"],
    ],
    { Tmpfs: { "/run": "rw,size=64m", "/tmp": "" } },
  ],
  [
    [
      ["ulimit", "nofile=10:20"],
      ["ulimit", "core=-1"],
    ],
    {
      Ulimits: [
        { Name: "nofile", Soft: 10, Hard: 20 },
        { Name: "core", Soft: -1, Hard: -1 },
      ],
    },
  ],
  [
    [
      ["volume", "/a:/b:ro"],
      ["volume-driver", "d"],
      ["volumes-from", "c"],
    ],
    { Binds: ["/a:/b:ro"], VolumeDriver: "d", VolumesFrom: ["c"] },
  ],
  [
    [
      ["detach", "true"],
      ["sig-proxy", "false"],
      ["disable-content-trust", "true"],
    ],
    {},
  ],
];

const BAD: readonly [key: string, value: string, problem: RegExp][] = [
  ["colour", "red", /^Unknown Docker parameter 'colour'$/],
  ["__proto__", "x", /^Unknown Docker parameter '__proto__'$/],
  ["toString", "x", /^Unknown Docker parameter 'toString'$/],
  ["memory", "lots", /^Docker parameter 'memory' with the value 'lots' must be a size such as 64m$/],
  ["init", "maybe", /must be true or false$/],
  ["pids-limit", "1.5", /must be an integer$/],
  ["cpus", "-1", /must be a number$/],
  ["env", "=x", /must be of the form key=value$/],
  ["device", "", /must be of the form/],
  ["device", "/dev/a:/dev/b:rwx", /must be of the form/],
  ["ulimit", "nofile", /must be of the form name=soft\[:hard\]$/],
  ["mount", "type=npipe,target=/x", /has a type other than/],
  ["mount", "type=bind,source=/x", /must have a target$/],
  ["mount", "target=/x,colour=red", /has the unknown field 'colour'$/],
  ["publish", "a:b:c:d", /must be of the form/],
  ["gpus", "some", /must be all/],
  ["health-interval", "soon", /must be a duration such as 1m30s$/],
  ["restart", "always", /cannot be used: a container that starts again by itself would escape its agent$/],
  ["name", "mine", /cannot be used: the container's name is mesos-<container id>$/],
  ["security-opt", "seccomp=/no/such/file", /ENOENT/],
];

describe("Docker parameters", () => {
  for (const [pairs, expected] of CASES) {
    it(`become settings of the API: ${pairs.map(([key]) => key).join(", ")}`, () => {
      expect(added(...pairs)).to.deep.equal(expected);
    });
  }

  for (const [key, value, problem] of BAD) {
    it(`are refused with what is wrong: ${key}=${value}`, () => {
      expect(() => added([key, value])).to.throw(problem);
    });
  }

  it("name one network, and say that they bring name servers of their own", () => {
    expect(() => added(["network", "a"], ["net", "b"])).to.throw("is given twice");
    const draft = newDraft("i");
    applyParameters(draft, parameters(["dns-search", "x"], ["rm", "true"]));
    expect([draft.dnsGiven, draft.removeAtOnce]).to.deep.equal([true, true]);
  });

  it("take a variable without a value from the agent", () => {
    process.env.TEPUI_TEST_VARIABLE = "given";
    try {
      expect(added(["env", "TEPUI_TEST_VARIABLE"], ["env", "TEPUI_TEST_NO_VARIABLE"])).to.deep.equal({
        Env: ["TEPUI_TEST_VARIABLE=given"],
      });
    } finally {
      delete process.env.TEPUI_TEST_VARIABLE;
    }
  });
});
