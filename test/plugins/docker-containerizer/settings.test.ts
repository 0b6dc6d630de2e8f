import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect } from "chai";
import fc from "fast-check";
import { cgroupPaths } from "../../../plugins/docker-containerizer/cgroups.js";
import { readDefaultDns } from "../../../plugins/docker-containerizer/default-dns.js";
import { imageName } from "../../../plugins/docker-containerizer/image-name.js";
import { lines } from "../../../plugins/docker-containerizer/lines.js";
import { LogMessageDecoder, sinceTime } from "../../../plugins/docker-containerizer/log-messages.js";
import { authOf, credentials } from "../../../plugins/docker-containerizer/registry-auth.js";
import { resourceSettings, resourceUpdate } from "../../../plugins/docker-containerizer/resource-settings.js";
import { newDraft } from "../../../plugins/docker-containerizer/run-draft.js";
import { applyVolumes } from "../../../plugins/docker-containerizer/volumes.js";
import {
  MountPropagation_Mode,
  Volume_Mode,
  Volume_Source_SandboxPath_Type,
  Volume_Source_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { resourcesOf } from "./support.js";

const MB = 2 ** 20;

describe("amounts of a Docker container", () => {
  const of = (text: string, limits: Record<string, number> = {}, cfs = false) =>
    resourceSettings({ resources: resourcesOf(text), limits }, { cfs });

  it("are Mesos's figures", () => {
    expect(of("cpus:0.5;mem:64")).to.deep.equal({ CpuShares: 512, Memory: 64 * MB });
    expect(of("cpus:0.001;mem:1")).to.deep.equal({ CpuShares: 2, Memory: 32 * MB });
    expect(of("disk:5")).to.deep.equal({});
    expect(of("cpus:0.5;mem:64", {}, true)).to.deep.equal({
      CpuShares: 512,
      CpuQuota: 50_000,
      Memory: 64 * MB,
    });
    expect(of("cpus:0.001", {}, true).CpuQuota).to.equal(1000);
  });

  it("may be exceeded as far as limits say, and then it is the first to go", () => {
    expect(of("cpus:1;mem:64", { cpus: 2, mem: 128 })).to.deep.equal({
      CpuShares: 1024,
      CpuQuota: 200_000,
      Memory: 128 * MB,
      MemoryReservation: 64 * MB,
      OomScoreAdj: 1000 - Math.floor((1000 * 64 * MB) / totalmem()),
    });
    const free = of("cpus:1;mem:64", { cpus: Number.POSITIVE_INFINITY, mem: Number.POSITIVE_INFINITY }, true);
    expect(free)
      .to.include({ CpuShares: 1024, MemoryReservation: 64 * MB })
      .and.not.have.any.keys("CpuQuota", "Memory");
    expect(of("cpus:1;mem:64", { mem: 64 })).to.not.have.property("OomScoreAdj");
  });

  it("change by what is different alone, and memory never shrinks", () => {
    const update = (before: string, after: string, limits = {}) =>
      resourceUpdate(of(before), of(after, limits));
    expect(update("cpus:1;mem:64", "cpus:1;mem:64")).to.equal(undefined);
    expect(update("cpus:1;mem:64", "cpus:2;mem:64")).to.deep.equal({ CpuShares: 2048 });
    expect(update("cpus:1;mem:64", "cpus:1;mem:128")).to.deep.equal({
      MemoryReservation: 128 * MB,
      Memory: 128 * MB,
      MemorySwap: 256 * MB,
    });
    expect(update("cpus:1;mem:128", "cpus:1;mem:64")).to.deep.equal({ MemoryReservation: 64 * MB });
    expect(update("cpus:1;mem:64", "cpus:1;mem:64", { cpus: 2 })).to.deep.equal({
      CpuQuota: 200_000,
      CpuPeriod: 100_000,
    });
    const free = update("cpus:1;mem:64", "cpus:1;mem:64", { mem: Number.POSITIVE_INFINITY });
    expect(free).to.deep.equal({ Memory: -1, MemorySwap: -1 });
    expect(resourceUpdate({ ...of("cpus:1;mem:64"), ...free }, of("cpus:1;mem:96"))).to.deep.equal({
      MemoryReservation: 96 * MB,
    });
  });
});

describe("volumes of Docker containers", () => {
  const places = { sandbox: "/s/box", mapped: "/mnt/box" };
  const of = (volume: object, docker: object = {}) => {
    const draft = newDraft("i");
    const volumes = [{ mode: Volume_Mode.RW, ...volume }];
    const container = {
      volumes,
      network_infos: [],
      docker: { port_mappings: [], parameters: [], ...docker },
    };
    applyVolumes(draft, container, places);
    const { Binds, Mounts, VolumeDriver } = draft.host;
    expect(Binds.at(-1)).to.equal("/s/box:/mnt/box:rw");
    return { binds: Binds.slice(0, -1), mounts: Mounts, driver: VolumeDriver };
  };
  const source = (type: Volume_Source_Type, fields: object) => ({
    container_path: "/c",
    source: { type, ...fields },
  });

  it("are binds where those say it all", () => {
    expect(of({ host_path: "/h", container_path: "c", mode: Volume_Mode.RO }).binds).to.deep.equal([
      "/h:/mnt/box/c:ro",
    ]);
    expect(of({ host_path: "h", container_path: "/c" }).binds).to.deep.equal(["/s/box/h:/c:rw"]);
    const driven = of({ host_path: "name", container_path: "/c" }, { volume_driver: "d" });
    expect([driven.binds, driven.driver]).to.deep.equal([["name:/c:rw"], "d"]);
    const own = of(source(Volume_Source_Type.DOCKER_VOLUME, { docker_volume: { driver: "d", name: "n" } }));
    expect([own.binds, own.driver]).to.deep.equal([["n:/c:rw"], "d"]);
    expect(of(source(Volume_Source_Type.HOST_PATH, { host_path: { path: "/h" } })).binds).to.deep.equal([
      "/h:/c:rw",
    ]);
    const inside = { sandbox_path: { type: Volume_Source_SandboxPath_Type.SELF, path: "p" } };
    expect(of(source(Volume_Source_Type.SANDBOX_PATH, inside)).binds).to.deep.equal(["/s/box/p:/c:rw"]);
  });

  it("are mounts where binds cannot say it", () => {
    expect(of({ host_path: "/a:b", container_path: "/c" }).mounts).to.deep.equal([
      { Type: "bind", Source: "/a:b", Target: "/c", ReadOnly: false },
    ]);
    const shared = {
      host_path: { path: "/h", mount_propagation: { mode: MountPropagation_Mode.BIDIRECTIONAL } },
    };
    expect(of(source(Volume_Source_Type.HOST_PATH, shared)).mounts).to.deep.equal([
      { Type: "bind", Source: "/h", Target: "/c", ReadOnly: false, BindOptions: { Propagation: "rshared" } },
    ]);
    const optioned = {
      docker_volume: { driver: "d", name: "n", driver_options: { parameter: [{ key: "size", value: "1" }] } },
    };
    expect(of(source(Volume_Source_Type.DOCKER_VOLUME, optioned)).mounts).to.deep.equal([
      {
        Type: "volume",
        Source: "n",
        Target: "/c",
        ReadOnly: false,
        VolumeOptions: { DriverConfig: { Name: "d", Options: { size: "1" } } },
      },
    ]);
  });

  it("are refused in Mesos's words, and named where the engine has none of their kind", () => {
    expect(() => of({ host_path: "a", container_path: "b" })).to.throw(
      "Both host_path 'a' and container_path 'b' of a volume are relative",
    );
    expect(() => of({ container_path: "/c" })).to.throw("Host path or volume source is required");
    expect(() => of({ container_path: "/c", host_path: "/h", mode: undefined })).to.throw(
      "Unsupported volume mode",
    );
    const own = { docker_volume: { driver: "e", name: "n" } };
    expect(() => of(source(Volume_Source_Type.DOCKER_VOLUME, own), { volume_driver: "d" })).to.throw(
      "Only one volume driver is supported",
    );
    expect(() => of(source(Volume_Source_Type.SECRET, {}))).to.throw("Volumes of type SECRET do not exist");
  });
});

describe("names of Docker images", () => {
  for (const [text, name, tag, registry] of [
    ["busybox", "busybox", "latest", "docker.io"],
    ["busybox:1.36", "busybox", "1.36", "docker.io"],
    ["team/app", "team/app", "latest", "docker.io"],
    ["reg.example.com/team/app:2", "reg.example.com/team/app", "2", "reg.example.com"],
    ["localhost/app", "localhost/app", "latest", "localhost"],
    ["localhost:5000/app", "localhost:5000/app", "latest", "localhost:5000"],
    ["app@sha256:abc", "app", "sha256:abc", "docker.io"],
    ["r:1/app:2@sha256:abc", "r:1/app", "sha256:abc", "r:1"],
  ] as const) {
    it(`are read: ${text}`, () => expect(imageName(text)).to.deep.equal({ name, tag, registry }));
  }
});

describe("credentials of Docker registries", () => {
  const encoded = (text: string) => Buffer.from(text).toString("base64");

  it("are found under each name that a registry is kept by", () => {
    const user = { username: "u", password: "p:w" };
    const auth = encoded("u:p:w");
    for (const key of ["https://index.docker.io/v1/", "docker.io", "https://registry-1.docker.io/v2/"]) {
      expect(authOf({ auths: { [key]: { auth } } }, "docker.io")).to.deep.equal({
        ...user,
        serveraddress: key,
      });
    }
    expect(authOf({ "https://r.example:1/v1": { auth } }, "r.example:1")).to.deep.include(user);
    expect(authOf({ auths: { "r.example": { ...user } } }, "r.example")).to.deep.include(user);
    expect(authOf({ auths: { "r.example": { identitytoken: "t" } } }, "r.example")).to.deep.include({
      identitytoken: "t",
    });
    expect(authOf({ auths: { other: { auth } } }, "r.example")).to.equal(undefined);
    for (const odd of [
      {},
      { auths: 1 },
      { auths: { "r.example": 1 } },
      { auths: { "r.example": { auth: "no" } } },
    ]) {
      expect(authOf(odd, "r.example")).to.equal(undefined);
    }
  });

  it("are not guessed where a helper of the host keeps them", () => {
    expect(() => authOf({ credsStore: "pass" }, "r.example")).to.throw(/kept by a credential helper/);
    expect(() => authOf({ credHelpers: { "r.example": "gcr" } }, "r.example")).to.throw(/credential helper/);
    expect(authOf({ credHelpers: { other: "gcr" } }, "r.example")).to.equal(undefined);
  });

  it("come from the task's own file first, of which nothing is told when it is broken", async () => {
    const sandbox = await mkdtemp(join(tmpdir(), "tepui-auth-"));
    try {
      const fallback = { auths: { r: { username: "operator", password: "x" } } };
      const ask = () => credentials({ registry: "r", sandbox, fallback });
      expect((await ask())!.username).to.equal("operator");
      await writeFile(
        join(sandbox, ".dockercfg"),
        JSON.stringify({ r: { username: "task", password: "y" } }),
      );
      expect((await ask())!.username).to.equal("task");
      await writeFile(join(sandbox, ".dockercfg"), "hunter2");
      const failure = await ask().then(String, (error: Error) => error.message);
      expect(failure)
        .to.match(/\.dockercfg is not a JSON object$/)
        .and.not.include("hunter2");
    } finally {
      await rm(sandbox, { recursive: true });
    }
  });
});

describe("default name servers of Docker networks", () => {
  const docker = (...entries: object[]) => readDefaultDns({ docker: entries });
  const dns = { nameservers: ["1.1.1.1"] };

  it("are kept by network", () => {
    const found = docker(
      { network_mode: "BRIDGE", dns },
      { network_mode: "USER", network_name: "n", dns },
      { network_mode: "USER", dns },
    );
    expect([found.bridge!.nameservers, found.user!.nameservers]).to.deep.equal([["1.1.1.1"], ["1.1.1.1"]]);
    expect([...found.byNetwork.keys()]).to.deep.equal(["n"]);
  });

  it("are refused where they make no sense", () => {
    expect(() => docker({ network_mode: "HOST", dns })).to.throw("HOST network is not yet supported");
    expect(() => docker({ network_mode: "BRIDGE", dns }, { network_mode: "BRIDGE", dns })).to.throw(
      "Multiple DNS",
    );
    expect(() => docker({ network_mode: "USER", dns }, { network_mode: "USER", dns })).to.throw(
      "Multiple DNS",
    );
  });
});

describe("logs of Docker containers", () => {
  const TIME = "2026-01-02T03:04:05.000000006Z";
  const frame = (stream: number, text: string): Buffer => {
    const data = Buffer.from(text);
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(data.length, 4);
    return Buffer.concat([header, data]);
  };

  it("are taken apart however they are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(1, 2), fc.string({ unit: "grapheme" }))),
        fc.array(fc.nat(200)),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map(([stream, text]) => frame(stream, `${TIME} ${text}`)));
          const decoder = new LogMessageDecoder(true);
          const found = [];
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            found.push(...decoder.decode(bytes.subarray(at, at + cut)));
            at += cut;
          }
          expect(found.map(({ stream, time, data }) => [stream, time, data.toString()])).to.deep.equal(
            messages.map(([stream, text]) => [stream === 2 ? "stderr" : "stdout", TIME, text]),
          );
        },
      ),
    );
  });

  it("are read again from a second before the earlier of both streams", () => {
    const place = (time?: string) => ({ time, count: 1, size: 1 });
    expect(sinceTime({ stdout: place(), stderr: place() })).to.equal(undefined);
    expect(sinceTime({ stdout: place("2026-01-02T03:04:09.5Z"), stderr: place(TIME) })).to.equal(
      "1767323044",
    );
  });
});

describe("lines of a stream", () => {
  it("are whole, whatever the chunks", async () => {
    const text = '{"a":"ä"}\n\n{"b":2}\r\nrest';
    const chunks = [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
    const found: string[] = [];
    for await (const line of lines(Readable.from(chunks))) found.push(line.trim());
    expect(found).to.deep.equal(['{"a":"ä"}', '{"b":2}', "rest"]);
  });

  it("break with the stream", async () => {
    const stream = new Readable({ read: () => undefined });
    stream.push("one\ntw");
    const found: string[] = [];
    const reading = (async () => {
      for await (const line of lines(stream)) {
        found.push(line);
        stream.destroy(new Error("gone"));
      }
    })();
    expect(await reading.then(String, (error: Error) => error.message)).to.equal("gone");
    expect(found).to.deep.equal(["one"]);
  });
});

describe("control groups of a process", () => {
  it("are found by controller, or in the one hierarchy", () => {
    const v1 = cgroupPaths("5:memory:/docker/a\n3:cpu,cpuacct:/docker/b\n1:name=systemd:/x\n0::/\n");
    expect([v1("memory"), v1("cpuacct"), v1("pids")]).to.deep.equal(["/docker/a", "/docker/b", "/"]);
    const v2 = cgroupPaths("0::/system.slice/docker-a.scope\n");
    expect(v2("memory")).to.equal("/system.slice/docker-a.scope");
  });
});
