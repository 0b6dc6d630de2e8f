import { expect } from "chai";
import {
  Resource_DiskInfo_Source_Type as DiskType,
  type Resource,
  type Resource_DiskInfo_Source,
  Volume_Source_SandboxPath_Type as SandboxPathType,
  Volume_Source_Type as SourceType,
  Value_Type,
  type Volume,
  Volume_Mode,
  type Volume_Source,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import { persistentVolumes, volumeSource } from "../../../sdk/volumes/index.js";

const disk = (path: string, source?: Resource_DiskInfo_Source): Resource => ({
  name: "disk",
  type: Value_Type.SCALAR,
  scalar: { value: 10 },
  reservations: [{ role: "dev/db", type: 1 }],
  disk: {
    persistence: { id: "v1", principal: "p" },
    volume: { container_path: path, mode: Volume_Mode.RW },
    ...(source && { source }),
  },
});

const only = (resource: Resource) => persistentVolumes(Resources.of([resource]), "/srv")[0];

describe("persistent volumes", () => {
  it("lie where Mesos has them", () => {
    const cases: readonly (readonly [Resource_DiskInfo_Source | undefined, string])[] = [
      [undefined, "/srv/volumes/roles/dev db/v1"],
      [{ type: DiskType.PATH, path: { root: "disks/a" } }, "/srv/disks/a/volumes/roles/dev db/v1"],
      [{ type: DiskType.PATH, path: { root: "/mnt/a" } }, "/mnt/a/volumes/roles/dev db/v1"],
      [{ type: DiskType.MOUNT, mount: { root: "/mnt/b" } }, "/mnt/b"],
      [{ type: DiskType.MOUNT, mount: { root: "disks/b" } }, "/srv/disks/b"],
    ];
    for (const [source, path] of cases) expect(only(disk("data", source))?.path).to.equal(path);
  });

  it("say how the container uses them", () => {
    expect(only(disk("a//b/"))).to.deep.equal({
      id: "v1",
      path: "/srv/volumes/roles/dev db/v1",
      containerPath: "a/b",
      readOnly: false,
      shared: false,
      providerId: undefined,
    });
  });

  it("lie inside of the sandbox, and nowhere else", () => {
    for (const path of ["/data", "../data", "a/../..", "."])
      expect(() => only(disk(path)), path).to.throw(/'v1' cannot be put at .*only paths inside the sandbox/);
  });
});

describe("what a volume is made of", () => {
  const volume = (more: Partial<Volume>): Volume => ({
    container_path: "/a",
    mode: Volume_Mode.RW,
    ...more,
  });
  const from = (source: Partial<Volume_Source>) => volumeSource(volume({ source: source as Volume_Source }));

  it("is told by its fields", () => {
    expect(volumeSource(volume({ host_path: "/h" }))).to.deep.equal({
      kind: "host-path",
      path: "/h",
      bidirectional: false,
    });
    expect(volumeSource(volume({ host_path: "h" }))).to.deep.equal({
      kind: "sandbox-path",
      of: "self",
      path: "h",
    });
    expect(volumeSource(volume({ image: { type: 2, docker: { name: "i" } } })).kind).to.equal("image");
    expect(
      from({ type: SourceType.HOST_PATH, host_path: { path: "/h", mount_propagation: { mode: 2 } } }),
    ).to.deep.equal({ kind: "host-path", path: "/h", bidirectional: true });
    expect(
      from({ type: SourceType.SANDBOX_PATH, sandbox_path: { type: SandboxPathType.PARENT, path: "h" } }),
    ).to.deep.equal({ kind: "sandbox-path", of: "parent", path: "h" });
    const driver_options = { parameter: [{ key: "k", value: "v" }] };
    expect(
      from({ type: SourceType.DOCKER_VOLUME, docker_volume: { driver: "d", name: "n", driver_options } }),
    ).to.deep.equal({ kind: "docker-volume", driver: "d", name: "n", options: [{ key: "k", value: "v" }] });
    expect(
      from({ type: SourceType.SECRET, secret: { type: 2, value: { data: Buffer.from("s") } } }).kind,
    ).to.equal("secret");
    expect(from({ type: SourceType.CSI_VOLUME }).kind).to.equal("csi");
  });

  it("must be sound, in Mesos's words", () => {
    const cases: readonly (readonly [() => unknown, RegExp])[] = [
      [() => volumeSource(volume({})), /Only one of them should be set: 'host_path', 'image' and 'source'/],
      [() => volumeSource(volume({ host_path: "/h", image: { type: 2 } })), /Only one of them should be set/],
      [() => from({}), /'source.type' is unknown/],
      [() => from({ type: SourceType.UNKNOWN }), /'source.type' is unknown/],
      [() => from({ type: SourceType.HOST_PATH }), /'source.host_path' is not set for HOST_PATH volume/],
      [
        () => from({ type: SourceType.HOST_PATH, host_path: { path: "h" } }),
        /Path 'h' in HOST_PATH volume is not absolute/,
      ],
      [() => from({ type: SourceType.SANDBOX_PATH }), /'source.sandbox_path' is not set/],
      [
        () => from({ type: SourceType.SANDBOX_PATH, sandbox_path: { type: 1, path: "/h" } }),
        /SANDBOX_PATH volume is absolute/,
      ],
      [
        () => from({ type: SourceType.SANDBOX_PATH, sandbox_path: { path: "h" } }),
        /Unknown SANDBOX_PATH volume type/,
      ],
      [() => from({ type: SourceType.DOCKER_VOLUME }), /'source.docker_volume' is not set/],
      [() => from({ type: SourceType.SECRET }), /'source.secret' is not set/],
    ];
    for (const [make, words] of cases) expect(make).to.throw(words);
  });
});
